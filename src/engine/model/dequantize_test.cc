#include "engine/model/dequantize.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace safeguard::engine {
namespace {

constexpr double kCodes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6};

TEST(Dequantize, EveryScaleTimesEveryCodeIsExact) {
  for (int scale = 0; scale < 255; ++scale) {
    for (std::uint8_t code = 0; code < 16; ++code) {
      const double exact = kCodes[code] * std::pow(2.0, scale - 127);
      const float value = E2m1Value(code) * E8m0Value(static_cast<std::uint8_t>(scale));
      if (std::fabs(exact) > std::numeric_limits<float>::max()) {
        EXPECT_GE(scale, 253);
        EXPECT_TRUE(std::isinf(value));
      } else {
        EXPECT_EQ(static_cast<double>(value), exact) << scale << " " << int{code};
      }
      EXPECT_EQ(std::signbit(value), code >= 8);
    }
  }
  for (std::uint8_t code = 0; code < 16; ++code) {
    EXPECT_TRUE(std::isnan(E2m1Value(code) * E8m0Value(255)));
  }
}

TEST(Dequantize, SmallestScalesAreSubnormalAndNotZero) {
  EXPECT_EQ(E8m0Value(0), 0x1p-127F);
  EXPECT_EQ(E8m0Value(1), 0x1p-126F);
  EXPECT_EQ(E2m1Value(1) * E8m0Value(0), 0x1p-128F);
}

TEST(Dequantize, EveryFloat16) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = Float16Value(static_cast<std::uint16_t>(bits));
    const std::uint32_t exponent = bits >> 10 & 31;
    const std::uint32_t fraction = bits & 1023;
    EXPECT_EQ(std::signbit(value), bits >= 32768) << bits;
    const double magnitude = std::fabs(static_cast<double>(value));
    if (exponent == 31) {
      EXPECT_TRUE(fraction == 0 ? std::isinf(value) : std::isnan(value)) << bits;
    } else if (exponent == 0) {
      EXPECT_EQ(magnitude, fraction / 16777216.0) << bits;
    } else {
      EXPECT_EQ(magnitude, (1 + fraction / 1024.0) * std::pow(2.0, static_cast<int>(exponent) - 15))
          << bits;
    }
  }
}

TEST(Dequantize, EveryBfloat16) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = Bfloat16Value(static_cast<std::uint16_t>(bits));
    EXPECT_EQ(std::bit_cast<std::uint32_t>(value), bits << 16);
  }
}

// Codes 0..15 twice, so that element i of an adjacent block is code i % 16.
TEST(Dequantize, BothNibbleOrders) {
  std::array<std::byte, 2 * 17 * 2> bytes{};
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t block = 0; block < 2; ++block) {
      std::byte* at = bytes.data() + (row * 2 + block) * 17;
      at[0] = static_cast<std::byte>(127 + row * 2 + block);
      for (std::size_t j = 0; j < 16; ++j) {
        at[1 + j] = static_cast<std::byte>((2 * j) % 16 | ((2 * j + 1) % 16) << 4);
      }
    }
  }
  MatrixView matrix{WeightType::kMxfp4, 2, 64, nullptr, 0, {}};
  matrix.mxfp4 = {bytes.data() + 1, bytes.data(), 17, 17, 34, 34, NibbleOrder::kAdjacent};
  std::vector<float> row(64);
  for (std::size_t r = 0; r < 2; ++r) {
    DequantizeRow(matrix, r, 0, row);
    for (std::size_t i = 0; i < 64; ++i) {
      EXPECT_EQ(row[i], kCodes[i % 16] * std::pow(2.0, r * 2 + i / 32)) << r << " " << i;
    }
  }
  matrix.mxfp4.order = NibbleOrder::kHalves;
  DequantizeRow(matrix, 1, 0, row);
  for (std::size_t i = 0; i < 64; ++i) {
    const std::size_t j = i % 16;
    const std::size_t code = i % 32 < 16 ? 2 * j : 2 * j + 1;
    EXPECT_EQ(row[i], kCodes[code % 16] * std::pow(2.0, 2 + i / 32)) << i;
  }
  std::vector<float> slice(7);
  DequantizeRow(matrix, 1, 29, slice);
  EXPECT_TRUE(std::equal(slice.begin(), slice.end(), row.begin() + 29));
}

TEST(Dequantize, Q8Blocks) {
  std::array<std::byte, 68> bytes{};
  const std::uint16_t scales[] = {0x3800, 0xC000};  // 0.5, -2
  for (std::size_t b = 0; b < 2; ++b) {
    std::memcpy(bytes.data() + b * 34, &scales[b], 2);
    for (std::size_t i = 0; i < 32; ++i) {
      bytes[b * 34 + 2 + i] = static_cast<std::byte>(static_cast<int>(i) * 8 - 128);
    }
  }
  const MatrixView matrix{WeightType::kQ8_0, 1, 64, bytes.data(), 68, {}};
  std::vector<float> row(64);
  DequantizeRow(matrix, 0, 0, row);
  for (std::size_t i = 0; i < 64; ++i) {
    const float quant = static_cast<float>(i % 32) * 8 - 128;
    EXPECT_EQ(row[i], quant * (i < 32 ? 0.5F : -2.0F)) << i;
  }
}

TEST(Dequantize, PlainTypesAtOddAddressesAndStrides) {
  const float numbers[] = {1.5F, -2.0F, 0.25F, 3.0F};
  std::array<std::byte, 17> bytes{};
  std::memcpy(bytes.data() + 1, numbers, 16);
  const VectorView every_second{WeightType::kF32, 2, bytes.data() + 1, 8};
  std::vector<float> out(2);
  DequantizeVector(every_second, 0, out);
  EXPECT_EQ(out, (std::vector<float>{1.5F, 0.25F}));
  const MatrixView as_bf16{WeightType::kBF16, 2, 2, bytes.data() + 1, 8, {}};
  DequantizeRow(as_bf16, 1, 1, std::span(out).first(1));
  EXPECT_EQ(out[0], 0.25F);
}

TEST(Dequantize, VectorsOfEveryPlainTypeAndOfNoOther) {
  const std::uint16_t numbers[] = {0x3C00, 0x3E00, 0x3FC0};  // 1 and 1.5 in F16, 1.5 in BF16
  const auto* bytes = reinterpret_cast<const std::byte*>(numbers);
  std::vector<float> out(2);
  DequantizeVector({WeightType::kF16, 3, bytes, 2}, 0, out);
  EXPECT_EQ(out, (std::vector<float>{1, 1.5F}));
  DequantizeVector({WeightType::kBF16, 3, bytes, 2}, 2, std::span(out).first(1));
  EXPECT_EQ(out[0], 1.5F);
  for (const WeightType blocks : {WeightType::kQ8_0, WeightType::kMxfp4}) {
    EXPECT_DEATH(DequantizeVector({blocks, 3, bytes, 2}, 0, out), "CHECK");
  }
}

}  // namespace
}  // namespace safeguard::engine
