#include "engine/cpu/packed/pack_group.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/cpu/kernels/bf16_rounding.h"
#include "engine/model/dequantize.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::uint32_t kNibbles = 0x0F0F0F0F;

std::uint32_t Word(const std::byte* at) {
  std::uint32_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Four codes from two bytes, one to a byte.
std::uint32_t Spread(const std::byte* at) {
  std::uint32_t codes =
      std::to_integer<std::uint32_t>(at[0]) | std::to_integer<std::uint32_t>(at[1]) << 8;
  codes = (codes | codes << 8) & 0x00FF00FF;
  return (codes | codes << 4) & kNibbles;
}

// Bits of the binary16 nearest to `x` of 0 to 65,504, ties to even.
std::uint16_t Float16Bits(float x) {
  constexpr float kNormal = 6.103515625e-5F;  // 2^-14
  if (x < kNormal) {
    return static_cast<std::uint16_t>(std::nearbyint(std::ldexp(x, 24)));
  }
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = bits + 0xFFF + (bits >> 13 & 1);
  return static_cast<std::uint16_t>((rounded >> 13) - ((127 - 15) << 10));
}

class GroupPacker {
 public:
  GroupPacker(PackedType type, std::size_t blocks, std::byte* to)
      : type_(type), scales_(to + blocks * PackedCodeBytes(type)), codes_(to) {
    std::memset(to, type == PackedType::kQ8 ? 128 : 0, blocks * PackedCodeBytes(type));
    std::memset(scales_, 0, PackedGroupBytes(type, blocks) - blocks * PackedCodeBytes(type));
    if (type == PackedType::kMxfp4) {
      std::memset(scales_, 1, blocks * kPackedOutputs);
    }
  }

  bool Add(const MatrixView& matrix, std::size_t row, std::size_t output, std::size_t block) {
    std::byte* codes = codes_ + block * PackedCodeBytes(type_) + 4 * output;
    std::byte* scale =
        scales_ + block * PackedScaleBytes(type_) + output * PackedScaleBytes(type_) / 16;
    if (type_ == PackedType::kMxfp4) {
      return AddMxfp4(matrix.mxfp4, row, block, codes, scale);
    }
    if (type_ == PackedType::kBf16) {
      return AddBf16(matrix, row, block, codes);
    }
    if (matrix.type == WeightType::kQ8_0) {
      const std::byte* from = matrix.data + row * matrix.row_stride + block * 34;
      std::uint16_t bits = 0;
      std::memcpy(&bits, from, sizeof bits);
      return AddQ8(bits, from + 2, codes, scale);
    }
    return AddRounded(matrix, row, block, codes, scale);
  }

 private:
  static bool AddMxfp4(const Mxfp4Blocks& blocks, std::size_t row, std::size_t block,
                       std::byte* codes, std::byte* scale) {
    const std::byte* from =
        blocks.codes + row * blocks.code_row_stride + block * blocks.code_stride;
    const std::byte* exponent =
        blocks.scales + row * blocks.scale_row_stride + block * blocks.scale_stride;
    std::uint32_t all = 0;
    for (std::size_t v = 0; v < 4; ++v) {
      std::uint32_t low = 0;
      std::uint32_t high = 0;
      if (blocks.order == NibbleOrder::kAdjacent) {
        low = Spread(from + 4 * v);
        high = Spread(from + 4 * v + 2);
      } else {
        const std::uint32_t shift = v < 2 ? 0 : 4;
        low = Word(from + v % 2 * 8) >> shift & kNibbles;
        high = Word(from + v % 2 * 8 + 4) >> shift & kNibbles;
      }
      const std::uint32_t both = low | high << 4;
      std::memcpy(codes + 64 * v, &both, sizeof both);
      all |= both;
    }
    const auto e = std::to_integer<unsigned>(*exponent);
    const bool zero = (all & 0x77777777) == 0;
    *scale = static_cast<std::byte>(e < 2 ? 1 : e - 1);
    return e < 253 && (e >= 2 || zero);
  }

  static bool AddQ8(std::uint16_t scale_bits, const std::byte* numbers, std::byte* codes,
                    std::byte* scale) {
    for (std::size_t v = 0; v < 8; ++v) {
      const std::uint32_t four = Word(numbers + 4 * v) ^ 0x80808080;
      std::memcpy(codes + 64 * v, &four, sizeof four);
    }
    std::memcpy(scale, &scale_bits, sizeof scale_bits);
    return std::isfinite(Float16Value(scale_bits));
  }

  static bool AddRounded(const MatrixView& matrix, std::size_t row, std::size_t block,
                         std::byte* codes, std::byte* scale) {
    std::array<float, kPackedBlock> x{};
    DequantizeRow(matrix, row, block * kPackedBlock, x);
    float most = 0;
    for (const float number : x) {
      most = std::isfinite(number) ? std::max(most, std::fabs(number)) : HUGE_VALF;
    }
    if (most > 65'504.0F) {
      return false;
    }
    const std::uint16_t bits = Float16Bits(most / 127);
    const float step = Float16Value(bits);
    std::array<std::byte, kPackedBlock> numbers{};
    for (std::size_t k = 0; k < kPackedBlock && step > 0; ++k) {
      const float q = std::clamp(std::nearbyint(x[k] / step), -127.0F, 127.0F);
      numbers[k] = static_cast<std::byte>(static_cast<std::int8_t>(q));
    }
    return AddQ8(bits, numbers.data(), codes, scale);
  }

  static bool AddBf16(const MatrixView& matrix, std::size_t row, std::size_t block,
                      std::byte* codes) {
    std::array<float, kPackedBlock> x{};
    DequantizeRow(matrix, row, block * kPackedBlock, x);
    bool finite = true;
    for (std::uint32_t at = 0; at < kPackedBlock; ++at) {
      const std::uint16_t number = RoundToBf16(x.at(Bf16Column(at)));
      std::memcpy(codes + at / 2 * 64 + at % 2 * 2, &number, sizeof number);
      finite = finite && (number & 0x7F80U) != 0x7F80U;
    }
    return finite;
  }

  PackedType type_;
  std::byte* scales_;
  std::byte* codes_;
};

}  // namespace

std::optional<PackedType> PackedTypeOf(PackSources sources, DenseWeights dense) {
  const MatrixView& first = *sources[0];
  for (const MatrixView* source : sources) {
    if (source->type != first.type || source->columns != first.columns ||
        source->columns % kPackedBlock != 0) {
      return std::nullopt;
    }
  }
  if (first.type == WeightType::kMxfp4) {
    return PackedType::kMxfp4;
  }
  if (first.type == WeightType::kQ8_0 || dense == DenseWeights::kQ8) {
    return PackedType::kQ8;
  }
  return dense == DenseWeights::kBf16 ? std::optional(PackedType::kBf16) : std::nullopt;
}

bool PackGroup(PackSources sources, PackedType type, std::size_t first, std::byte* to) {
  const std::size_t blocks = sources[0]->columns / kPackedBlock;
  const std::size_t outputs = sources[0]->rows * sources.size();
  const std::size_t count = std::min(kPackedOutputs, outputs - first);
  GroupPacker packer(type, blocks, to);
  bool fits = true;
  for (std::size_t o = 0; o < count; ++o) {
    const MatrixView& matrix = *sources[(first + o) % sources.size()];
    for (std::size_t block = 0; block < blocks; ++block) {
      fits = packer.Add(matrix, (first + o) / sources.size(), o, block) && fits;
    }
  }
  return fits;
}

}  // namespace safeguard::engine::cpu
