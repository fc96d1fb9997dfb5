#include "engine/model/dequantize.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kQ8Bytes = 2 + kBlock;

std::uint16_t Load16(const std::byte* at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(at[0]) |
                                    std::to_integer<unsigned>(at[1]) << 8);
}

float LoadPlain(WeightType type, const std::byte* at) {
  switch (type) {
    case WeightType::kF32: {
      const std::uint32_t bits = Load16(at) | std::uint32_t{Load16(at + 2)} << 16;
      return std::bit_cast<float>(bits);
    }
    case WeightType::kF16:
      return Float16Value(Load16(at));
    case WeightType::kBF16:
      return Bfloat16Value(Load16(at));
    case WeightType::kQ8_0:
    case WeightType::kMxfp4:
      break;
  }
  CHECK(false);
}

template <WeightType type>
void ReadVector(const std::byte* from, std::size_t stride, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = LoadPlain(type, from + i * stride);
  }
}

float Q8Element(const std::byte* row, std::size_t column) {
  const std::byte* block = row + column / kBlock * kQ8Bytes;
  const auto quant = std::to_integer<std::int8_t>(block[2 + column % kBlock]);
  return Float16Value(Load16(block)) * static_cast<float>(quant);
}

float Mxfp4Element(const Mxfp4Blocks& blocks, std::size_t row, std::size_t column) {
  const std::size_t block = column / kBlock;
  const std::size_t i = column % kBlock;
  const bool adjacent = blocks.order == NibbleOrder::kAdjacent;
  const std::size_t at = adjacent ? i / 2 : i % (kBlock / 2);
  const bool high = adjacent ? i % 2 == 1 : i >= kBlock / 2;
  const std::byte* codes = blocks.codes + row * blocks.code_row_stride + block * blocks.code_stride;
  const std::byte* scales =
      blocks.scales + row * blocks.scale_row_stride + block * blocks.scale_stride;
  const auto pair = std::to_integer<std::uint8_t>(codes[at]);
  const auto code = static_cast<std::uint8_t>(high ? pair >> 4 : pair & 15U);
  return E2m1Value(code) * E8m0Value(std::to_integer<std::uint8_t>(*scales));
}

}  // namespace

float Float16Value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  float magnitude = 0;
  if (exponent == 31) {
    magnitude = fraction == 0 ? std::numeric_limits<float>::infinity()
                              : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  }
  return std::copysign(magnitude, (bits & 0x8000) != 0 ? -1.0F : 1.0F);
}

float Bfloat16Value(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

float E2m1Value(std::uint8_t code) {
  constexpr float kMagnitudes[] = {0, 0.5F, 1, 1.5F, 2, 3, 4, 6};
  CHECK(code < 16);
  const float magnitude = kMagnitudes[code & 7];
  return (code & 8) != 0 ? -magnitude : magnitude;
}

float E8m0Value(std::uint8_t scale) {
  return scale == 255 ? std::numeric_limits<float>::quiet_NaN()
                      : std::ldexp(1.0F, int{scale} - 127);
}

void DequantizeRow(const MatrixView& matrix, std::size_t row, std::size_t begin,
                   std::span<float> out) {
  CHECK(row < matrix.rows && begin <= matrix.columns && out.size() <= matrix.columns - begin);
  const std::byte* start = matrix.data;
  if (matrix.type != WeightType::kMxfp4) {
    start += row * matrix.row_stride;
  }
  const std::size_t bytes = matrix.type == WeightType::kF32 ? 4 : 2;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t column = begin + i;
    switch (matrix.type) {
      case WeightType::kMxfp4:
        out[i] = Mxfp4Element(matrix.mxfp4, row, column);
        break;
      case WeightType::kQ8_0:
        out[i] = Q8Element(start, column);
        break;
      default:
        out[i] = LoadPlain(matrix.type, start + column * bytes);
    }
  }
}

void DequantizeVector(const VectorView& vector, std::size_t begin, std::span<float> out) {
  CHECK(begin <= vector.size && out.size() <= vector.size - begin);
  const std::byte* from = vector.data + begin * vector.stride;
  // Biases are read anew by every piece of a linear layer: the type is looked at once.
  switch (vector.type) {
    case WeightType::kF32:
      return ReadVector<WeightType::kF32>(from, vector.stride, out);
    case WeightType::kF16:
      return ReadVector<WeightType::kF16>(from, vector.stride, out);
    case WeightType::kBF16:
      return ReadVector<WeightType::kBF16>(from, vector.stride, out);
    case WeightType::kQ8_0:
    case WeightType::kMxfp4:
      break;
  }
  CHECK(false);
}

}  // namespace safeguard::engine
