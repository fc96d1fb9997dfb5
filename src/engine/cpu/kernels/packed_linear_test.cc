// Packed linear layers: every instruction set gives the reference's bits, and the reference means
// what packed_linear.h says.
#include "engine/cpu/kernels/packed_linear.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/aligned_floats.h"
#include "engine/cpu/kernels/bf16_rounding.h"
#include "engine/cpu/kernels/emulated/emulated.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/packed/pack_group.h"
#include "engine/cpu/random_model.h"
#include "engine/model/dequantize.h"

namespace safeguard::engine::cpu {
namespace {

class PackedKernels : public testing::TestWithParam<const KernelTable*> {
 protected:
  void SetUp() override {
    if (!GetParam()->supported()) {
      GTEST_SKIP() << GetParam()->name << " is not supported by this CPU";
    }
  }
};

struct Packed {
  PackedType type = PackedType::kMxfp4;
  std::size_t outputs = 0;
  std::size_t blocks = 0;
  AlignedFloats memory;
  bool fits = true;
};

Packed Pack(std::vector<const MatrixView*> sources, DenseWeights dense = DenseWeights::kAsStored) {
  Packed packed;
  packed.type = PackedTypeOf(sources, dense).value();
  packed.outputs = sources[0]->rows * sources.size();
  packed.blocks = sources[0]->columns / kPackedBlock;
  const std::size_t bytes = PackedGroupBytes(packed.type, packed.blocks);
  packed.memory = AlignedFloats(RoundUp(packed.outputs, kPackedOutputs) / 16 * bytes / 4);
  auto* to = reinterpret_cast<std::byte*>(packed.memory.data());
  for (std::size_t first = 0; first < packed.outputs; first += kPackedOutputs, to += bytes) {
    packed.fits = PackGroup(sources, packed.type, first, to) && packed.fits;
  }
  return packed;
}

// Rows [first, first + rows) of x.
std::vector<float> Multiply(const KernelTable& table, const Packed& packed,
                            const std::vector<float>& x, std::size_t first, std::size_t rows,
                            ActivationBits bits, std::vector<float> bias = {}) {
  const std::size_t columns = packed.blocks * kPackedBlock;
  const std::size_t row_floats = PreparedRowBytes(packed.blocks) / sizeof(float);
  AlignedFloats prepared(rows * row_floats);
  std::vector<const std::byte*> pointers;
  for (std::size_t r = 0; r < rows; ++r) {
    auto* row = reinterpret_cast<std::byte*>(prepared.data() + r * row_floats);
    table.prepare({packed.type, bits, x.data() + (first + r) * columns, packed.blocks, row});
    pointers.push_back(row);
  }
  bias.resize(RoundUp(packed.outputs, kPackedOutputs));
  AlignedFloats scratch(kPackedScratchFloats);
  std::vector<float> out(rows * (packed.outputs + 1), 777.0F);
  table.packed_linear({packed.type, bits, reinterpret_cast<const std::byte*>(packed.memory.data()),
                       packed.blocks, packed.outputs, bias.data(), pointers.data(), rows,
                       out.data(), packed.outputs + 1, scratch.data()});
  for (std::size_t r = 0; r < rows; ++r) {
    EXPECT_EQ(out[r * (packed.outputs + 1) + packed.outputs], 777.0F) << "wrote behind a row";
  }
  return out;
}

std::vector<float> Activations(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(count);
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = normal(random) * (i % 97 == 0 ? 100.0F : 1.0F);
  }
  return x;
}

TEST_P(PackedKernels, HaveTheReferencesBitsForAllSizesAndRowsStandAlone) {
  RandomWeights random(7);
  for (const WeightType type : {WeightType::kMxfp4, WeightType::kQ8_0, WeightType::kBF16}) {
    for (const NibbleOrder order : {NibbleOrder::kAdjacent, NibbleOrder::kHalves}) {
      for (const std::size_t columns : {32U, 96U, 544U}) {
        for (const std::size_t outputs : {1U, 15U, 16U, 37U}) {
          const MatrixView matrix = random.Matrix(type, order, outputs, columns);
          const Packed packed = Pack({&matrix}, DenseWeights::kQ8);
          ASSERT_TRUE(packed.fits);
          const std::vector<float> x = Activations(101 * columns, 5);
          const std::vector<float> bias = Activations(outputs, 6);
          for (const ActivationBits bits : {ActivationBits::k16, ActivationBits::k8}) {
            const std::vector<float> all =
                Multiply(kReferenceKernels, packed, x, 0, 101, bits, bias);
            for (const std::size_t rows : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 10U, 11U, 12U, 13U,
                                           16U, 24U, 25U, 27U, 101U}) {
              const std::vector<float> some = Multiply(*GetParam(), packed, x, 0, rows, bits, bias);
              ASSERT_EQ(std::memcmp(some.data(), all.data(), some.size() * sizeof(float)), 0)
                  << outputs << " x " << columns << ", rows " << rows;
            }
          }
        }
      }
    }
  }
}

// The largest sums that there can be: integers must not overflow.
TEST_P(PackedKernels, AddTheLargestNumbersExactly) {
  std::vector<std::byte> q8(34 * 2, std::byte{0x80});
  q8[0] = q8[34] = std::byte{0};
  q8[1] = q8[35] = std::byte{0x3C};
  std::vector<std::byte> mxfp4(17 * 2, std::byte{0xFF});
  mxfp4[0] = mxfp4[17] = std::byte{128};
  MatrixView matrix;
  matrix.rows = 1;
  matrix.columns = 64;
  for (const WeightType type : {WeightType::kQ8_0, WeightType::kMxfp4}) {
    matrix.type = type;
    matrix.data = q8.data();
    matrix.row_stride = 68;
    matrix.mxfp4 = {mxfp4.data() + 1, mxfp4.data(), 17, 17, 34, 34, NibbleOrder::kHalves};
    const Packed packed = Pack({&matrix});
    const double weight = type == WeightType::kQ8_0 ? -128 : -12;
    for (const float sign : {1.0F, -1.0F}) {
      for (const ActivationBits bits : {ActivationBits::k16, ActivationBits::k8}) {
        const std::vector<float> x(64, sign);
        const float out = Multiply(*GetParam(), packed, x, 0, 1, bits)[0];
        EXPECT_NEAR(double{out}, 64 * double{sign} * weight, 1e-2);
        EXPECT_EQ(out, Multiply(kReferenceKernels, packed, x, 0, 1, bits)[0]);
      }
    }
  }
}

// Output o's weights all have code o, a row's activations all are the same integer: the sums of
// equal signs that come closest to what 16 bits hold.
TEST_P(PackedKernels, MultiplyEveryCodeByEveryByte) {
  constexpr std::size_t kCodes = 256;
  std::vector<std::byte> q8(kCodes * 34);
  std::vector<std::byte> mxfp4(kCodes * 17);
  for (std::size_t code = 0; code < kCodes; ++code) {
    std::memset(&q8[code * 34], static_cast<int>(code), 34);
    std::memset(&mxfp4[code * 17], static_cast<int>(code), 17);
    q8[code * 34] = std::byte{0};  // scales of one
    q8[code * 34 + 1] = std::byte{0x3C};
    mxfp4[code * 17] = std::byte{0x7F};
  }
  for (const WeightType type : {WeightType::kQ8_0, WeightType::kMxfp4}) {
    MatrixView matrix;
    matrix.type = type;
    matrix.rows = kCodes;
    matrix.columns = 32;
    matrix.row_stride = 34;
    matrix.data = q8.data();
    matrix.mxfp4 = {mxfp4.data() + 1, mxfp4.data(), 17, 17, 17, 17, NibbleOrder::kHalves};
    const Packed packed = Pack({&matrix});
    ASSERT_TRUE(packed.fits);
    for (const ActivationBits bits : {ActivationBits::k16, ActivationBits::k8}) {
      const int most = bits == ActivationBits::k8 ? 127 : 32'639;
      const int step = bits == ActivationBits::k8 ? 1 : 127;  // every l and every h, not every pair
      std::vector<float> x;
      for (int q = -most; q <= most; q += step) {
        x.insert(x.end(), 31, static_cast<float>(q));
        x.push_back(static_cast<float>(q < 0 ? -most : most));  // so that the scale is one
      }
      const std::size_t rows = x.size() / 32;
      const std::vector<float> out = Multiply(*GetParam(), packed, x, 0, rows, bits);
      const std::vector<float> expected = Multiply(kReferenceKernels, packed, x, 0, rows, bits);
      ASSERT_EQ(out, expected);
      const std::size_t last = (rows - 1) * (kCodes + 1);
      const double weight = type == WeightType::kQ8_0 ? -1 : -6;
      EXPECT_EQ(double{out[last + 255]}, 32.0 * most * weight);
      EXPECT_EQ(double{out[last + 0x80]}, type == WeightType::kQ8_0 ? 32.0 * most * -128 : 0.0);
    }
  }
}

TEST_P(PackedKernels, DefineWhatHappensToOddActivations) {
  RandomWeights random(8);
  const MatrixView matrix = random.Matrix(WeightType::kMxfp4, NibbleOrder::kHalves, 20, 64);
  const Packed packed = Pack({&matrix});
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float odd :
       {0.0F, -0.0F, 1e-45F, 1e-38F, 7e-31F, 8e-31F, 3e38F, -3e38F, kInfinity, -kInfinity, NAN}) {
    for (const ActivationBits bits : {ActivationBits::k16, ActivationBits::k8}) {
      std::vector<float> x(64, 0.0F);
      x[3] = odd;
      x[40] = 1;
      const std::vector<float> out = Multiply(*GetParam(), packed, x, 0, 1, bits);
      const std::vector<float> expected = Multiply(kReferenceKernels, packed, x, 0, 1, bits);
      for (std::size_t o = 0; o < 20; ++o) {
        EXPECT_EQ(std::isnan(out[o]), std::isnan(expected[o])) << odd;
        EXPECT_EQ(std::isnan(out[o]), !std::isfinite(odd)) << odd;
        EXPECT_TRUE(std::isnan(out[o]) || out[o] == expected[o]) << odd;
      }
    }
  }
}

// A block's largest activation meets every weight without rounding: the weights come out.
void CheckWeights(const MatrixView& matrix, const Packed& packed) {
  std::vector<float> weights(kPackedBlock);
  for (std::size_t k = 0; k < kPackedBlock; ++k) {
    std::vector<float> x(kPackedBlock, 0.0F);
    x[k] = 32'639;
    const std::vector<float> out =
        Multiply(kReferenceKernels, packed, x, 0, 1, ActivationBits::k16);
    for (std::size_t o = 0; o < matrix.rows; ++o) {
      DequantizeRow(matrix, o, 0, weights);
      ASSERT_EQ(out[o], static_cast<float>(32'639.0 * double{weights[k]})) << o << ", column " << k;
    }
  }
}

TEST(PackGroup, KeepsEveryMxfp4CodeAndEveryScaleThatHasAPlace) {
  std::vector<std::byte> bytes(16 * 17);
  for (const NibbleOrder order : {NibbleOrder::kAdjacent, NibbleOrder::kHalves}) {
    for (unsigned scale = 0; scale < 256; ++scale) {
      for (std::size_t row = 0; row < 16; ++row) {
        bytes[row * 17] = static_cast<std::byte>(scale);
        for (std::size_t j = 0; j < 16; ++j) {
          bytes[row * 17 + 1 + j] = static_cast<std::byte>(row * 16 + j);
        }
      }
      MatrixView matrix;
      matrix.type = WeightType::kMxfp4;
      matrix.rows = 16;
      matrix.columns = 32;
      matrix.mxfp4 = {bytes.data() + 1, bytes.data(), 17, 17, 17, 17, order};
      const Packed packed = Pack({&matrix});
      ASSERT_EQ(packed.fits, scale >= 2 && scale < 253) << scale;
      if (packed.fits && scale < 230) {  // larger ones overflow times 32,639
        CheckWeights(matrix, packed);
      }
    }
  }
}

TEST(PackGroup, AZeroBlockOfTheSmallestScaleHasAPlace) {
  std::vector<std::byte> bytes(17, std::byte{0x80});
  bytes[0] = std::byte{0};
  MatrixView matrix;
  matrix.type = WeightType::kMxfp4;
  matrix.rows = 1;
  matrix.columns = 32;
  matrix.mxfp4 = {bytes.data() + 1, bytes.data(), 17, 17, 17, 17, NibbleOrder::kHalves};
  const Packed packed = Pack({&matrix});
  ASSERT_TRUE(packed.fits);
  EXPECT_EQ(Multiply(kReferenceKernels, packed, std::vector<float>(32, 1.0F), 0, 1,
                     ActivationBits::k16)[0],
            0.0F);
}

TEST(PackGroup, KeepsEveryQ8Code) {
  std::vector<std::byte> blocks(16 * 34);
  for (std::size_t row = 0; row < 16; ++row) {
    blocks[row * 34 + 1] = static_cast<std::byte>(0x20 + row);
    for (std::size_t j = 0; j < 32; ++j) {
      blocks[row * 34 + 2 + j] = static_cast<std::byte>(row * 32 + j);
    }
  }
  MatrixView matrix;
  matrix.type = WeightType::kQ8_0;
  matrix.rows = 16;
  matrix.columns = 32;
  matrix.row_stride = 34;
  matrix.data = blocks.data();
  const Packed packed = Pack({&matrix});
  ASSERT_TRUE(packed.fits);
  CheckWeights(matrix, packed);
  blocks[1] = std::byte{0x7C};  // an infinite scale
  EXPECT_FALSE(Pack({&matrix}).fits);
}

TEST(PackGroup, RowsOfTwoMatricesTakeTurns) {
  RandomWeights random(9);
  const MatrixView gate = random.Matrix(WeightType::kMxfp4, NibbleOrder::kHalves, 21, 64);
  const MatrixView up = random.Matrix(WeightType::kMxfp4, NibbleOrder::kHalves, 21, 64);
  const std::vector<float> x = Activations(64, 3);
  const auto run = [&](const Packed& packed) {
    return Multiply(kReferenceKernels, packed, x, 0, 1, ActivationBits::k16);
  };
  const std::vector<float> both = run(Pack({&gate, &up}));
  const std::vector<float> gates = run(Pack({&gate}));
  const std::vector<float> ups = run(Pack({&up}));
  for (std::size_t o = 0; o < 21; ++o) {
    EXPECT_EQ(both[2 * o], gates[o]);
    EXPECT_EQ(both[2 * o + 1], ups[o]);
  }
}

TEST(PackedLinear, IsAsCloseAsItsBitsSay) {
  RandomWeights random(10);
  const MatrixView matrix = random.Matrix(WeightType::kQ8_0, NibbleOrder::kHalves, 64, 960);
  const Packed packed = Pack({&matrix});
  std::vector<float> x = Activations(960, 4);
  for (const auto& [bits, tolerance] :
       {std::pair{ActivationBits::k16, 3e-4}, std::pair{ActivationBits::k8, 6e-2},
        std::pair{ActivationBits::kBf16, 4e-3}}) {
    const std::vector<float> out = Multiply(kReferenceKernels, packed, x, 0, 1, bits);
    std::vector<float> weights(960);
    double wrong = 0;
    double size = 0;
    for (std::size_t o = 0; o < 64; ++o) {
      DequantizeRow(matrix, o, 0, weights);
      double expected = 0;
      for (std::size_t k = 0; k < 960; ++k) {
        expected += double{x[k]} * double{weights[k]};
      }
      wrong += (expected - double{out[o]}) * (expected - double{out[o]});
      size += expected * expected;
    }
    EXPECT_LT(std::sqrt(wrong / size), tolerance);
    EXPECT_GT(std::sqrt(wrong / size), tolerance / 1000);
  }
}

// ---- bfloat16 ----

// As VDPBF16PS adds (avx512_bf16.cc), of finite numbers without subnormals.
std::vector<float> InOrderOfVdpbf16ps(const MatrixView& matrix, const std::vector<float>& x) {
  std::vector<float> out;
  std::vector<float> weights(matrix.columns);
  const auto round = [](float value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(RoundToBf16(value)) << 16);
  };
  for (std::size_t o = 0; o < matrix.rows; ++o) {
    DequantizeRow(matrix, o, 0, weights);
    float sums[4] = {};
    for (std::uint32_t at = 0; at < weights.size(); at += 2) {
      float& sum = sums[at / 2 % 4];
      for (const std::uint32_t place : {at + 1, at}) {
        const std::uint32_t k = place / 32 * 32 + Bf16Column(place % 32);
        sum = std::fma(round(x[k]), round(weights[k]), sum);
      }
    }
    out.push_back((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
  return out;
}

double Distance(const std::vector<float>& actual, const std::vector<float>& expected) {
  double wrong = 0;
  double size = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    wrong += std::pow(double{actual[i]} - double{expected[i]}, 2);
    size += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(wrong / size);
}

TEST_P(PackedKernels, AddBfloat16InTheirOrderAndRowsStandAlone) {
  const bool own_order = std::string(GetParam()->name) == "avx512bf16";
  RandomWeights random(11);
  for (const WeightType type : {WeightType::kMxfp4, WeightType::kQ8_0, WeightType::kBF16,
                                WeightType::kF16, WeightType::kF32}) {
    for (const std::size_t columns : {32U, 96U, 544U, 800U}) {
      for (const std::size_t outputs : {1U, 16U, 37U, 64U}) {
        const MatrixView matrix = random.Matrix(type, NibbleOrder::kHalves, outputs, columns);
        const Packed packed = Pack({&matrix}, DenseWeights::kBf16);
        ASSERT_TRUE(packed.fits);
        constexpr std::size_t kRows = 133;  // more than a table takes together
        const std::vector<float> x = Activations(kRows * columns, 5);
        const std::vector<float> bias = Activations(outputs, 6);
        const std::vector<float> reference =
            Multiply(kReferenceKernels, packed, x, 0, kRows, ActivationBits::kBf16, bias);
        const std::vector<float> all =
            Multiply(*GetParam(), packed, x, 0, kRows, ActivationBits::kBf16, bias);
        if (own_order) {
          EXPECT_LT(Distance(all, reference), 1e-6);
          std::vector<float> first = Multiply(*GetParam(), packed, x, 0, 1, ActivationBits::kBf16);
          first.resize(outputs);  // behind it stands the guard
          EXPECT_EQ(first, InOrderOfVdpbf16ps(matrix, x));
        } else {
          EXPECT_EQ(all, reference) << outputs << " x " << columns;
        }
        for (const std::size_t rows :
             {1U, 2U, 3U, 4U, 5U, 15U, 16U, 17U, 31U, 33U, 48U, 50U, 70U, 113U, 128U, 129U}) {
          const std::vector<float> some =
              Multiply(*GetParam(), packed, x, kRows - rows, rows, ActivationBits::kBf16, bias);
          ASSERT_EQ(std::memcmp(some.data(), &all[(kRows - rows) * (outputs + 1)],
                                some.size() * sizeof(float)),
                    0)
              << outputs << " x " << columns << ", rows " << rows;
        }
      }
    }
  }
}

// What the instructions do to numbers that are not ordinary: subnormals are zero, infinities and
// NaN go through.
TEST_P(PackedKernels, DefineWhatHappensToOddBfloat16) {
  std::vector<std::uint16_t> weights(2 * 64, 0x3F80);  // ones
  weights[5] = 0x0040;                                 // subnormal
  weights[64 + 6] = 0x0080;                            // 2^-126
  MatrixView matrix;
  matrix.type = WeightType::kBF16;
  matrix.rows = 2;
  matrix.columns = 64;
  matrix.row_stride = 128;
  matrix.data = reinterpret_cast<const std::byte*>(weights.data());
  const Packed packed = Pack({&matrix}, DenseWeights::kBf16);
  ASSERT_TRUE(packed.fits);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto run = [&](std::size_t column, float x) {
    std::vector<float> row(64, 0.0F);
    row[column] = x;
    return Multiply(*GetParam(), packed, row, 0, 1, ActivationBits::kBf16);
  };
  EXPECT_EQ(run(5, 1e38F)[0], 0.0F);            // the weight is zero
  EXPECT_EQ(run(6, 0.5F)[1], 0.0F);             // the product is
  EXPECT_EQ(run(6, 2.0F)[1], 0x1p-125F);        // and is not
  EXPECT_EQ(run(7, 1e-39F)[0], 0.0F);           // the activation is
  EXPECT_EQ(run(7, 3.4028e38F)[0], kInfinity);  // rounded up
  EXPECT_EQ(run(7, 1.00390625F)[0], 1.0F);      // ties to even
  EXPECT_EQ(run(7, 1.01171875F)[0], 1.015625F);
  EXPECT_EQ(run(7, -kInfinity)[0], -kInfinity);
  EXPECT_TRUE(std::isnan(run(7, NAN)[0]));
}

TEST(PackGroup, Bfloat16ThatIsNotFiniteHasNoPlace) {
  std::vector<std::uint16_t> weights(32, 0x3F80);
  MatrixView matrix;
  matrix.type = WeightType::kBF16;
  matrix.rows = 1;
  matrix.columns = 32;
  matrix.row_stride = 64;
  matrix.data = reinterpret_cast<const std::byte*>(weights.data());
  EXPECT_TRUE(Pack({&matrix}, DenseWeights::kBf16).fits);
  weights[31] = 0x7F80;
  EXPECT_FALSE(Pack({&matrix}, DenseWeights::kBf16).fits);
  weights[31] = 0x7FC0;
  EXPECT_FALSE(Pack({&matrix}, DenseWeights::kBf16).fits);
}

INSTANTIATE_TEST_SUITE_P(All, PackedKernels, testing::ValuesIn(TestedKernels()),
                         [](const auto& test) { return TestedName(*test.param); });

}  // namespace
}  // namespace safeguard::engine::cpu
