#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "engine/model/dequantize.h"
#include "engine/synth/tensor_plan.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kBlock = 32;

// To the nearest, ties to even. REQUIRES: finite and far from the largest number.
std::uint16_t ToBfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

// To the nearest, ties to even, subnormals included. REQUIRES: |value| < 65504.
std::uint16_t ToFloat16(float value) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  const float magnitude = std::fabs(value);
  if (magnitude < 0x1p-14F) {
    return static_cast<std::uint16_t>(
        sign | static_cast<std::uint16_t>(std::nearbyint(magnitude * 0x1p24F)));
  }
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(magnitude) - (112U << 23);
  return static_cast<std::uint16_t>(sign | ((bits + 0xFFFU + (bits >> 13 & 1U)) >> 13));
}

void Store16(std::uint16_t bits, std::byte* at) {
  at[0] = static_cast<std::byte>(bits & 0xFFU);
  at[1] = static_cast<std::byte>(bits >> 8);
}

void Store32(std::uint32_t bits, std::byte* at) {
  Store16(static_cast<std::uint16_t>(bits & 0xFFFFU), at);
  Store16(static_cast<std::uint16_t>(bits >> 16), at + 2);
}

void Store64(std::uint64_t bits, std::byte* at) {
  Store32(static_cast<std::uint32_t>(bits & 0xFFFFFFFFU), at);
  Store32(static_cast<std::uint32_t>(bits >> 32), at + 4);
}

// ggml's rule: the largest magnitude becomes 127.
void StoreQ8Block(std::span<const float, kBlock> numbers, std::byte* at) {
  float largest = 0;
  for (const float number : numbers) {
    largest = std::max(largest, std::fabs(number));
  }
  const float scale = largest / 127.0F;
  const float inverse = scale == 0 ? 0 : 1.0F / scale;
  Store16(ToFloat16(scale), at);
  for (std::size_t i = 0; i < kBlock; ++i) {
    // Half is added before cutting: rounding to nearest without a library call a number.
    const float quant = numbers[i] * inverse;
    at[2 + i] = static_cast<std::byte>(static_cast<int>(quant + (quant < 0 ? -0.5F : 0.5F)));
  }
}

// Nibble k of the result's byte pairs: nibble k of `x` to nibble 2k.
std::uint64_t SpreadNibbles(std::uint32_t x) {
  std::uint64_t wide = x;
  wide = (wide | wide << 16) & 0x0000FFFF0000FFFFU;
  wide = (wide | wide << 8) & 0x00FF00FF00FF00FFU;
  return (wide | wide << 4) & 0x0F0F0F0F0F0F0F0FU;
}

// `low` holds elements 0..15 of the block, a nibble each, `high` 16..31; byte j gets j and j + 16.
void StoreHalves(std::uint64_t low, std::uint64_t high, std::byte* at) {
  for (std::size_t half = 0; half < 2; ++half) {
    const auto a = static_cast<std::uint32_t>(low >> (32 * half) & 0xFFFFFFFFU);
    const auto b = static_cast<std::uint32_t>(high >> (32 * half) & 0xFFFFFFFFU);
    Store64(SpreadNibbles(a) | SpreadNibbles(b) << 4, at + 8 * half);
  }
}

// Number i of a stream at the precision of the published weights.
float DenseNumber(const RowSource& source, std::uint64_t i) {
  return Bfloat16Value(ToBfloat16(source.mean + source.deviation * source.noise.Normal(i)));
}

void FillDenseRow(const RowSource& source, std::uint64_t row, std::byte* out) {
  const std::uint64_t base = row * source.columns;
  std::array<float, kBlock> block{};
  for (std::uint64_t c = 0; c < source.columns; ++c) {
    const float number = DenseNumber(source, base + c);
    switch (source.type) {
      case SourceType::kBF16:
        Store16(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(number) >> 16),
                out + 2 * c);
        break;
      case SourceType::kF16:
        Store16(ToFloat16(number), out + 2 * c);
        break;
      case SourceType::kF32:
        Store32(std::bit_cast<std::uint32_t>(number), out + 4 * c);
        break;
      default:
        block[c % kBlock] = number;
        if (c % kBlock == kBlock - 1) {
          StoreQ8Block(block, out + c / kBlock * (kBlock + 2));
        }
    }
  }
}

// Three words of noise a block: two of codes, one for the scale, which is the middle one, half or
// double (as often together as the middle one).
void FillMxfp4Row(const RowSource& source, std::uint64_t row, std::byte* out) {
  const std::uint64_t blocks = source.columns / kBlock;
  for (std::uint64_t b = 0; b < blocks; ++b) {
    const std::uint64_t i = (row * blocks + b) * 3;
    const auto pick = static_cast<int>(source.noise.Bits(i + 2) >> 62);
    const auto scale = static_cast<std::byte>(source.scale + (pick == 0) - (pick == 3));
    switch (source.type) {
      case SourceType::kMxfp4Codes:
        Store64(source.noise.Bits(i), out + 16 * b);
        Store64(source.noise.Bits(i + 1), out + 16 * b + 8);
        break;
      case SourceType::kMxfp4Scales:
        out[b] = scale;
        break;
      default:
        out[17 * b] = scale;
        StoreHalves(source.noise.Bits(i), source.noise.Bits(i + 1), out + 17 * b + 1);
    }
  }
}

}  // namespace

std::uint64_t RowSource::RowBytes() const {
  switch (type) {
    case SourceType::kBF16:
    case SourceType::kF16:
      return columns * 2;
    case SourceType::kF32:
      return columns * 4;
    case SourceType::kQ8_0:
      return columns / kBlock * 34;
    case SourceType::kMxfp4Codes:
      return columns / 2;
    case SourceType::kMxfp4Scales:
      return columns / kBlock;
    case SourceType::kMxfp4Gguf:
      return columns / kBlock * 17;
  }
  return 0;
}

void RowSource::Fill(std::uint64_t begin, std::uint64_t end, std::span<std::byte> out) const {
  CHECK(begin <= end && end <= rows && out.size() == (end - begin) * RowBytes());
  const bool packed = type == SourceType::kMxfp4Codes || type == SourceType::kMxfp4Scales ||
                      type == SourceType::kMxfp4Gguf;
  std::byte* at = out.data();
  for (std::uint64_t r = begin; r < end; ++r, at += RowBytes()) {
    const std::uint64_t row = r / group * group * stride + r % group * stride + first;
    if (packed) {
      FillMxfp4Row(*this, row, at);
    } else {
      FillDenseRow(*this, row, at);
    }
  }
}

std::uint64_t PlannedTensor::bytes() const {
  std::uint64_t bytes = 0;
  for (const RowSource& source : sources) {
    bytes += source.rows * source.RowBytes();
  }
  return bytes;
}

}  // namespace safeguard::engine
