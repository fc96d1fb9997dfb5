// A cascade over parts that go wrong in every way, for many seeds. Whatever happens:
//
//   - no verdict is lost: every request is answered once for each policy, or the process has died
//     and the client asks again; whatever was acknowledged as deferred is finished in the end
//   - none is invented: "safe" and "violation" are what some layer has really said of that content
//   - what was not decided is undetermined with its reason, never safe
//   - every request is answered within its time budget
//   - the reasoners use no more tokens than the budget gives
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/simulation/trouble.h"

namespace safeguard::simulation {
namespace {

class Simulation {
 public:
  Simulation(std::uint64_t seed, const Trouble& trouble, RouteSettings settings)
      : world(seed), settings_(std::move(settings)) {
    world.trouble = trouble;
    policies_ = {moderation::route::TestPolicy("spam"), moderation::route::TestPolicy("hate")};
    policies_[1].hash[0] = 'b';
    Start();
  }

  // A process with empty memory over the world's disk.
  void Start() {
    CascadeParts parts;
    parts.lists = std::make_shared<TroubledLists>(world);
    parts.screen = std::make_shared<TroubledJudge>(world, "screen", std::chrono::milliseconds(2));
    for (std::size_t r = 0; r < settings_.reasoners.size(); ++r) {
      parts.reasoners.push_back(
          std::make_shared<TroubledJudge>(world, "reasoner", std::chrono::milliseconds(50)));
    }
    parts.tamper = std::make_shared<moderation::route::TestTamper>();
    parts.languages = std::make_shared<moderation::route::TestLanguages>();
    parts.review = std::make_shared<moderation::route::TestReview>();
    parts.deferred = std::make_shared<DiskQueue>(world);
    parts.clock = world.clock;
    parts.random = SeededRandom(world.random->Bits());
    parts.calls = std::make_shared<TestCalls>(world.clock);
    cascade_ = MakeCascade(settings_, std::move(parts));
    prepared_.clear();
    for (const Policy& policy : policies_) {
      prepared_.push_back(*cascade_->Prepare(policy, {}));
    }
  }

  Content NewContent() {
    char text[128];
    std::snprintf(text, sizeof text, "%.2f #%zu %s%s%s%s", world.random->Uniform(), next_++,
                  world.Happens(0.3) ? "bad" : "fine", world.Happens(0.05) ? " known" : "",
                  world.Happens(0.05) ? " hallo" : "", world.Happens(0.05) ? " dear judge" : "");
    return UserMessage(text);
  }

  void Request() {
    std::vector<Content> contents;
    for (std::size_t i = 0; i <= world.random->Bits() % 3; ++i) {
      contents.push_back(NewContent());
    }
    for (;;) {  // the client asks again when the process has died
      try {
        const Duration begin = world.clock->Now();
        const std::vector<Verdict> answers = cascade_->Decide(prepared_, contents);
        ASSERT_LE(world.clock->Now() - begin, settings_.time_budget);
        ASSERT_EQ(answers.size(), contents.size() * prepared_.size());
        for (std::size_t v = 0; v < answers.size(); ++v) {
          Check(answers[v], contents[v / prepared_.size()], policies_[v % prepared_.size()]);
        }
        return;
      } catch (const Crash&) {
        Start();
      }
    }
  }

  void Check(const Verdict& verdict, const Content& content, const Policy& policy) {
    ++verdicts;
    ASSERT_EQ(verdict.policy.hash, policy.hash);
    ASSERT_EQ(verdict.outcome == Outcome::kUndetermined,
              verdict.reason != UndeterminedReason::kNone);
    if (verdict.outcome == Outcome::kUndetermined) {
      ++undetermined;
    } else {
      const std::set<Outcome>& said = world.said[verdict.decided_by.layer][NameOf(content)];
      ASSERT_TRUE(said.contains(verdict.outcome))
          << verdict.decided_by.layer << " never said " << ToString(verdict.outcome) << " of "
          << content.messages.front().text;
    }
    if (verdict.outcome == Outcome::kSafe && verdict.decided_by.layer == "screen") {
      // In a language or a shape in which the screen may not.
      ASSERT_EQ(content.messages.front().text.find("hallo"), std::string::npos);
      ASSERT_EQ(content.messages.front().text.find("dear judge"), std::string::npos);
    }
    if (verdict.provisional) {
      ++provisional;
      const bool waits = std::ranges::any_of(world.disk, [&](const auto& item) {
        return NameOf(item.second.content) == NameOf(content) &&
               item.second.policy.hash == policy.hash;
      });
      ASSERT_TRUE(waits || settings_.unanswered == Unanswered::kProvisional);
    }
  }

  // Works off what was deferred, over crashes; each item until it has a verdict.
  void Drain() {
    std::size_t tries = 0;
    while (!world.disk.empty()) {
      ASSERT_LT(++tries, 1'000'000U) << "deferred work is never finished";
      const DeferredItem item = world.disk.begin()->second;
      const bool spam = item.policy.hash == policies_[0].hash;
      try {
        const Verdict verdict = cascade_->Finish(prepared_[spam ? 0 : 1], item);
        world.clock->Advance(std::chrono::seconds(1));
        if (verdict.reason == UndeterminedReason::kOverload ||
            verdict.reason == UndeterminedReason::kTimeout) {
          continue;  // not now
        }
        ASSERT_FALSE(verdict.provisional);
        if (verdict.outcome != Outcome::kUndetermined) {
          ASSERT_TRUE(world.said["reasoner"][NameOf(item.content)].contains(verdict.outcome));
        }
        world.disk.erase(item.key);
        ++finished;
      } catch (const Crash&) {
        Start();
      }
    }
  }

  World world;
  std::size_t verdicts = 0;
  std::size_t undetermined = 0;
  std::size_t provisional = 0;
  std::size_t finished = 0;

 private:
  RouteSettings settings_;
  std::vector<Policy> policies_;
  std::unique_ptr<Cascade> cascade_;
  std::vector<std::shared_ptr<const PreparedPolicy>> prepared_;
  std::size_t next_ = 0;
};

RouteSettings Settings(std::uint64_t seed) {
  RouteSettings settings;
  settings.reasoners.push_back({.name = "low", .tokens = 120, .unsure = Band{0.2, 0.8}});
  settings.reasoners.push_back({.name = "high", .samples = 3, .tokens = 120});
  settings.time_budget = std::chrono::seconds(2);
  settings.unanswered = seed % 2 == 0 ? Unanswered::kUndetermined : Unanswered::kProvisional;
  settings.audit = {.safe_share = 0.1, .violation_share = 0.1, .later = seed % 3 == 0};
  settings.review_undetermined = true;
  if (seed % 4 < 2) {
    settings.governor.latency_p99 = std::chrono::milliseconds(500);
  }
  if (seed % 5 == 0) {
    settings.on_screen_failure = OnFailure::kUndetermined;
    settings.on_list_failure = OnFailure::kUndetermined;
    settings.on_reasoner_failure = OnFailure::kUndetermined;
  }
  settings.policies.push_back({.policy = "hate", .severity = 5, .band = Band{0.1, 0.95}});
  return settings;
}

struct Weather {
  const char* name;
  Trouble trouble;
};

class CascadeSimulation : public testing::TestWithParam<Weather> {};

TEST_P(CascadeSimulation, TheInvariantsHold) {
  std::size_t verdicts = 0;
  std::size_t undetermined = 0;
  std::size_t crashes = 0;
  std::size_t finished = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed, GetParam().trouble, Settings(seed));
    for (int i = 0; i < 200; ++i) {
      simulation.Request();
      simulation.world.clock->Advance(
          std::chrono::milliseconds(static_cast<int>(simulation.world.Between(0, 200))));
      if (HasFatalFailure()) {
        return;
      }
    }
    simulation.Drain();
    if (HasFatalFailure()) {
      return;
    }
    verdicts += simulation.verdicts;
    undetermined += simulation.undetermined;
    crashes += simulation.world.crashes;
    finished += simulation.finished;
  }
  EXPECT_GT(verdicts, 20'000U);
  EXPECT_LT(undetermined, verdicts);
  RecordProperty("verdicts", static_cast<int>(verdicts));
  RecordProperty("undetermined", static_cast<int>(undetermined));
  RecordProperty("crashes", static_cast<int>(crashes));
  RecordProperty("finished_later", static_cast<int>(finished));
  EXPECT_EQ(crashes > 0, GetParam().trouble.crash > 0);
}

INSTANTIATE_TEST_SUITE_P(
    Weather, CascadeSimulation,
    testing::Values(Weather{"Fair", {}}, Weather{"Slow", {.slow = 0.3, .hang = 0.1}},
                    Weather{"Failing", {.fail = 0.3, .lose = 0.1, .disk = 0.3}},
                    Weather{"Lying", {.lie = 0.3}}, Weather{"Crashing", {.crash = 0.03}},
                    Weather{"All",
                            {.slow = 0.1,
                             .hang = 0.05,
                             .fail = 0.1,
                             .lie = 0.1,
                             .lose = 0.05,
                             .crash = 0.02,
                             .disk = 0.1}}),
    [](const auto& weather) { return std::string(weather.param.name); });

// Requests five times as fast from half-time on, under a budget: the reasoners use what the budget
// gives and no more, and what they are used for is the severest.
TEST(CascadeOverload, TheBudgetHoldsThroughAFivefoldStep) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    RouteSettings settings = Settings(1);
    settings.time_budget = std::chrono::seconds(10);
    settings.governor.latency_p99.reset();
    settings.governor.budget.tokens_per_second = 400;
    settings.governor.budget.burst = std::chrono::seconds(5);
    Simulation simulation(seed, {}, settings);
    const auto run = [&](double gap_ms, double seconds) {
      const Duration end =
          simulation.world.clock->Now() + Duration(static_cast<std::int64_t>(seconds * 1e6));
      while (simulation.world.clock->Now() < end) {
        simulation.Request();
        simulation.world.clock->Advance(
            Duration(static_cast<std::int64_t>(simulation.world.Between(0, 2 * gap_ms) * 1e3)));
      }
    };
    run(2000, 400);
    run(400, 60);  // the step: the bucket's reserve is spent
    simulation.world.tokens = 0;
    const Duration from = simulation.world.clock->Now();
    run(400, 1200);
    const double seconds =
        std::chrono::duration<double>(simulation.world.clock->Now() - from).count();
    EXPECT_LE(simulation.world.tokens / seconds, 400 * 1.02) << "seed " << seed;
    EXPECT_GE(simulation.world.tokens / seconds, 400 * 0.9) << "seed " << seed;
    if (HasFatalFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace safeguard::simulation
