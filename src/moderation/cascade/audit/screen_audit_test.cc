// What random checks of the screen say about it, against what is known to be true.
#include "moderation/screen_audit.h"

#include <gtest/gtest.h>

namespace safeguard::moderation {
namespace {

class HandClock final : public Clock {
 public:
  [[nodiscard]] Duration Now() const override { return now; }
  Duration now{};
};

struct Traffic {
  double recall = 0.9;     // of the screen
  double base = 0.1;       // share of violations
  double precision = 0.8;  // of what it flags
  double share = 0.05;     // audited, of each side
};

// Sends `count` cases of this traffic through `audit`.
void Send(ScreenAudit& audit, RandomSource& random, const Traffic& traffic, int count) {
  const double false_alarms = traffic.base * traffic.recall * (1 - traffic.precision) /
                              traffic.precision / (1 - traffic.base);
  for (int i = 0; i < count; ++i) {
    const bool violation = random.Uniform() < traffic.base;
    const bool flagged =
        violation ? random.Uniform() < traffic.recall : random.Uniform() < false_alarms;
    const ScreenSide side = flagged ? ScreenSide::kViolation : ScreenSide::kSafe;
    audit.Screened("spam", side);
    // The share changes with the load, as a governor has it.
    const double share = traffic.share * (i % 2 == 0 ? 1 : 0.25);
    if (random.Uniform() < share) {
      audit.Audited("spam", side, 1 / share, violation);
    }
  }
}

TEST(ScreenAudit, TheIntervalHoldsTheTrueRecallAsOftenAsItSays) {
  int covered = 0;
  double sum = 0;
  constexpr int kRuns = 200;
  for (int run = 0; run < kRuns; ++run) {
    auto clock = std::make_shared<HandClock>();
    ScreenAudit audit({}, clock, {});
    const auto random = SeededRandom(static_cast<std::uint64_t>(run));
    Send(audit, *random, {}, 20'000);
    const RecallEstimate estimate = audit.Trailing("spam");
    ASSERT_TRUE(estimate.recall.has_value());
    covered += estimate.low <= 0.9 && 0.9 <= estimate.high ? 1 : 0;
    sum += *estimate.recall;
    EXPECT_LT(estimate.high - estimate.low, 0.4);
  }
  EXPECT_GE(covered, 190);              // 95 % of 200
  EXPECT_NEAR(sum / kRuns, 0.9, 0.01);  // unbiased
}

TEST(ScreenAudit, EachWindowIsKeptForItsTime) {
  auto clock = std::make_shared<HandClock>();
  AuditSettings settings;
  settings.window = std::chrono::hours(1);
  settings.windows = 3;
  ScreenAudit audit(settings, clock, {});
  for (int hour = 0; hour < 5; ++hour) {
    clock->now = std::chrono::hours(hour);
    audit.Screened("spam", ScreenSide::kSafe);
    audit.Audited("spam", ScreenSide::kSafe, 1, hour < 2);
  }
  const std::vector<RecallEstimate> windows = audit.Windows("spam");
  ASSERT_EQ(windows.size(), 3U);
  EXPECT_EQ(windows.front().from, std::chrono::hours(2));
  EXPECT_EQ(audit.Trailing("spam").misses, 0U);  // those of the first hours are forgotten
  EXPECT_FALSE(audit.Trailing("spam").recall.has_value());
}

TEST(ScreenAudit, TheAlarmFiresOnceForEachFallBelowTheBound) {
  auto clock = std::make_shared<HandClock>();
  std::vector<RecallAlarm> alarms;
  AuditSettings settings;
  settings.windows = 2;
  ScreenAudit audit(settings, clock, [&](const RecallAlarm& alarm) { alarms.push_back(alarm); });
  audit.SetBound("spam", 0.8);
  const auto random = SeededRandom(3);
  const auto day = [&](double recall) {
    for (int hour = 0; hour < 6; ++hour) {
      clock->now += std::chrono::hours(1);
      Send(audit, *random, {.recall = recall}, 20'000);
    }
  };
  day(0.95);
  EXPECT_TRUE(alarms.empty());
  day(0.5);
  EXPECT_EQ(alarms.size(), 1U);
  EXPECT_TRUE(audit.Alarmed("spam"));
  EXPECT_LT(alarms.front().estimate.high, 0.8);
  day(0.95);
  EXPECT_FALSE(audit.Alarmed("spam"));
  day(0.5);
  EXPECT_EQ(alarms.size(), 2U);
}

TEST(ScreenAudit, ChecksThatNobodyAnsweredAreCounted) {
  auto clock = std::make_shared<HandClock>();
  ScreenAudit audit({}, clock, {});
  audit.Screened("spam", ScreenSide::kSafe);
  audit.Audited("spam", ScreenSide::kSafe, 20, std::nullopt);
  EXPECT_EQ(audit.Trailing("spam").unanswered, 1U);
  EXPECT_EQ(audit.Trailing("spam").audited_safe, 0U);
}

}  // namespace
}  // namespace safeguard::moderation
