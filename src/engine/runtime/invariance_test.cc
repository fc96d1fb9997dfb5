// Same question, same answer: whatever the batch, the step budget, the prefix cache, the moment a
// request joins, and who is cancelled beside it. Simulated with seeds.
#include <gtest/gtest.h>

#include <mutex>
#include <random>
#include <thread>

#include "engine/runtime/fake_forward.h"
#include "engine/runtime/scheduler.h"
#include "engine/runtime/test_vocabulary.h"

namespace safeguard::engine {
namespace {

// Makes answers repeat themselves now and then, so that drafts are right and wrong.
constexpr float kRepetition = 8;

class InvarianceTest : public testing::Test {
 protected:
  void SetUp() override {
    grammars_ = {
        Grammar::FromJsonSchema(
            R"({"type":"object","properties":{"violation":{"enum":[0,1]},
                         "why":{"type":"string","maxLength":6}},"required":["violation","why"]})")
            .value(),
        Grammar::FromRegex("(in|final|vio)+[a-f]{2,9}").value(),
        Grammar::FromChoice(std::vector<std::string>{"VALID", "INVALID", "INVALID+"}).value()};
    std::mt19937 random(101);  // NOLINT(cert-msc*)
    for (int i = 0; i < 40; ++i) {
      requests_.push_back(RandomRequest(random));
    }
    for (const GenerationRequest& request : requests_) {
      expected_.push_back(RunAlone(request));
    }
  }

  GenerationRequest RandomRequest(std::mt19937& random) const {
    GenerationRequest request;
    const auto policy = static_cast<std::uint32_t>(random() % 3);
    request.prompt.assign(20 + 30 * policy, 'p' + policy);
    request.prefix_ends = {5, request.prompt.size()};
    for (std::size_t i = 1 + random() % 30; i > 0; --i) {
      request.prompt.push_back(static_cast<std::uint32_t>(random() % 256));
    }
    request.stop_tokens = {test::kReturn};
    request.tokens_max = 1 + random() % 40;
    request.sampling = {.temperature = random() % 2 == 0 ? 0 : 1.0,
                        .top_k = random() % 2 == 0 ? 0U : 20U,
                        .top_p = random() % 2 == 0 ? 1 : 0.9,
                        .min_p = random() % 2 == 0 ? 0 : 0.01,
                        .seed = random(),
                        .logit_bias = {{'q', 1.5F}},
                        .logprobs = true,
                        .top_logprobs = 0};
    if (random() % 2 == 0) {
      request.grammar = grammars_[random() % grammars_.size()];
    }
    if (random() % 2 == 0) {
      request.reasoning = ReasoningLimits{.tokens = test::kChannels, .tokens_max = random() % 9};
    }
    if (random() % 2 == 0) {
      request.probe = LabelProbe{.after = "",
                                 .labels = {"{\"violation\":0", "in", "VALID", "vio"},
                                 .stop = random() % 8 == 0,
                                 .relative = random() % 2 == 0};
    }
    request.sampling.logprobs = random() % 2 == 0;
    request.sampling.top_logprobs = request.sampling.logprobs ? 2 : 0;
    request.tenant = std::string(1, static_cast<char>('a' + random() % 3));
    request.priority = random() % 2 == 0 ? Priority::kBatch : Priority::kInteractive;
    return request;
  }

  GenerationResult RunAlone(const GenerationRequest& request) {
    GeneratorSettings settings;
    settings.sequences_max = 1;
    settings.step_tokens_max = 4096;
    settings.prefixes_max = 0;
    settings.drafts.mode = DraftSettings::Mode::kOff;
    test::FakeForward forward(test::kVocabulary);
    forward.repetition = kRepetition;
    Scheduler scheduler(forward, *vocabulary_, settings);
    GenerationResult alone;
    scheduler.Add(
        RequestId{1}, request, [&](GenerationResult result) { alone = std::move(result); },
        settings.now());
    while (scheduler.StepOnce()) {
    }
    EXPECT_NE(alone.finish, FinishReason::kError);
    return alone;
  }

  void ExpectSame(const GenerationResult& result, std::size_t i, const std::string& where) const {
    const GenerationResult& expected = expected_[i];
    EXPECT_EQ(result.finish, expected.finish) << where << ", request " << i;
    EXPECT_EQ(result.tokens, expected.tokens) << where << ", request " << i;  // doubles by value
    EXPECT_EQ(result.scores, expected.scores) << where << ", request " << i;
    EXPECT_EQ(result.final_begin, expected.final_begin) << where << ", request " << i;
    EXPECT_EQ(result.final_end, expected.final_end) << where << ", request " << i;
  }

  test::TestVocabulary vocabulary_;
  std::vector<std::shared_ptr<const Grammar>> grammars_;
  std::vector<GenerationRequest> requests_;
  std::vector<GenerationResult> expected_;
  std::uint64_t accepted_ = 0;
  std::uint64_t preempted_ = 0;
};

TEST_F(InvarianceTest, BatchBudgetCacheJoinsAndCancellations) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);  // NOLINT(cert-msc*)
    GeneratorSettings settings;
    settings.sequences_max = std::vector<std::size_t>{1, 8, 64}[seed % 3];
    settings.step_tokens_max = settings.sequences_max + (random() % 2 == 0 ? 0 : random() % 200);
    settings.prefixes_max = random() % 3 == 0 ? 0 : 1 + random() % 8;
    settings.drafts = {.mode = static_cast<DraftSettings::Mode>(random() % 3),
                       .tokens_max = 1 + random() % 9,
                       .batch_min = random() % 4,
                       .rows_max = 1 + random() % 60};
    // Where memory is short, requests are preempted, by Forward's limit or by the scheduler's.
    settings.cache_bytes_max = random() % 3 == 0 ? 500 + random() % 900 : 1 << 20;
    test::FakeForward forward(test::kVocabulary);
    forward.repetition = kRepetition;
    forward.bytes_max = random() % 3 == 0 ? 500 + random() % 900 : 1 << 20;
    const std::string where = "seed " + std::to_string(seed);
    std::size_t done = 0;
    {
      Scheduler scheduler(forward, *vocabulary_, settings);
      std::size_t added = 0;
      std::uint64_t decoys = 1000;
      bool busy = true;
      GeneratorCounters last;
      while (busy || added < requests_.size()) {
        for (std::size_t joins = random() % 4; joins > 0 && added < requests_.size(); --joins) {
          const std::size_t i = added++;
          scheduler.Add(
              static_cast<RequestId>(i + 1), requests_[i],
              [&, i](GenerationResult result) {
                ExpectSame(result, i, where);
                ++done;
              },
              settings.now());
        }
        if (random() % 3 == 0 && added < requests_.size()) {
          scheduler.Add(
              static_cast<RequestId>(++decoys), RandomRequest(random),
              [](const GenerationResult&) {}, settings.now());
        }
        busy = scheduler.StepOnce();
        last = scheduler.counters();
        if (random() % 3 == 0) {
          scheduler.Cancel(static_cast<RequestId>(1001 + random() % 20));
        }
      }
      accepted_ += last.accepted;
      preempted_ += last.preemptions;
    }
    EXPECT_EQ(done, requests_.size()) << where;
    EXPECT_EQ(forward.alive(), 0U) << where;
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(accepted_, 100U) << "else drafts are not tested";
  EXPECT_GT(preempted_, 100U) << "else preemption is not tested";
}

TEST_F(InvarianceTest, FromManyThreads) {
  test::FakeForward forward(test::kVocabulary);
  forward.repetition = kRepetition;
  GeneratorSettings settings;
  settings.sequences_max = 16;
  settings.step_tokens_max = 40;
  auto generator = Generator::Create(forward, *vocabulary_, settings);
  ASSERT_TRUE(generator.has_value());
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < requests_.size(); i += 4) {
        const auto decoy = (*generator)->Submit(requests_[i], [](const GenerationResult&) {});
        const GenerationResult result = (*generator)->Run(requests_[i]);
        (*generator)->Cancel(*decoy);
        const std::lock_guard lock(mutex);
        ExpectSame(result, i, "threads");
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  generator->reset();
  EXPECT_EQ(forward.alive(), 0U);
}

TEST_F(InvarianceTest, QueueLimitAndShutdown) {
  test::FakeForward forward(test::kVocabulary);
  forward.pinned[test::kReturn] = -100;
  GeneratorSettings settings;
  settings.sequences_max = 1;
  settings.queue_max = 2;
  auto generator = Generator::Create(forward, *vocabulary_, settings);
  ASSERT_TRUE(generator.has_value());
  GenerationRequest endless;
  endless.prompt = {1};
  endless.stop_tokens = {test::kReturn};
  endless.tokens_max = 4000;
  std::atomic<int> ended = 0;
  int accepted = 0;
  std::optional<Error> full;
  for (int i = 0; i < 50 && !full; ++i) {
    const auto id = (*generator)->Submit(endless, [&](const GenerationResult&) { ++ended; });
    if (id) {
      ++accepted;
    } else {
      full = id.error();
    }
  }
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(full->code, ErrorCode::kLimit);
  generator->reset();
  EXPECT_EQ(ended, accepted);
  GeneratorSettings bad;
  bad.step_tokens_max = 1;
  EXPECT_FALSE(Generator::Create(forward, *vocabulary_, bad).has_value());
}

}  // namespace
}  // namespace safeguard::engine
