// The golden checkpoints: logits that PyTorch computed in binary32 from the same files.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "engine/cpu/cpu_forward.h"
#include "engine/cpu/kernels/emulated/emulated.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/random_model.h"
#include "engine/model/checkpoint.h"
#include "engine/model/safetensors.h"

namespace safeguard::engine {
namespace {

std::string GoldenFolder() {
  const char* shared = std::getenv("SAFEGUARD_SHARED");
  return (shared != nullptr ? std::string(shared) : SAFEGUARD_SOURCE_DIR "/../shared") +
         "/goldens/checkpoints";
}

template <typename T>
std::vector<T> Values(const Safetensors& file, const std::string& name) {
  for (const TensorEntry& entry : file.entries()) {
    if (entry.name == name) {
      const auto bytes = file.BytesOf(entry);
      std::vector<T> values(bytes.size() / sizeof(T));
      std::memcpy(values.data(), bytes.data(), bytes.size());
      return values;
    }
  }
  return {};
}

struct Case {
  std::string checkpoint;
  const cpu::KernelTable* kernels;
  CpuPrecision precision;
};

double Norm(const std::vector<float>& x) {
  double square = 0;
  for (const float value : x) {
    square += double{value} * double{value};
  }
  return std::sqrt(square);
}

struct Difference {
  double largest;   // over the largest magnitude
  double distance;  // norm of the difference over the norm
};

Difference Compare(const std::vector<float>& actual, const std::vector<float>& expected) {
  std::vector<float> delta(actual.size());
  float most = 0;
  float magnitude = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    delta[i] = actual[i] - expected[i];
    most = std::isfinite(delta[i]) ? std::max(most, std::fabs(delta[i])) : HUGE_VALF;
    magnitude = std::max(magnitude, std::fabs(expected[i]));
  }
  return {double{most} / double{magnitude}, Norm(delta) / Norm(expected)};
}

class ForwardGolden : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (cpu::kThreadSanitizer) {
      GTEST_SKIP() << "the invariance tests show the same threads at work";
    }
    if (!GetParam().kernels->supported()) {
      GTEST_SKIP() << GetParam().kernels->name << " is not supported by this CPU";
    }
    const std::string folder = GoldenFolder() + "/" + GetParam().checkpoint;
    if (!std::filesystem::exists(folder)) {
      GTEST_SKIP() << "NO GOLDENS: " << folder << " does not exist; set SAFEGUARD_SHARED";
    }
    auto checkpoint = Checkpoint::Open(folder);
    ASSERT_TRUE(checkpoint) << Describe(checkpoint.error());
    checkpoint_ = std::move(*checkpoint);
    auto golden = Safetensors::Open(folder + "/golden.safetensors");
    ASSERT_TRUE(golden) << Describe(golden.error());
    golden_ = std::move(*golden);
    for (const std::int64_t token : Values<std::int64_t>(*golden_, "tokens")) {
      tokens_.push_back(static_cast<std::uint32_t>(token));
    }
    ASSERT_FALSE(tokens_.empty());
    options_.precision = GetParam().precision;
    options_.table = GetParam().kernels;
  }

  // Logits of all the rows, with the file of packed weights that `cache` holds.
  std::vector<float> LogitsWithFile(const std::string& cache, PackedState& state) {
    CpuForwardOptions options = options_;
    options.packed_file.cache_folder = cache;
    options.packed_file.bytes_min = 0;
    const auto files = checkpoint_->files();
    options.weight_files.assign(files.begin(), files.end());
    PackedReport report;
    auto forward =
        NewCpuForward(checkpoint_->config(), checkpoint_->weights(), options, pool_, &report);
    EXPECT_TRUE(forward) << Describe(forward.error());
    state = report.state;
    return Step(**forward, (*forward)->NewSequence(), tokens_, tokens_.size());
  }
  std::unique_ptr<Forward> NewForward() {
    auto forward = NewCpuForward(checkpoint_->config(), checkpoint_->weights(), options_, pool_);
    EXPECT_TRUE(forward) << Describe(forward.error());
    return std::move(forward).value();
  }
  // The logits of the last rows, after `tokens`.
  std::vector<float> Step(Forward& forward, SequenceId sequence,
                          const std::vector<std::uint32_t>& tokens, std::size_t rows) {
    std::vector<float> logits(rows * checkpoint_->config().vocabulary);
    const SequenceStep step = {sequence, tokens, rows};
    const Status status = forward.Step({&step, 1}, logits);
    EXPECT_TRUE(status) << Describe(status.error());
    return logits;
  }
  [[nodiscard]] double Tolerance() const {
    switch (GetParam().precision) {
      case CpuPrecision::kF32:
        return 2e-5;
      case CpuPrecision::kInt16:
        return 5e-5;
      case CpuPrecision::kInt8:
      case CpuPrecision::kBf16:
        return 1e-1;
      default:
        return 1e-2;
    }
  }
  // Whether every choice must be PyTorch's, however close the second one is.
  [[nodiscard]] bool Exact() const {
    return GetParam().precision == CpuPrecision::kF32 ||
           GetParam().precision == CpuPrecision::kInt16;
  }

  ThreadPool pool_{2};
  CpuForwardOptions options_;
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<Safetensors> golden_;
  std::vector<std::uint32_t> tokens_;
};

std::size_t Largest(const float* logits, std::size_t count) {
  return static_cast<std::size_t>(std::max_element(logits, logits + count) - logits);
}

// How far the first of `count` logits is above the second.
float Gap(std::vector<float> logits) {
  std::nth_element(logits.begin(), logits.begin() + 1, logits.end(), std::greater<>());
  return logits[0] - logits[1];
}

TEST_P(ForwardGolden, LogitsAreThoseOfPyTorch) {
  const auto expected = Values<float>(*golden_, "logits");
  const std::size_t vocabulary = checkpoint_->config().vocabulary;
  ASSERT_GT(expected.size(), 0U);
  const std::size_t rows = expected.size() / vocabulary;
  const auto forward = NewForward();
  const auto actual = Step(*forward, forward->NewSequence(), tokens_, rows);
  ASSERT_EQ(actual.size(), expected.size());
  const auto [largest, distance] = Compare(actual, expected);
  RecordProperty("largest", std::to_string(largest));
  // With 8 bits another expert is chosen now and then: one row far off (0.19 on `wide`), not all.
  EXPECT_LT(largest, GetParam().precision == CpuPrecision::kInt8 ? 2.5e-1 : Tolerance());
  EXPECT_LT(distance, Tolerance());
  const auto magnitude =
      static_cast<float>(largest * double{std::fabs(*std::ranges::max_element(
                                       expected, {}, [](float x) { return std::fabs(x); }))});
  for (std::size_t row = 0; row < rows; ++row) {
    const float* wanted = expected.data() + row * vocabulary;
    if (Exact() || Gap({wanted, wanted + vocabulary}) > 2 * magnitude) {
      EXPECT_EQ(Largest(actual.data() + row * vocabulary, vocabulary), Largest(wanted, vocabulary))
          << "row " << row;
    }
  }
}

TEST_P(ForwardGolden, TheResidualAfterEachBlockIsPyTorchs) {
  if (Values<float>(*golden_, "residual_after_block_0").empty()) {
    GTEST_SKIP() << "this checkpoint stores no residuals";
  }
  std::vector<std::vector<float>> residuals(checkpoint_->config().layers);
  options_.residual_observer = [&](std::size_t layer, std::span<const float> residual) {
    residuals[layer].insert(residuals[layer].end(), residual.begin(), residual.end());
  };
  const auto forward = NewForward();
  Step(*forward, forward->NewSequence(), tokens_, 0);
  for (std::size_t layer = 0; layer < residuals.size(); ++layer) {
    const auto expected = Values<float>(*golden_, "residual_after_block_" + std::to_string(layer));
    ASSERT_EQ(residuals[layer].size(), expected.size());
    ASSERT_LT(Compare(residuals[layer], expected).largest, Tolerance())
        << "the first layer that differs is " << layer;
  }
}

TEST_P(ForwardGolden, AFileOfPackedWeightsGivesTheSameBits) {
  if (GetParam().precision == CpuPrecision::kF32) {
    GTEST_SKIP() << "binary32 packs nothing";
  }
  const std::string cache = testing::TempDir() + "/golden-packed-" + std::to_string(::getpid());
  const auto forward = NewForward();
  const auto expected = Step(*forward, forward->NewSequence(), tokens_, tokens_.size());
  for (const PackedState wanted : {PackedState::kMade, PackedState::kMapped}) {
    PackedState state = PackedState::kNone;
    const auto actual = LogitsWithFile(cache, state);
    EXPECT_EQ(state, wanted);
    EXPECT_EQ(0, std::memcmp(actual.data(), expected.data(), expected.size() * sizeof(float)));
  }
  std::filesystem::remove_all(cache);
}

TEST_P(ForwardGolden, GreedyContinuationIsPyTorchs) {
  const auto greedy = Values<std::int64_t>(*golden_, "greedy");
  if (greedy.empty()) {
    GTEST_SKIP() << "this checkpoint stores no continuation";
  }
  const auto forward = NewForward();
  const SequenceId sequence = forward->NewSequence();
  auto logits = Step(*forward, sequence, tokens_, 1);
  for (std::size_t i = 0; i < greedy.size(); ++i) {
    const float most =
        std::fabs(*std::ranges::max_element(logits, {}, [](float x) { return std::fabs(x); }));
    if (double{Gap(logits)} > 2 * Tolerance() * double{most} || Exact()) {
      ASSERT_EQ(Largest(logits.data(), logits.size()), static_cast<std::size_t>(greedy[i]))
          << "token " << i;
    }
    logits = Step(*forward, sequence, {static_cast<std::uint32_t>(greedy[i])}, 1);
  }
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const std::string checkpoint : {"small-window", "wide", "many-experts", "long-yarn"}) {
    for (const cpu::KernelTable* table : cpu::TestedKernels()) {
      const bool reference = table == &cpu::kReferenceKernels;
      const bool emulated = cpu::TestedName(*table) != table->name;
      // Thousands of positions in scalars take many seconds, and other tables show the same.
      if ((reference || emulated) && checkpoint == "long-yarn" &&
          cpu::BestKernels().name != std::string("reference")) {
        continue;
      }
      if (!emulated) {  // the kernels of another table
        cases.push_back({checkpoint, table, CpuPrecision::kF32});
      }
      // All tables give the same bits; the reference is slow.
      if (!reference || checkpoint == "small-window") {
        cases.push_back({checkpoint, table, CpuPrecision::kInt16});
      }
      // Among 128 experts two stand so close that any rounding of the cache swaps them.
      if (checkpoint != "many-experts" && !reference) {
        cases.push_back({checkpoint, table, CpuPrecision::kHalfCache});
        cases.push_back({checkpoint, table, CpuPrecision::kInt8});
        cases.push_back({checkpoint, table, CpuPrecision::kBf16});
      }
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, ForwardGolden, testing::ValuesIn(Cases()), [](const auto& test) {
  std::string name = test.param.checkpoint + "_" + cpu::TestedName(*test.param.kernels) +
                     (test.param.precision == CpuPrecision::kF32     ? "_f32"
                      : test.param.precision == CpuPrecision::kInt16 ? "_int16"
                      : test.param.precision == CpuPrecision::kInt8  ? "_int8"
                      : test.param.precision == CpuPrecision::kBf16  ? "_bf16"
                                                                     : "_half_cache");
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace safeguard::engine
