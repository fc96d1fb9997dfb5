// Every kernel table built into this binary that this processor runs, and the AVX-512 and AMX
// sources over emulated instructions, must agree with the reference within what their arithmetic
// allows: a linear layer's error is bounded by its precision times |x| |w| (Cauchy-Schwarz).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/encoder/aligned_bytes.h"
#include "engine/encoder/kernels/emulated/emulated.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/encoder/kernels/self_check.h"

namespace safeguard::engine {
namespace {

struct Candidate {
  std::string name;
  const KernelTable* table;
  bool emulated;
};

std::string NameOf(const KernelTable& table) {
  return std::string(table.name) + (table.precision == Precision::k8Bit ? "_8bit" : "");
}

std::vector<Candidate> Candidates() {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < AllKernels().count; ++i) {
    candidates.push_back({NameOf(*AllKernels().tables[i]), AllKernels().tables[i], false});
  }
  for (const KernelTable* table : EmulatedKernels()) {
    candidates.push_back({"emulated_" + NameOf(*table), table, true});
  }
  return candidates;
}

class Kernels : public testing::TestWithParam<Candidate> {
 protected:
  void SetUp() override {
    if (!GetParam().emulated && !table().supported()) {
      GTEST_SKIP() << GetParam().name << " is not supported by this CPU";
    }
  }
  static const KernelTable& table() { return *GetParam().table; }
  static bool bytes() { return table().precision == Precision::k8Bit; }
};

std::vector<float> Normal(std::size_t count, unsigned seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = normal(random) * scale;
  }
  return numbers;
}

struct LinearCase {
  std::size_t rows;
  std::size_t outputs;
  std::size_t inputs;
  std::vector<float> x;
  std::vector<float> weights;
  std::vector<float> bias;
  InputKind kind = InputKind::kHidden;
};

LinearCase NormalCase(std::size_t rows, std::size_t outputs, std::size_t inputs) {
  return {rows,
          outputs,
          inputs,
          Normal(rows * inputs, 1),
          Normal(outputs * inputs, 2, 0.05F),
          Normal(outputs, 3)};
}

// The weights and the columns of the result in two slices, as the forward pass does it.
std::vector<float> RunLinear(const KernelTable& table, const LinearCase& c) {
  AlignedBytes packed(table.packed_bytes(c.outputs, c.inputs, c.kind));
  AlignedBytes prepared(table.prepared_bytes(c.rows, c.inputs, c.kind));
  const std::size_t half = RoundUp(c.outputs / 2, kWidthQuantum);
  std::vector<float> bias = c.bias;
  for (const auto& [first, end] : {std::pair(half, c.outputs), std::pair(std::size_t{0}, half)}) {
    table.pack_weights({c.weights.data() + first * c.inputs, bias.data() + first, first,
                        end - first, c.outputs, c.inputs, c.kind, packed.data()});
  }
  std::vector<float> x = c.x;
  PrepareTask prepare{x.data(), c.inputs, c.rows, c.inputs, c.kind, 0, c.inputs, prepared.data()};
  if (c.kind == InputKind::kInner) {
    for (std::size_t begin = 0; begin < c.inputs; begin += table.inner_block) {
      prepare.x = x.data() + begin;
      prepare.column_begin = begin;
      prepare.columns = std::min(table.inner_block, c.inputs - begin);
      table.prepare_gelu(prepare);
    }
  } else {
    table.prepare_rows(prepare);
  }
  std::vector<float> out(c.rows * c.outputs, 777.0F);
  for (const auto& [first, end] : {std::pair(std::size_t{0}, half), std::pair(half, c.outputs)}) {
    table.multiply({packed.data(), bias.data(), c.outputs, c.inputs, c.kind, first, end,
                    prepared.data(), c.rows, out.data() + first, c.outputs});
  }
  return out;
}

double Gelu(double x) {
  return x * std::erfc(-x * M_SQRT1_2) / 2;
}

double Norm(const float* x, std::size_t count) {
  double square = 0;
  for (std::size_t i = 0; i < count; ++i) {
    square += double{x[i]} * double{x[i]};
  }
  return std::sqrt(square);
}

// The largest error over |x| |w| + |bias|, against sums in binary64.
double LinearError(const KernelTable& table, const LinearCase& c) {
  const std::vector<float> actual = RunLinear(table, c);
  std::vector<float> inputs = c.x;
  if (c.kind == InputKind::kInner) {
    std::ranges::transform(inputs, inputs.begin(),
                           [](float x) { return static_cast<float>(Gelu(double{x})); });
  }
  double worst = 0;
  for (std::size_t r = 0; r < c.rows; ++r) {
    for (std::size_t o = 0; o < c.outputs; ++o) {
      const float* x = inputs.data() + r * c.inputs;
      const float* w = c.weights.data() + o * c.inputs;
      double expected = double{c.bias[o]};
      for (std::size_t i = 0; i < c.inputs; ++i) {
        expected += double{x[i]} * double{w[i]};
      }
      const double bound = Norm(x, c.inputs) * Norm(w, c.inputs) + std::fabs(double{c.bias[o]});
      const double error = std::fabs(double{actual[r * c.outputs + o]} - expected);
      worst = std::max(worst, bound > 0 ? error / bound : error);
    }
  }
  return worst;
}

// int16: a number is off by at most half a step, largest / 3344 / 2; for normal numbers the largest
// of 192 is some 3 root mean squares, so x and w are each off by up to 4.5e-4 of their norm. bf16:
// half of 2^-8 for each. Bytes: half a step is largest / 127 / 2, some 0.013 root mean squares, and
// the error is spread evenly inside it: 0.007 of the norm for each of x and w, at most.
double Tolerance(const KernelTable& table) {
  if (table.precision == Precision::kFull) {
    return 1e-6;
  }
  if (table.precision == Precision::k8Bit) {
    return 0.014;
  }
  return std::string_view(table.name) == "amx" ? 4e-3 : 8e-4;
}

TEST_P(Kernels, LinearLayersOfAllShapesAgree) {
  double worst = 0;
  const std::pair<std::size_t, std::size_t> shapes[] = {
      {32, 32}, {64, 32}, {32, 64}, {96, 416}, {64, 768}, {384, 384}, {384, 1536}};
  for (const InputKind kind : {InputKind::kHidden, InputKind::kContext, InputKind::kInner}) {
    for (const auto& [outputs, inputs] : shapes) {
      for (const std::size_t rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 33}) {
        const bool large = outputs * inputs > 40'000;
        if (large && (kind == InputKind::kContext || (rows > 3 && rows != 13))) {
          continue;
        }
        LinearCase c = NormalCase(rows, outputs, inputs);
        c.kind = kind;
        const double error = LinearError(table(), c);
        EXPECT_LT(error, Tolerance(table())) << rows << "x" << outputs << "x" << inputs;
        worst = std::max(worst, error);
      }
    }
  }
  RecordProperty("worst_error_over_norms", std::to_string(worst));
  std::cout << GetParam().name << ": worst linear error " << worst << " of |x||w|\n";
}

// Sums of bytes are exact and everything else is done in one order, so no instruction set may give
// another bit than plain C++ does.
TEST_P(Kernels, BytesGiveTheSameBitsAsPlainCode) {
  if (!bytes() || GetParam().emulated) {
    GTEST_SKIP() << "not in bytes, or over an emulation that rounds a multiply-add twice";
  }
  for (const InputKind kind : {InputKind::kHidden, InputKind::kContext, InputKind::kInner}) {
    for (const std::size_t rows : {1, 5, 12, 15}) {
      LinearCase c = NormalCase(rows, 96, 416);
      c.kind = kind;
      EXPECT_EQ(RunLinear(table(), c), RunLinear(kPortableInt8Kernels, c)) << rows;
    }
  }
}

// A few channels at the end with values thirty times the others': the block of their own keeps them
// from costing the others their precision.
TEST_P(Kernels, OutlierChannelsDoNotDrownTheOthers) {
  LinearCase c = NormalCase(3, 32, 384);
  for (std::size_t r = 0; r < c.rows; ++r) {
    for (std::size_t i = 384 - kOutlierChannels; i < 384; ++i) {
      c.x[r * 384 + i] *= 30;
    }
  }
  for (std::size_t o = 0; o < c.outputs; ++o) {
    for (std::size_t i = 384 - kOutlierChannels; i < 384; ++i) {
      c.weights[o * 384 + i] = 0;
    }
  }
  // The outliers add nothing; measured against the norm of the rest.
  LinearCase rest = c;
  for (std::size_t r = 0; r < c.rows; ++r) {
    std::fill_n(rest.x.begin() + static_cast<std::ptrdiff_t>(r * 384 + 384 - kOutlierChannels),
                kOutlierChannels, 0.0F);
  }
  const std::vector<float> actual = RunLinear(table(), c);
  const std::vector<float> expected = RunLinear(kReferenceKernels, rest);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], bytes() ? 0.06F : table().name[1] == 'm' ? 0.02F : 0.04F);
  }
}

TEST_P(Kernels, LinearLayersTakeZeroHugeAndTinyNumbers) {
  for (const float scale : {0.0F, 1e-30F, 1e-18F, 1e15F}) {
    LinearCase c = NormalCase(5, 64, 416);
    for (float& x : c.x) {
      x *= scale;
    }
    std::ranges::fill(c.bias, 0.0F);
    EXPECT_LT(LinearError(table(), c), Tolerance(table())) << scale;
  }
  LinearCase extreme = NormalCase(3, 32, 384);
  std::ranges::fill(extreme.x, 1.0F);
  std::ranges::fill(extreme.weights, -1.0F);  // the most a 32-bit sum must hold
  std::ranges::fill(extreme.bias, 0.0F);
  for (const float sum : RunLinear(table(), extreme)) {
    EXPECT_NEAR(sum, -384.0F, 0.01F);
  }
}

TEST_P(Kernels, ARowIsTheSameBitsWhateverRowsAreBesideIt) {
  const LinearCase all = NormalCase(33, 64, 416);
  const std::vector<float> together = RunLinear(table(), all);
  for (std::size_t r = 0; r < all.rows; ++r) {
    for (const std::size_t rows : {1, 4}) {
      LinearCase some = all;
      some.rows = std::min<std::size_t>(rows, all.rows - r);
      some.x.assign(all.x.begin() + static_cast<std::ptrdiff_t>(r * all.inputs), all.x.end());
      const std::vector<float> apart = RunLinear(table(), some);
      ASSERT_EQ(std::memcmp(apart.data(), together.data() + r * all.outputs,
                            some.rows * all.outputs * sizeof(float)),
                0)
          << r;
    }
  }
}

std::vector<float> RunAttention(const KernelTable& table, const std::vector<float>& qkv,
                                std::size_t tokens, std::size_t head,
                                std::size_t queries = SIZE_MAX) {
  // NaN outside: a kernel must not read or keep what is not its own.
  std::vector<float> scratch(AttentionScratchFloats(tokens, head), std::nanf(""));
  std::vector<float> out(tokens * (head + 3), 777.0F);
  table.attention({qkv.data(), qkv.data() + head, qkv.data() + 2 * head, 3 * head, tokens,
                   std::min(tokens, queries), head, out.data(), head + 3, scratch.data()});
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t extra = 0; extra < 3; ++extra) {
      EXPECT_EQ(out[t * (head + 3) + head + extra], 777.0F);
    }
  }
  return out;
}

TEST_P(Kernels, AttentionAgreesAtAllLengths) {
  for (const std::size_t head : {32, 64}) {
    for (const std::size_t tokens : {1, 2, 3, 5, 6, 7, 8, 15, 16, 17, 31, 33, 64, 100, 131}) {
      for (const float scale : {1.0F, 6.0F}) {
        const std::vector<float> qkv =
            Normal(tokens * 3 * head, static_cast<unsigned>(tokens), scale);
        const std::vector<float> actual = RunAttention(table(), qkv, tokens, head);
        const std::vector<float> expected = RunAttention(kReferenceKernels, qkv, tokens, head);
        for (std::size_t i = 0; i < actual.size(); ++i) {
          // Scores of some hundred carry a few units of 2^-17 into the exponent. In bytes, a score
          // of |q||k| / sqrt(head) is off by some 1 % of that (scale 1: 0.05, scale 6: 2), and a
          // weight by that share of itself.
          ASSERT_NEAR(actual[i], expected[i],
                      bytes() ? (scale > 1 ? 4.0F * scale : 0.15F) : 2e-5F * scale * scale * scale)
              << tokens << " tokens, head " << head << ", at " << i;
        }
        if (bytes() && !GetParam().emulated) {
          EXPECT_EQ(actual, RunAttention(kPortableInt8Kernels, qkv, tokens, head));
        }
      }
    }
  }
}

TEST_P(Kernels, FewerQueriesGiveTheSameBitsInTheirRows) {
  for (const std::size_t tokens : {5, 40, 131}) {
    const std::vector<float> qkv = Normal(tokens * 96, static_cast<unsigned>(tokens));
    const std::vector<float> all = RunAttention(table(), qkv, tokens, 32);
    for (const std::size_t queries : {1, 2, 3, 5}) {
      const std::vector<float> some = RunAttention(table(), qkv, tokens, 32, queries);
      EXPECT_EQ(std::memcmp(some.data(), all.data(), queries * 35 * sizeof(float)), 0);
      for (std::size_t i = queries * 35; i < some.size(); ++i) {
        ASSERT_EQ(some[i], 777.0F);
      }
    }
  }
}

TEST_P(Kernels, AttentionOfVeryDifferentScoresStaysFinite) {
  const std::vector<float> qkv = Normal(17 * 96, 9, 1e6F);
  for (const float value : RunAttention(table(), qkv, 17, 32)) {
    EXPECT_TRUE(std::isfinite(value));
  }
}

TEST_P(Kernels, LayerNormAgrees) {
  for (const std::size_t width : {32, 96, 384, 768}) {
    for (const float shift : {0.0F, 100.0F}) {
      std::vector<float> a = Normal(3 * width, 1);
      const std::vector<float> b = Normal(3 * width, 2);
      const std::vector<float> weight = Normal(width, 3);
      const std::vector<float> bias = Normal(width, 4);
      for (float& value : a) {
        value += shift;
      }
      std::vector<float> actual(3 * width);
      std::vector<float> expected(3 * width);
      table().add_layer_norm(
          {a.data(), b.data(), weight.data(), bias.data(), 1e-12F, width, 3, actual.data()});
      kReferenceKernels.add_layer_norm(
          {a.data(), b.data(), weight.data(), bias.data(), 1e-12F, width, 3, expected.data()});
      for (std::size_t i = 0; i < actual.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], 1e-5F * (1 + shift)) << width << " at " << i;
      }
    }
  }
}

TEST_P(Kernels, GeluKeepsItsStatedError) {
  std::vector<float> x;
  for (int i = -20000; i < 20000; ++i) {
    x.push_back(static_cast<float>(i) * 5e-4F);
  }
  for (const float special : {0.0F, -0.0F, 1e-30F, -1e-30F, 50.0F, -50.0F, 1e10F, -1e10F}) {
    x.insert(x.end(), 4, special);
  }
  std::vector<float> actual = x;
  std::vector<float> expected = x;
  table().gelu(actual.data(), actual.size());
  kReferenceKernels.gelu(expected.data(), expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double scale = std::max(1.0, std::fabs(double{x[i]}));
    worst = std::max(worst, std::fabs(double{actual[i]} - double{expected[i]}) / scale);
  }
  EXPECT_LT(worst, bytes() ? 2.5e-4 : 3e-7);
}

TEST_P(Kernels, HalfPrecisionWidensExactly) {
  std::vector<std::byte> halves(2 * 65536 + 1);
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    std::memcpy(halves.data() + 1 + 2 * bits, &half, 2);  // at an odd address, as in real files
  }
  std::vector<float> actual(65536);
  table().widen_f16(halves.data() + 1, actual.size(), actual.data());
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const auto fraction = static_cast<float>(bits & 1023);
    if (exponent == 31) {
      EXPECT_FALSE(std::isfinite(actual[bits])) << bits;
      continue;
    }
    const float magnitude =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(actual[bits], (bits & 0x8000) != 0 ? -magnitude : magnitude) << bits;
  }
}

TEST_P(Kernels, PassesItsSelfCheck) {
  EXPECT_TRUE(AgreesWithReference(table()));
}

INSTANTIATE_TEST_SUITE_P(, Kernels, testing::ValuesIn(Candidates()),
                         [](const auto& candidate) { return candidate.param.name; });

TEST(SelfCheck, CatchesWrongKernels) {
  KernelTable wrong = kReferenceKernels;
  wrong.gelu = [](float* x, std::size_t count) { std::fill_n(x, count, 0.0F); };
  EXPECT_FALSE(AgreesWithReference(wrong));
  wrong = kReferenceKernels;
  wrong.attention = [](const AttentionTask& task) {
    AttentionTask fewer = task;
    --fewer.tokens;
    kReferenceKernels.attention(fewer);
  };
  EXPECT_FALSE(AgreesWithReference(wrong));
  wrong = kReferenceKernels;
  wrong.multiply = [](const MultiplyTask& task) {
    kReferenceKernels.multiply(task);
    task.out[task.out_stride * (task.rows - 1)] = 0;
  };
  EXPECT_FALSE(AgreesWithReference(wrong));
}

TEST(ChooseKernels, ForcedNamesAndTheDefault) {
  EXPECT_EQ(&ChooseKernels("reference", nullptr), &kReferenceKernels);
  EXPECT_EQ(&ChooseKernels("no such table", nullptr), &kReferenceKernels);
  EXPECT_EQ(&ChooseKernels("", nullptr), &kReferenceKernels);
  EXPECT_EQ(&ChooseKernels("avx512vnni", nullptr), &ChooseKernels("avx512", nullptr))
      << "a name of the reasoner's";
  EXPECT_TRUE(ChooseKernels(nullptr, nullptr).supported());
  for (std::size_t i = 0; i < AllKernels().count; ++i) {
    const KernelTable& table = *AllKernels().tables[i];
    EXPECT_STREQ(ChooseKernels(table.name, nullptr).name,
                 table.supported() ? table.name : "reference");
  }
}

TEST(ChooseKernels, ThePrecisionIsTheOneAskedFor) {
  EXPECT_EQ(ChooseKernels(nullptr, "8").precision, Precision::k8Bit);
  EXPECT_NE(ChooseKernels(nullptr, "16").precision, Precision::k8Bit);
  EXPECT_EQ(&ChooseKernels("reference", "8"), &kPortableInt8Kernels);
  EXPECT_EQ(&ChooseKernels("reference", "16"), &kReferenceKernels);
  EXPECT_EQ(&ChooseKernels("no such table", "8"), &kPortableInt8Kernels);
}

}  // namespace
}  // namespace safeguard::engine
