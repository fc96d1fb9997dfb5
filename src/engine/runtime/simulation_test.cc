// Random load on a simulated clock, where a step takes 10 ms and 1 ms a token: what the scheduler
// promises about ends, fairness, waiting and memory. Seeds are printed with what fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "engine/runtime/fake_forward.h"
#include "engine/runtime/scheduler.h"
#include "engine/runtime/test_vocabulary.h"

namespace safeguard::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SimulationTest : public testing::Test {
 protected:
  SimulationTest() {
    settings_.now = [this] { return now_; };
    settings_.sequences_max = 8;
    settings_.step_tokens_max = 64;
    settings_.batch_step_tokens_max = 16;
    forward_.pinned[test::kReturn] = -100;
  }

  static GenerationRequest Ask(const std::string& tenant, Priority priority, std::size_t prompt,
                               std::size_t answer) {
    GenerationRequest request;
    request.prompt.assign(prompt, 'p');
    request.stop_tokens = {test::kReturn};
    request.tokens_max = answer;
    request.tenant = tenant;
    request.priority = priority;
    request.sampling.logprobs = false;
    return request;
  }

  void Submit(GenerationRequest request, std::function<void(GenerationResult)> done = {}) {
    const std::string tenant = request.tenant;
    const std::size_t prompt = request.prompt.size();
    request.on_token = [this, tenant, prompt, first = true](const GeneratedToken&) mutable {
      served_[tenant] += 1 + (first ? prompt : 0);
      first = false;
    };
    const std::uint64_t id = ++last_id_;
    ++open_;
    scheduler_->Add(
        static_cast<RequestId>(id), std::move(request),
        [this, id, done](GenerationResult result) {
          EXPECT_TRUE(ended_.insert(id).second) << "ended twice";
          --open_;
          if (done) {
            done(std::move(result));
          }
        },
        now_);
  }

  void Start() { scheduler_ = std::make_unique<Scheduler>(forward_, *vocabulary_, settings_); }
  bool Step() {
    const std::uint64_t before = scheduler_->counters().tokens;
    const bool more = scheduler_->StepOnce();
    const milliseconds took(10 + scheduler_->counters().tokens - before);
    longest_ = std::max(longest_, took);
    now_ += took;
    return more;
  }

  test::TestVocabulary vocabulary_;
  test::FakeForward forward_{test::kVocabulary};
  GeneratorSettings settings_;
  Time now_{};
  std::map<std::string, std::size_t> served_;
  std::set<std::uint64_t> ended_;
  std::uint64_t last_id_ = 0;
  std::size_t open_ = 0;
  milliseconds longest_{};
  std::unique_ptr<Scheduler> scheduler_;  // last: its end calls back
};

// What any two tenants got while both had something waiting differs by less than what runs at once
// and one request more.
TEST_F(SimulationTest, TenantsWithEnoughToDoGetTheSame) {
  constexpr std::size_t kLargest = 60 + 40;
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    std::mt19937 random(seed);  // NOLINT(cert-msc*)
    served_.clear();
    Start();
    std::map<std::string, std::size_t> waiting;
    const auto submit = [&](const std::string& tenant) {
      // A floods with dear requests, B asks for cheap ones, C for long answers.
      const bool a = tenant == "a";
      ++waiting[tenant];
      Submit(Ask(tenant, Priority::kInteractive, a ? 60 : 5 + random() % 20,
                 tenant == "c" ? 40 : 5 + random() % 10),
             [&waiting, tenant](const GenerationResult&) { --waiting[tenant]; });
    };
    for (int step = 0; step < 1500; ++step) {
      for (const auto& [tenant, count] :
           std::map<std::string, std::size_t>{{"a", 200}, {"b", 20}, {"c", 12}}) {
        while (waiting[tenant] < count) {
          submit(tenant);
        }
      }
      Step();
      const auto [least, most] = std::ranges::minmax({served_["a"], served_["b"], served_["c"]});
      ASSERT_LE(most - least, (settings_.sequences_max + 1) * kLargest)
          << "seed " << seed << ", step " << step;
    }
    EXPECT_GT(served_["b"], 5000U);
    scheduler_.reset();
    EXPECT_EQ(forward_.alive(), 0U);
    ended_.clear();
    last_id_ = 0;
  }
}

TEST_F(SimulationTest, AFloodKeepsNobodyElseWaiting) {
  Start();
  for (int i = 0; i < 500; ++i) {
    Submit(Ask("flood", Priority::kInteractive, 30, 20));
  }
  for (int i = 0; i < 50; ++i) {
    Step();
  }
  std::optional<GenerationResult> result;
  Submit(Ask("small", Priority::kInteractive, 30, 20),
         [&result](GenerationResult done) { result = std::move(done); });
  while (!result) {
    ASSERT_TRUE(Step());
  }
  // It is the next to get a place: when the first of the running ones ends.
  EXPECT_LE(result->timings.queued, 22 * longest_);
  scheduler_.reset();
}

// With every place taken by long batch answers and long policies to be read, who waits at a screen
// gets a place at once and the first token soon.
TEST_F(SimulationTest, InteractiveRequestsDoNotWaitForBatch) {
  Start();
  for (int i = 0; i < 100; ++i) {
    Submit(Ask("batch", Priority::kBatch, 400, 300));
  }
  std::mt19937 random(3);  // NOLINT(cert-msc*)
  std::size_t asked = 0;
  for (int step = 0; step < 3000; ++step) {
    if (random() % 20 == 0) {
      ++asked;
      Submit(Ask("person", Priority::kInteractive, 30, 10), [this](const GenerationResult& result) {
        if (result.finish == FinishReason::kCancelled) {
          return;  // still running when the simulation ends
        }
        EXPECT_EQ(result.finish, FinishReason::kTokenLimit);
        EXPECT_LE(result.timings.queued, 2 * longest_);
        EXPECT_LE(result.timings.prefill, milliseconds(3 * (10 + 64)));
        EXPECT_EQ(result.usage.preemptions, 0U);
      });
    }
    Step();
  }
  EXPECT_GT(asked, 100U);
  EXPECT_GT(scheduler_->counters().preemptions, 0U);
  EXPECT_GT(served_["batch"], 1000U) << "batch goes on beside them";
  scheduler_.reset();
}

TEST_F(SimulationTest, BatchIsNotStarvedByInteractive) {
  settings_.batch_wait_max = seconds(5);
  Start();
  std::optional<GenerationResult> result;
  std::size_t open = 0;
  const auto flood = [&] {
    while (open < 40) {
      ++open;
      Submit(Ask("people", Priority::kInteractive, 20, 20),
             [&open](const GenerationResult&) { --open; });
    }
  };
  flood();
  Submit(Ask("batch", Priority::kBatch, 30, 20),
         [&result](GenerationResult done) { result = std::move(done); });
  while (!result) {
    flood();
    ASSERT_TRUE(Step());
    ASSERT_LT(now_ - Time{}, seconds(20));
  }
  EXPECT_EQ(result->finish, FinishReason::kTokenLimit);
  EXPECT_GE(result->timings.queued, seconds(4));
  scheduler_.reset();
}

// Everything at once, with little memory, limits of time and people who change their minds.
TEST_F(SimulationTest, EveryRequestEndsOnceAndAlike) {
  for (std::uint32_t seed = 0; seed < 12; ++seed) {
    std::mt19937 random(seed);  // NOLINT(cert-msc*)
    settings_.cache_bytes_max = 400 + random() % 2000;
    forward_.bytes_max = settings_.cache_bytes_max;
    settings_.drafts.mode = static_cast<DraftSettings::Mode>(random() % 3);
    settings_.drafts.batch_min = 2;
    forward_.repetition = 2;
    settings_.prefixes_max = random() % 6;
    Start();
    ended_.clear();
    last_id_ = 0;
    std::map<std::size_t, std::vector<GeneratedToken>> answers;  // by kind
    std::size_t whole = 0;
    std::size_t over = 0;
    const auto submit = [&] {
      const std::size_t kind = random() % 30;
      GenerationRequest request =
          Ask(std::string(1, static_cast<char>('a' + random() % 4)),
              random() % 2 == 0 ? Priority::kBatch : Priority::kInteractive, 20 + kind, 5 + kind);
      request.prompt.back() = static_cast<std::uint32_t>(kind);
      request.prefix_ends = {10 + kind % 3};
      request.sampling.temperature = kind % 2 == 0 ? 0 : 1;
      request.sampling.seed = kind;
      const bool hasty = random() % 5 == 0;
      if (hasty) {
        request.time_max = milliseconds(random() % 3000);
      }
      Submit(request, [&, kind, hasty](const GenerationResult& result) {
        if (result.finish == FinishReason::kTokenLimit) {
          ++whole;
          EXPECT_EQ(answers.try_emplace(kind, result.tokens).first->second, result.tokens);
        } else if (result.finish == FinishReason::kTimeLimit) {
          ++over;
          EXPECT_TRUE(hasty);
        } else {
          EXPECT_EQ(result.finish, FinishReason::kCancelled);
        }
      });
    };
    for (int i = 0; i < 200; ++i) {
      for (std::size_t joins = random() % 4; joins > 0; --joins) {
        submit();
      }
      if (random() % 6 == 0 && last_id_ > 0) {
        scheduler_->Cancel(static_cast<RequestId>(1 + random() % last_id_));
      }
      Step();
    }
    for (int steps = 0; Step(); ++steps) {
      ASSERT_LT(steps, 20'000) << "seed " << seed << ": it does not end";
    }
    EXPECT_EQ(open_, 0U) << "seed " << seed;
    EXPECT_EQ(ended_.size(), last_id_) << "seed " << seed;
    EXPECT_GT(whole, last_id_ / 2) << "seed " << seed;
    EXPECT_GT(over, 0U) << "seed " << seed;
    EXPECT_EQ(forward_.alive(), scheduler_->counters().prefixes) << "seed " << seed;
    scheduler_.reset();
    EXPECT_EQ(forward_.alive(), 0U) << "seed " << seed;
  }
}

}  // namespace
}  // namespace safeguard::engine
