#include "engine/cpu/cpu_forward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/random_model.h"

namespace safeguard::engine {
namespace {

using cpu::kThreadSanitizer;
using cpu::NewRandomModel;
using cpu::RandomModel;
using cpu::SmallConfig;
using testing::HasSubstr;

std::unique_ptr<Forward> NewForward(const RandomModel& model, const CpuForwardOptions& options,
                                    ThreadPool& pool) {
  auto forward = NewCpuForward(model.config, model.weights, options, pool);
  EXPECT_TRUE(forward) << Describe(forward.error());
  return std::move(forward).value();
}

Status StepOnce(Forward& forward, SequenceId sequence, const std::vector<std::uint32_t>& tokens) {
  const SequenceStep step = {sequence, tokens, 0};
  return forward.Step({&step, 1}, {});
}

std::vector<float> LastLogits(const RandomModel& model, const char* kernels,
                              CpuPrecision precision) {
  ThreadPool pool(2);
  CpuForwardOptions options;
  options.kernels = kernels;
  options.precision = precision;
  const auto forward = NewForward(model, options, pool);
  const auto tokens = cpu::RandomTokens(150, model.config.vocabulary, 5);
  std::vector<float> logits(model.config.vocabulary * 3);
  const SequenceStep step = {forward->NewSequence(), tokens, 3};
  const Status status = forward->Step({&step, 1}, logits);
  EXPECT_TRUE(status) << Describe(status.error());
  return logits;
}

double RelativeDifference(const std::vector<float>& actual, const std::vector<float>& expected) {
  double most = 0;
  double magnitude = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_TRUE(std::isfinite(actual[i]) && std::isfinite(expected[i]));
    most = std::max(most, std::fabs(double{actual[i]} - double{expected[i]}));
    magnitude = std::max(magnitude, std::fabs(double{expected[i]}));
  }
  return most / magnitude;
}

void CheckAllKernels(const RandomModel& model, const std::string& name) {
  if (kThreadSanitizer) {
    GTEST_SKIP() << "the invariance tests show the same threads at work";
  }
  SCOPED_TRACE(name);
  const auto expected = LastLogits(model, "reference", CpuPrecision::kF32);
  for (std::size_t i = 0; i < cpu::AllKernels().count; ++i) {
    const cpu::KernelTable& table = *cpu::AllKernels().tables[i];
    if (!table.supported()) {
      continue;
    }
    EXPECT_LT(RelativeDifference(LastLogits(model, table.name, CpuPrecision::kF32), expected), 5e-5)
        << table.name;
    EXPECT_LT(RelativeDifference(LastLogits(model, table.name, CpuPrecision::kHalfCache), expected),
              5e-2)
        << table.name;
  }
}

// One token goes to experts_per_token experts of each layer, several to no more than there are, and
// every step reads them again; the last layer's only for logits.
TEST(CpuForward, CountsTheExpertsThatStepsRead) {
  const RandomModel model = NewRandomModel(SmallConfig(), WeightType::kBF16, {}, 1);
  ThreadPool pool(1);
  const auto forward = NewForward(model, {}, pool);
  const SequenceId sequence = forward->NewSequence();
  EXPECT_EQ(forward->ExpertReads(), 0U);
  const std::uint64_t one = (model.config.layers - 1) * model.config.experts_per_token;
  for (std::uint64_t step = 1; step <= 3; ++step) {
    ASSERT_TRUE(StepOnce(*forward, sequence, {7}));
    EXPECT_EQ(forward->ExpertReads(), step * one);
  }
  ASSERT_TRUE(StepOnce(*forward, sequence, cpu::RandomTokens(100, model.config.vocabulary, 5)));
  const std::uint64_t many = forward->ExpertReads() - 3 * one;
  EXPECT_GT(many, one);
  EXPECT_LE(many, (model.config.layers - 1) * model.config.experts);
  std::vector<float> logits(model.config.vocabulary);
  const std::vector<std::uint32_t> token = {7};
  const SequenceStep step = {sequence, token, 1};
  const std::uint64_t before = forward->ExpertReads();
  ASSERT_TRUE(forward->Step({&step, 1}, logits));
  EXPECT_EQ(forward->ExpertReads() - before, one + model.config.experts_per_token);
}

// An observer sees all rows of all layers, so that nothing is left out.
TEST(CpuForward, RowsWithoutLogitsLeaveTheLastLayerWithoutATrace) {
  const RandomModel model = NewRandomModel(SmallConfig(), WeightType::kBF16, {}, 1);
  ThreadPool pool(2);
  const auto logits_of = [&](const CpuForwardOptions& options) {
    const auto forward = NewForward(model, options, pool);
    const auto tokens = cpu::RandomTokens(100, model.config.vocabulary, 5);
    const std::span<const std::uint32_t> all = tokens;
    const SequenceStep steps[] = {{forward->NewSequence(), all.first(40), 2},
                                  {forward->NewSequence(), all.subspan(10, 70), 0},
                                  {forward->NewSequence(), all.last(5), 5}};
    std::vector<float> logits(model.config.vocabulary * 7);
    EXPECT_TRUE(forward->Step(steps, logits));
    const SequenceStep next[] = {{steps[1].sequence, all.last(3), 1}};  // its keys are all there
    std::vector<float> behind(model.config.vocabulary);
    EXPECT_TRUE(forward->Step(next, behind));
    logits.insert(logits.end(), behind.begin(), behind.end());
    return logits;
  };
  CpuForwardOptions observed;
  observed.residual_observer = [](std::size_t, std::span<const float>) {};
  EXPECT_EQ(logits_of({}), logits_of(observed));
}

TEST(CpuForward, KernelsAgreeOnModelsOfAllTypes) {
  for (const WeightType type :
       {WeightType::kF32, WeightType::kF16, WeightType::kBF16, WeightType::kQ8_0}) {
    for (const NibbleOrder order : {NibbleOrder::kAdjacent, NibbleOrder::kHalves}) {
      CheckAllKernels(NewRandomModel(SmallConfig(), type, order, 3),
                      "type " + std::to_string(static_cast<int>(type)));
    }
  }
}

TEST(CpuForward, KernelsAgreeOnModelsOfUnusualShapes) {
  GptOssConfig odd = SmallConfig();  // 5 query heads on each of 3, 10 wide: 150 columns
  odd.heads = 15;
  odd.kv_heads = 3;
  odd.head_dim = 10;
  CheckAllKernels(NewRandomModel(odd, WeightType::kBF16, NibbleOrder::kAdjacent, 4), "odd heads");
  GptOssConfig full = SmallConfig();  // no sliding layer, plain rope, one expert a token
  full.sliding.assign(full.layers, false);
  full.rope.factor = 1;
  full.experts_per_token = 1;
  CheckAllKernels(NewRandomModel(full, WeightType::kBF16, NibbleOrder::kAdjacent, 5), "full");
  GptOssConfig many = SmallConfig();  // all layers slide over one key; all of 128 experts
  many.sliding.assign(many.layers, true);
  many.sliding_window = 1;
  many.experts = 128;
  many.experts_per_token = 128;
  CheckAllKernels(NewRandomModel(many, WeightType::kBF16, NibbleOrder::kAdjacent, 6), "many");
}

TEST(CpuForward, GateAndUpOfDifferentTypesWork) {
  RandomModel model = NewRandomModel(SmallConfig(), WeightType::kBF16, NibbleOrder::kHalves, 7);
  for (LayerWeights& layer : model.weights.layers) {
    for (ExpertWeights& expert : layer.experts) {
      expert.up = model.storage->Matrix(WeightType::kQ8_0, NibbleOrder::kHalves, expert.up.rows,
                                        expert.up.columns);
    }
  }
  CheckAllKernels(model, "mixed");
}

class CpuForwardLimits : public testing::Test {
 protected:
  RandomModel model_ = NewRandomModel(SmallConfig(), WeightType::kBF16, NibbleOrder::kAdjacent, 8);
  ThreadPool pool_{1};
};

TEST_F(CpuForwardLimits, SlidingLayersKeepTheirWindowOnly) {
  CpuForwardOptions half;
  half.precision = CpuPrecision::kHalfCache;
  const auto forward = NewForward(model_, half, pool_);
  const SequenceId id = forward->NewSequence();
  ASSERT_TRUE(StepOnce(*forward, id, cpu::RandomTokens(640, 101, 1)));
  EXPECT_EQ(forward->Length(id), 640U);
  // binary16; one full layer with 10 pages, two sliding ones with what 40 + 64 positions reach.
  EXPECT_EQ(forward->CacheBytes(), 14U * 2 * 64 * (16 + 16) * 2);
  forward->Drop(id);
  EXPECT_EQ(forward->CacheBytes(), 0U);
}

TEST_F(CpuForwardLimits, BadTokensAndLongSequencesChangeNothing) {
  const auto forward = NewForward(model_, {}, pool_);
  const SequenceId a = forward->NewSequence();
  const SequenceId b = forward->NewSequence();
  const std::vector<std::uint32_t> good = {1, 2};
  const std::vector<std::uint32_t> bad = {1, 101};
  const SequenceStep steps[] = {{a, good, 0}, {b, bad, 0}};
  const Status status = forward->Step(steps, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(status.error().message, HasSubstr("token 101 is outside the vocabulary of 101"));
  EXPECT_EQ(forward->Length(a), 0U);
  const Status over = StepOnce(*forward, a, std::vector<std::uint32_t>(4097, 0));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, ErrorCode::kLimit);
  EXPECT_EQ(forward->Length(a), 0U);
  EXPECT_EQ(forward->CacheBytes(), 0U);
}

TEST_F(CpuForwardLimits, MemoryOverTheLimitIsRefusedBeforeAnythingChanges) {
  CpuForwardOptions options;
  options.cache_bytes_max = std::size_t{9} * 2 * 64 * 32 * 4;  // 9 pages
  const auto forward = NewForward(model_, options, pool_);
  const SequenceId id = forward->NewSequence();
  ASSERT_TRUE(StepOnce(*forward, id, cpu::RandomTokens(100, 101, 1)));
  const std::size_t before = forward->CacheBytes();
  const SequenceId other = forward->Fork(id);
  const Status status = StepOnce(*forward, other, cpu::RandomTokens(200, 101, 1));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kLimit);
  EXPECT_EQ(forward->CacheBytes(), before);
  EXPECT_EQ(forward->Length(other), 100U);
  EXPECT_TRUE(StepOnce(*forward, other, {1}));
}

TEST_F(CpuForwardLimits, UnknownKernelsAreAnError) {
  CpuForwardOptions options;
  options.kernels = "abacus";
  const auto forward = NewCpuForward(model_.config, model_.weights, options, pool_);
  ASSERT_FALSE(forward);
  EXPECT_THAT(forward.error().message, HasSubstr("abacus"));
}

}  // namespace
}  // namespace safeguard::engine
