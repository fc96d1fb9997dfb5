// Every kernel table that this processor runs must read all weights exactly and agree with sums in
// binary64 within what binary32 allows; each number must have the same bits whatever else is
// computed with it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "engine/cpu/kernels/emulated/emulated.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/self_check.h"
#include "engine/cpu/kv_pages.h"
#include "engine/cpu/random_model.h"
#include "engine/model/dequantize.h"

namespace safeguard::engine::cpu {
namespace {

class Kernels : public testing::TestWithParam<const KernelTable*> {
 protected:
  void SetUp() override {
    if (kThreadSanitizer) {
      GTEST_SKIP() << "kernels know no threads";
    }
    if (!table().supported()) {
      GTEST_SKIP() << table().name << " is not supported by this CPU";
    }
  }
  static const KernelTable& table() { return *GetParam(); }
};

std::vector<float> Normal(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = normal(random);
  }
  return numbers;
}

// Rows [first, first + rows) of x times all rows of `matrix`.
std::vector<float> RunLinear(const KernelTable& table, const MatrixView& matrix,
                             const std::vector<float>& x, std::size_t first, std::size_t rows,
                             const float* bias) {
  const std::size_t padded = RoundUp(matrix.columns, kColumnQuantum);
  std::vector<WeightRow> weights(matrix.rows);
  for (std::size_t o = 0; o < matrix.rows; ++o) {
    weights[o] = matrix.type == WeightType::kMxfp4
                     ? WeightRow{matrix.mxfp4.codes + o * matrix.mxfp4.code_row_stride,
                                 matrix.mxfp4.scales + o * matrix.mxfp4.scale_row_stride}
                     : WeightRow{matrix.data + o * matrix.row_stride, nullptr};
  }
  std::vector<const float*> inputs(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    inputs[r] = x.data() + (first + r) * padded;
  }
  std::vector<float> out(rows * (matrix.rows + 1), 777.0F);
  std::vector<float> scratch(LinearScratchFloats(matrix.columns), NAN);
  table.linear({{matrix.type, matrix.mxfp4.order, matrix.mxfp4.code_stride,
                 matrix.mxfp4.scale_stride, matrix.columns},
                weights.data(),
                matrix.rows,
                bias,
                inputs.data(),
                rows,
                out.data(),
                matrix.rows + 1,
                scratch.data()});
  for (std::size_t r = 0; r < rows; ++r) {
    EXPECT_EQ(out[r * (matrix.rows + 1) + matrix.rows], 777.0F) << "wrote behind a row";
  }
  return out;
}

std::vector<float> PaddedRows(std::size_t rows, std::size_t columns, unsigned seed) {
  const std::size_t padded = RoundUp(columns, kColumnQuantum);
  std::vector<float> x = Normal(rows * padded, seed);
  for (std::size_t r = 0; r < rows; ++r) {
    std::fill(x.begin() + static_cast<std::ptrdiff_t>(r * padded + columns),
              x.begin() + static_cast<std::ptrdiff_t>((r + 1) * padded), 0.0F);
  }
  return x;
}

void CheckLinear(const KernelTable& table, const MatrixView& matrix, std::size_t rows) {
  SCOPED_TRACE(std::to_string(matrix.rows) + " x " + std::to_string(matrix.columns) + ", type " +
               std::to_string(static_cast<int>(matrix.type)) + ", rows " + std::to_string(rows));
  const std::size_t padded = RoundUp(matrix.columns, kColumnQuantum);
  const std::vector<float> x = PaddedRows(rows, matrix.columns, 5);
  const std::vector<float> bias = Normal(matrix.rows, 6);
  const std::vector<float> all = RunLinear(table, matrix, x, 0, rows, bias.data());
  std::vector<float> weights(matrix.columns);
  for (std::size_t o = 0; o < matrix.rows; ++o) {
    DequantizeRow(matrix, o, 0, weights);
    for (std::size_t r = 0; r < rows; ++r) {
      double expected = double{bias[o]};
      double size = std::fabs(expected);
      for (std::size_t k = 0; k < matrix.columns; ++k) {
        const double product = double{x[r * padded + k]} * double{weights[k]};
        expected += product;
        size += std::fabs(product);
      }
      ASSERT_NEAR(double{all[r * (matrix.rows + 1) + o]}, expected, 1e-6 * size) << o << ", " << r;
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const std::vector<float> one = RunLinear(table, matrix, x, r, 1, bias.data());
    ASSERT_EQ(
        std::memcmp(one.data(), all.data() + r * (matrix.rows + 1), matrix.rows * sizeof(float)), 0)
        << "row " << r << " depends on its neighbours";
  }
}

TEST_P(Kernels, LinearLayersOfAllShapesAndTypesAgreeAndRowsStandAlone) {
  for (const WeightType type : {WeightType::kF32, WeightType::kF16, WeightType::kBF16,
                                WeightType::kQ8_0, WeightType::kMxfp4}) {
    for (const NibbleOrder order : {NibbleOrder::kAdjacent, NibbleOrder::kHalves}) {
      const bool blocks = type == WeightType::kQ8_0 || type == WeightType::kMxfp4;
      RandomWeights random(7);
      for (const std::size_t columns : {32U, 60U, 96U, 801U, 1600U}) {
        if (blocks && columns % 32 != 0) {
          continue;
        }
        for (const std::size_t outputs : {1U, 5U, 24U, 31U}) {
          const MatrixView matrix = random.Matrix(type, order, outputs, columns);
          for (const std::size_t rows : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 33U}) {
            CheckLinear(table(), matrix, rows);
          }
        }
      }
    }
  }
}

// Multiplied by unit vectors, weights come out as they are.
void CheckExact(const KernelTable& table, const MatrixView& matrix) {
  std::vector<float> identity(32 * 32, 0.0F);
  for (std::size_t i = 0; i < 32; ++i) {
    identity[i * 33] = 1;
  }
  std::vector<float> weights(32);
  for (const std::size_t rows : {1U, 2U, 32U}) {
    for (std::size_t first = 0; first < 32; first += rows) {
      const std::vector<float> out = RunLinear(table, matrix, identity, first, rows, nullptr);
      for (std::size_t o = 0; o < matrix.rows; ++o) {
        DequantizeRow(matrix, o, 0, weights);
        for (std::size_t r = 0; r < rows; ++r) {
          ASSERT_EQ(out[r * (matrix.rows + 1) + o], weights[first + r])
              << "row " << o << ", column " << first + r;
        }
      }
    }
  }
}

TEST_P(Kernels, EveryMxfp4CodeAndFiniteScaleIsExact) {
  std::vector<std::byte> codes(256 * 17);
  for (const NibbleOrder order : {NibbleOrder::kAdjacent, NibbleOrder::kHalves}) {
    // The table proves all codes at five scales, and all scales at one.
    for (unsigned scale = 0; scale < 253; ++scale) {
      const bool all = scale < 2 || scale == 127 || scale == 200 || scale == 252;
      for (std::size_t row = 0; row < 256; ++row) {
        codes[row * 17] = static_cast<std::byte>(scale);
        for (std::size_t j = 0; j < 16; ++j) {
          codes[row * 17 + 1 + j] = static_cast<std::byte>(row + j * 17);
        }
      }
      MatrixView matrix;
      matrix.type = WeightType::kMxfp4;
      matrix.rows = all ? 256 : 1;
      matrix.columns = 32;
      matrix.mxfp4 = {codes.data() + 1, codes.data(), 17, 17, 17, 17, order};
      CheckExact(table(), matrix);
    }
  }
}

TEST_P(Kernels, AnMxfp4ScaleOf255IsNotANumber) {
  std::vector<std::byte> bytes(17, std::byte{0x22});
  bytes[0] = std::byte{255};
  MatrixView matrix;
  matrix.type = WeightType::kMxfp4;
  matrix.rows = 1;
  matrix.columns = 32;
  matrix.mxfp4 = {bytes.data() + 1, bytes.data(), 17, 17, 17, 17, NibbleOrder::kHalves};
  const std::vector<float> x(32, 1.0F);
  EXPECT_TRUE(std::isnan(RunLinear(table(), matrix, x, 0, 1, nullptr)[0]));
}

TEST_P(Kernels, EveryFiniteHalfAndBfloatAndQ8IsExact) {
  std::vector<std::uint16_t> all(65'536);
  for (const WeightType type : {WeightType::kF16, WeightType::kBF16}) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto bits = static_cast<std::uint16_t>(i);
      const float value = type == WeightType::kF16 ? Float16Value(bits) : Bfloat16Value(bits);
      all[i] = std::isfinite(value) ? bits : std::uint16_t{0};
    }
    MatrixView matrix;
    matrix.type = type;
    matrix.rows = 2048;
    matrix.columns = 32;
    matrix.row_stride = 64;
    matrix.data = reinterpret_cast<const std::byte*>(all.data());
    CheckExact(table(), matrix);
  }
  std::vector<std::byte> blocks(2048 * 34);
  for (std::size_t row = 0; row < 2048; ++row) {
    const auto scale = static_cast<std::uint16_t>((row & 1) << 15 | row % 15 << 11 | row);
    std::memcpy(&blocks[row * 34], &scale, 2);
    for (std::size_t j = 0; j < 32; ++j) {
      blocks[row * 34 + 2 + j] = static_cast<std::byte>(row * 32 + j);
    }
  }
  MatrixView matrix;
  matrix.type = WeightType::kQ8_0;
  matrix.rows = 2048;
  matrix.columns = 32;
  matrix.row_stride = 34;
  matrix.data = blocks.data();
  CheckExact(table(), matrix);
}

// Pages of random keys and values, one head.
struct KeyValues {
  KeyValues(std::size_t head_dim, KvType type, std::size_t positions)
      : shape{1, head_dim, type},
        keys(Normal(positions * head_dim, 11)),
        values(Normal(positions * head_dim, 12)) {
    bytes.resize((positions + kPagePositions - 1) / kPagePositions,
                 std::vector<std::byte>(shape.PageBytes()));
    for (std::size_t p = 0; p < positions; ++p) {
      WriteKeyValue(shape, bytes[p / kPagePositions].data(), 0, p % kPagePositions,
                    keys.data() + p * head_dim, values.data() + p * head_dim);
    }
    for (const auto& page : bytes) {
      pages.push_back(page.data());
    }
  }

  KvShape shape;
  std::vector<float> keys;
  std::vector<float> values;
  std::vector<std::vector<std::byte>> bytes;
  std::vector<const std::byte*> pages;
};

struct Attended {
  std::size_t group;
  std::size_t window;
  const KeyValues& kv;
  std::vector<float> query;  // by position: group * head_dim
  std::vector<float> sinks;

  // Tokens [first, first + count), `copies` times in one task.
  std::vector<float> Run(const KernelTable& table, std::size_t first, std::size_t count,
                         std::size_t copies = 1) const {
    const std::size_t dim = kv.shape.head_dim;
    const std::size_t width = group * dim;
    std::vector<float> out(copies * count * width);
    std::vector<AttentionRow> rows;
    for (std::size_t row = 0; row < copies * count * group; ++row) {
      const std::size_t token = first + row / group % count;
      rows.push_back({query.data() + token * width + row % group * dim, out.data() + row * dim,
                      token, sinks[row % group]});
    }
    const std::size_t reach = first + 1 < window ? 0 : first + 1 - window;
    std::vector<PageVisit> visits;
    for (std::size_t page = reach / kPagePositions; page * kPagePositions < first + count; ++page) {
      visits.push_back({kv.pages[page], page, 0, rows.size()});
    }
    std::vector<float> scratch(AttentionScratchFloats(rows.size(), dim), NAN);
    table.attention({rows.data(), rows.size(), visits.data(), visits.size(), dim, window,
                     kv.shape.type, scratch.data()});
    return out;
  }
};

TEST_P(Kernels, AttentionAgreesAndDoesNotDependOnHowItIsCut) {
  constexpr std::size_t kPositions = 200;
  for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kBf16}) {
    const bool rounds = type == KvType::kBf16 && table().fast_bf16;
    const float tolerance = rounds ? 1e-2F : 2e-5F;
    for (const std::size_t head_dim : {6U, 80U}) {
      const KeyValues kv(head_dim, type, kPositions);
      for (const std::size_t group : {1U, 8U}) {
        for (const std::size_t window : {std::size_t{1}, std::size_t{40}, std::size_t{128},
                                         std::numeric_limits<std::size_t>::max()}) {
          SCOPED_TRACE(testing::Message() << head_dim << ", group " << group << ", " << window);
          Attended task = {group, window, kv, Normal(kPositions * group * head_dim, 13),
                           Normal(group, 14)};
          for (float& x : task.query) {  // as models do: what is rounded is not blown up by e^
            x *= rounds ? 1 / std::sqrt(static_cast<float>(head_dim)) : 1;
          }
          const std::vector<float> whole = task.Run(table(), 0, kPositions);
          const std::vector<float> expected = task.Run(kReferenceKernels, 0, kPositions);
          for (std::size_t i = 0; i < whole.size(); ++i) {
            ASSERT_NEAR(whole[i], expected[i], tolerance) << i;
          }
          for (std::size_t first = 0, count = 1; first < kPositions; first += count, count += 7) {
            count = std::min(count, kPositions - first);
            const std::vector<float> part = task.Run(table(), first, count);
            ASSERT_EQ(std::memcmp(part.data(), whole.data() + first * group * head_dim,
                                  part.size() * sizeof(float)),
                      0)
                << "tokens " << first << " and " << count << " behind";
          }
        }
      }
    }
  }
}

// Rows of several sequences at once: what a row reads with others is what it reads alone.
TEST_P(Kernels, RowsThatShareAPageStandAlone) {
  for (const KvType type : {KvType::kF32, KvType::kBf16}) {
    const KeyValues kv(64, type, 150);
    const Attended task = {8, 100, kv, Normal(std::size_t{150} * 8 * 64, 13), Normal(8, 14)};
    const std::vector<float> one = task.Run(table(), 149, 1);
    const std::vector<float> many = task.Run(table(), 149, 1, 13);
    for (std::size_t copy = 0; copy < 13; ++copy) {
      ASSERT_EQ(
          std::memcmp(many.data() + copy * one.size(), one.data(), one.size() * sizeof(float)), 0)
          << copy;
    }
  }
}

TEST_P(Kernels, SinksAndScoresFarApartGiveNoInfinities) {
  KeyValues kv(16, KvType::kF32, 70);
  for (const float sink : {-1e4F, 1e4F}) {
    Attended task = {2, 64, kv, Normal(70 * 32, 15), {sink, sink}};
    for (float& q : task.query) {
      q *= 100;
    }
    const std::vector<float> actual = task.Run(table(), 0, 70);
    const std::vector<float> expected = task.Run(kReferenceKernels, 0, 70);
    for (std::size_t i = 0; i < actual.size(); ++i) {
      ASSERT_NEAR(actual[i], expected[i], 1e-3) << sink << ", " << i;
    }
  }
}

// Rounded queries make scores this large differ by more than can be compared with the reference.
TEST_P(Kernels, AttentionOverBfloat16StaysWithinItsValuesAndPassesNotANumberOn) {
  const KeyValues kv(16, KvType::kBf16, 70);
  const float most = std::fabs(*std::ranges::max_element(
      kv.values, [](float a, float b) { return std::fabs(a) < std::fabs(b); }));
  for (const float sink : {-1e4F, 1e4F}) {
    Attended task = {2, 64, kv, Normal(70 * 32, 15), {sink, sink}};
    for (float& q : task.query) {
      q *= 100;
    }
    const std::vector<float> whole = task.Run(table(), 0, 70);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      ASSERT_LE(std::fabs(whole[i]), sink < 0 ? 1.01F * most : 1e-6F) << i;
    }
    task.query[33 * 16] = NAN;  // of one row
    const std::vector<float> some = task.Run(table(), 0, 70);
    for (std::size_t i = 0; i < some.size(); ++i) {
      ASSERT_EQ(std::isnan(some[i]), i / 16 == 33) << i;
      ASSERT_TRUE(i / 16 == 33 || some[i] == whole[i]) << i;
    }
  }
}

TEST_P(Kernels, NormAndSwigluOfAllSizesAgree) {
  for (std::size_t width = 1; width < 150; ++width) {
    const std::vector<float> x = Normal(2 * width, 1);
    const std::vector<float> weight = Normal(width, 2);
    std::vector<float> out(width + 1, 777.0F);
    std::vector<float> expected(width + 1, 777.0F);
    table().rms_norm({x.data(), weight.data(), 1e-5F, width, out.data()});
    kReferenceKernels.rms_norm({x.data(), weight.data(), 1e-5F, width, expected.data()});
    for (std::size_t i = 0; i <= width; ++i) {
      ASSERT_NEAR(out[i], expected[i], 4e-6F * (1 + std::fabs(expected[i]))) << width;
    }
    table().swiglu({x.data(), width, 1.702F, 1.0F, out.data()});
    kReferenceKernels.swiglu({x.data(), width, 1.702F, 1.0F, expected.data()});
    for (std::size_t i = 0; i <= width; ++i) {
      ASSERT_NEAR(out[i], expected[i], 2e-6F) << width;
    }
  }
  // Gates have no lower clamp; the largest and smallest must not make infinities.
  const std::vector<float> ends = {-1e30F, 1, -90, 100, 1e30F, -1e30F, 0, 3};
  std::vector<float> out(4);
  std::vector<float> expected(4);
  table().swiglu({ends.data(), 4, 1.702F, 7.0F, out.data()});
  kReferenceKernels.swiglu({ends.data(), 4, 1.702F, 7.0F, expected.data()});
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_NEAR(out[i], expected[i], 1e-5F) << i;
  }
}

TEST_P(Kernels, CheckThemselves) {
  EXPECT_TRUE(AgreesWithReference(table()));
  if (TestedName(table()) == table().name) {  // not an emulated one
    EXPECT_EQ(&ChooseKernels(table().name), &table());
  }
}

TEST(ChooseKernels, AWrongKernelDoesNotPassTheSelfCheck) {
  KernelTable wrong = kReferenceKernels;
  wrong.swiglu = [](const SwigluTask& task) { std::fill_n(task.out, task.count, 0.5F); };
  EXPECT_FALSE(AgreesWithReference(wrong));
  wrong = kReferenceKernels;
  wrong.linear = [](const LinearTask& task) {
    LinearTask swapped = task;
    swapped.layout.order = NibbleOrder::kAdjacent;
    kReferenceKernels.linear(swapped);
  };
  EXPECT_FALSE(AgreesWithReference(wrong));
  EXPECT_EQ(&ChooseKernels("abacus"), &kReferenceKernels);
}

INSTANTIATE_TEST_SUITE_P(All, Kernels, testing::ValuesIn(TestedKernels()),
                         [](const auto& test) { return TestedName(*test.param); });

}  // namespace
}  // namespace safeguard::engine::cpu
