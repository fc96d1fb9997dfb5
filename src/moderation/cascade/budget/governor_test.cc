// The governor under seeded load: what it lets through, in which order it gives up what, and that
// the cap holds.
#include "moderation/governor.h"

#include <gtest/gtest.h>

#include <cmath>

namespace safeguard::moderation {
namespace {

class HandClock final : public Clock {
 public:
  [[nodiscard]] Duration Now() const override { return now; }
  Duration now{};
};

double SecondsOf(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Traffic under policies of different severity; every case is in the band and half escalate.
class Load {
 public:
  explicit Load(GovernorSettings settings, std::shared_ptr<TokenBudget> overall = nullptr,
                std::shared_ptr<HandClock> on = std::make_shared<HandClock>())
      : clock(std::move(on)), governor(std::move(settings), std::move(overall), clock, true) {}

  struct Class {
    double severity = 1;
    std::size_t violations = 0;
    std::size_t found = 0;
  };

  // `rate` cases a second for `seconds`, as a Poisson process.
  void Run(double rate, double seconds) {
    const Duration end =
        clock->now + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    while (clock->now < end) {
      const double wait = -std::log(1 - random->Uniform()) / rate;
      clock->now += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wait));
      One();
    }
  }

  void One() {
    Class& kind = classes[random->Bits() % classes.size()];
    const double p = 0.1 + 0.8 * random->Uniform();
    const bool violation = random->Uniform() < p;
    kind.violations += violation ? 1 : 0;
    // An audit now and then.
    governor.ExpectAudits(0.05 * kCost);
    if (random->Uniform() < 0.05 * governor.AuditScale()) {
      Spend(governor.Ask({.purpose = EffortPurpose::kAudit, .cost = kCost}, backlog));
      ++audits;
    }
    EffortRequest request{.purpose = EffortPurpose::kDecide,
                          .probability = p,
                          .severity = kind.severity,
                          .cost = kCost};
    const EffortGrant grant = governor.Ask(request, backlog);
    if (grant.answer != EffortGrant::Answer::kGranted) {
      backlog += grant.answer == EffortGrant::Answer::kDefer ? 1 : 0;
      return;
    }
    Spend(grant);
    kind.found += violation ? 1 : 0;
    if (random->Uniform() < 0.5) {
      request.purpose = EffortPurpose::kEscalate;
      request.cost = 3 * kCost;
      const EffortGrant more = governor.Ask(request, backlog);
      if (more.answer == EffortGrant::Answer::kGranted) {
        Spend(more);
        ++escalated;
      }
    }
  }

  // What it costs varies around what was expected.
  void Spend(const EffortGrant& grant) {
    const double tokens = grant.reserved * (0.5 + random->Uniform());
    governor.Settle(grant, 0, tokens, Duration{-1});
    spent += tokens;
  }

  double Level(const std::string& name) {
    for (const auto& [counter, value] : governor.Counters()) {
      if (counter == "level_" + name) {
        return value;
      }
    }
    return -1;
  }

  static constexpr double kCost = 100;
  std::shared_ptr<HandClock> clock;
  Governor governor;
  std::unique_ptr<RandomSource> random = SeededRandom(11);
  std::vector<Class> classes = {{1}, {1}, {1}, {1}, {20}};
  double spent = 0;
  std::size_t escalated = 0;
  std::size_t audits = 0;
  std::size_t backlog = 0;
};

GovernorSettings Capped(double tokens_per_second) {
  GovernorSettings settings;
  settings.budget.tokens_per_second = tokens_per_second;
  return settings;
}

TEST(Governor, WithinTheBudgetNothingIsTakenBack) {
  // 10 cases a second of about 255 tokens.
  Load load(Capped(4000));
  load.Run(10, 600);
  for (const char* level : {"effort", "audit", "band", "defer", "shed"}) {
    EXPECT_EQ(load.Level(level), 0) << level;
  }
  for (const Load::Class& kind : load.classes) {
    EXPECT_EQ(kind.found, kind.violations);
  }
}

TEST(Governor, AFivefoldStepHoldsTheCapAndTheSeverest) {
  const double cap = 3000;
  Load load(Capped(cap));
  load.Run(10, 300);
  const double before =
      static_cast<double>(load.classes[4].found) / static_cast<double>(load.classes[4].violations);
  load.classes = {{1}, {1}, {1}, {1}, {20}};
  load.Run(50, 30);  // the step itself: what the bucket held is spent
  load.spent = 0;
  const Duration from = load.clock->now;
  load.Run(50, 600);
  const double rate = load.spent / SecondsOf(load.clock->now - from);
  EXPECT_NEAR(rate / cap, 1, 0.02);
  const double after =
      static_cast<double>(load.classes[4].found) / static_cast<double>(load.classes[4].violations);
  EXPECT_GE(after, before - 0.005);  // from the first second of the step on
  EXPECT_GT(after, 0.99);
  EXPECT_LT(load.classes[0].found, load.classes[0].violations);
  RecordProperty("spent_of_cap", std::to_string(rate / cap));
}

TEST(Governor, ItGivesUpInTheOrderDeclared) {
  // 1: effort alone suffices. 2: audits too. 3: the band. 4: more is deferred.
  struct Step {
    double cap;
    const char* full;     // this degradation is used up
    const char* partial;  // this one is at work
    const char* unused;
  };
  // Of 10 cases/s: first 1000, escalations 1500 (of all granted), audits 50.
  for (const Step& step : {Step{1800, "", "effort", "band"}, Step{800, "effort", "band", "defer"},
                           Step{300, "audit", "defer", "shed"}}) {
    Load load(Capped(step.cap));
    load.Run(10, 400);
    EXPECT_GT(load.Level(step.partial), 0) << step.cap;
    EXPECT_EQ(load.Level(step.unused), 0) << step.cap;
    if (*step.full != 0) {
      EXPECT_EQ(load.Level(step.full), 1) << step.cap;
    }
  }
}

TEST(Governor, AFullBacklogIsShedAndAnotherOrderIsKept) {
  GovernorSettings settings = Capped(300);
  settings.backlog_max = 0;
  Load load(settings);
  load.Run(10, 300);
  EXPECT_EQ(load.Level("defer"), 0);
  EXPECT_GT(load.Level("shed"), 0);
  EXPECT_EQ(load.backlog, 0U);

  settings.order = {Degradation::kShed};
  Load strict(settings);
  strict.Run(10, 300);
  EXPECT_EQ(strict.Level("effort"), 0);
  EXPECT_EQ(strict.Level("band"), 0);
  EXPECT_GT(strict.Level("shed"), 0);
}

TEST(Governor, AuditsShrinkToTheirFloorAndNoFurther) {
  Load load(Capped(100));
  load.Run(20, 100);
  load.audits = 0;
  load.Run(20, 1000);
  EXPECT_NEAR(load.governor.AuditScale(), 0.1, 1e-9);
  EXPECT_NEAR(static_cast<double>(load.audits), 20 * 1000 * 0.05 * 0.1, 35);
}

TEST(Governor, AShareFollowsTheModelsThatAreGuarded) {
  GovernorSettings settings;
  settings.budget.share = 0.1;
  Load load(settings);
  double guarded = 0;
  for (int second = 0; second < 1200; ++second) {
    const double tokens = second < 600 ? 20'000 : 40'000;
    load.governor.Guarded(tokens);
    load.Run(50, 1);
    if (second == 100 || second == 700) {
      load.spent = 0;
      guarded = 0;
    } else {
      guarded += tokens;
    }
    if (second == 599 || second == 1199) {
      EXPECT_NEAR(load.spent / guarded, 0.1, 0.002);
    }
  }
}

TEST(Governor, MoneyADayIsARateOfTokens) {
  auto clock = std::make_shared<HandClock>();
  ComputeBudget budget;
  budget.money_per_day = 86.4;
  budget.price_per_million_tokens = 2;
  TokenBudget money(budget, clock);
  EXPECT_DOUBLE_EQ(money.Rate(), 500);
}

TEST(Governor, TheOverallBudgetGoesWhereItPreventsMost) {
  auto clock = std::make_shared<HandClock>();
  ComputeBudget budget;
  budget.tokens_per_second = 1500;
  auto overall = std::make_shared<TokenBudget>(budget, clock);
  Load dear({}, overall, clock);
  Load cheap({}, overall, clock);
  dear.classes = {{10}};
  cheap.classes = {{1}};
  for (int i = 0; i < 20'000; ++i) {  // 5 cases/s each, about 500 tokens/s at the first reasoner
    clock->now += std::chrono::milliseconds(100);
    (i % 2 == 0 ? dear : cheap).One();
  }
  const auto share = [](const Load& load) {
    return static_cast<double>(load.classes[0].found) /
           static_cast<double>(load.classes[0].violations);
  };
  EXPECT_GT(share(dear), 0.99);
  EXPECT_GT(dear.escalated, 2 * cheap.escalated);
  EXPECT_NEAR((dear.spent + cheap.spent) / SecondsOf(clock->now) / 1500, 1, 0.02);
}

TEST(Governor, DeferredWorkTakesOnlyWhatIsLeftOver) {
  Load load(Capped(3000));
  const EffortRequest later{.purpose = EffortPurpose::kDeferred, .cost = 100};
  load.Run(50, 300);
  EXPECT_NE(load.governor.Ask(later, 0).answer, EffortGrant::Answer::kGranted);
  load.Run(1, 60);
  EXPECT_EQ(load.governor.Ask(later, 0).answer, EffortGrant::Answer::kGranted);
}

TEST(Governor, GainIsWhatAskingIsExpectedToPrevent) {
  EffortRequest request{.probability = 0.25, .severity = 4, .recall = 0.5};
  EXPECT_DOUBLE_EQ(ExpectedGain(request), 4 * 0.25 * 0.5);
  request.flagged_without = true;
  EXPECT_DOUBLE_EQ(ExpectedGain(request), 4 * 0.1 * 0.75 * 0.5);
}

}  // namespace
}  // namespace safeguard::moderation
