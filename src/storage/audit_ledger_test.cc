// Audits that one process draws and another finishes, in one estimate.
#include <gtest/gtest.h>

#include "moderation/screen_audit.h"
#include "storage/stores.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

using moderation::AuditEntry;
using moderation::AuditLedger;
using moderation::AuditTally;
using moderation::Duration;
using moderation::LateAudit;
using moderation::RecallAlarm;
using moderation::RecallEstimate;
using moderation::ScreenAudit;
using moderation::ScreenSide;

class HandClock final : public moderation::Clock {
 public:
  [[nodiscard]] Duration Now() const override { return now; }
  Duration now = std::chrono::hours(500'000);  // some time in 2027
};

class AuditLedgers : public ::testing::Test {
 protected:
  std::shared_ptr<AuditLedger> Open(const std::string& route = "comments") {
    auto opened = OpenAuditLedger(folder.path(), route, {.create = true});
    EXPECT_TRUE(opened) << Describe(opened.error());
    return opened ? std::move(*opened) : nullptr;
  }
  // As a process of its own has it.
  std::unique_ptr<ScreenAudit> Process(std::vector<RecallAlarm>* alarms = nullptr) {
    auto audit = std::make_unique<ScreenAudit>(
        moderation::AuditSettings{}, clock,
        [alarms](const RecallAlarm& alarm) {
          if (alarms != nullptr) {
            alarms->push_back(alarm);
          }
        },
        Open());
    audit->SetBound("spam", 0.8);
    return audit;
  }
  // 1,000 contents of which 100 are flagged, as the process that answers sees them.
  void Screen(ScreenAudit& audit) {
    for (int i = 0; i < 1000; ++i) {
      audit.Screened("spam", i % 10 == 0 ? ScreenSide::kViolation : ScreenSide::kSafe);
    }
  }

  TestFolder folder;
  std::shared_ptr<HandClock> clock = std::make_shared<HandClock>();
};

TEST_F(AuditLedgers, WhatIsFinishedLaterCountsAsWhatIsFinishedAtOnce) {
  // 90 audits of the safe side, 9 of them misses: at once in one process ...
  ScreenAudit alone({}, clock, {});
  Screen(alone);
  for (int i = 0; i < 90; ++i) {
    alone.Audited("spam", ScreenSide::kSafe, 10, i < 9);
  }
  const RecallEstimate at_once = alone.Trailing("spam");
  // ... or drawn by one, which ends, and finished by two others an hour later.
  Screen(*Process());
  clock->now += std::chrono::hours(1);
  {
    const auto first = Process();
    const auto second = Process();
    for (int i = 0; i < 90; ++i) {
      (i % 2 == 0 ? first : second)
          ->AuditedLate("k" + std::to_string(i), "spam", ScreenSide::kSafe, 10, i < 9,
                        std::chrono::hours(1));
    }
    EXPECT_EQ(first->Windows("spam").at(0).audited_safe, 90U);
  }
  const auto reader = Process();
  ASSERT_EQ(reader->Windows("spam").size(), 1U) << "all of the hour of the screening";
  const RecallEstimate later = reader->Trailing("spam");
  ASSERT_TRUE(at_once.recall && later.recall);
  EXPECT_DOUBLE_EQ(*later.recall, *at_once.recall);
  EXPECT_DOUBLE_EQ(later.low, at_once.low);
  EXPECT_DOUBLE_EQ(later.high, at_once.high);
  EXPECT_EQ(later.screened, 1000U);
  EXPECT_EQ(later.misses, 9U);
}

TEST_F(AuditLedgers, AnAuditThatIsDoneTwiceCountsOnce) {
  Screen(*Process());
  const auto late = [&](std::optional<bool> violation) {
    Process()->AuditedLate("k", "spam", ScreenSide::kSafe, 10, violation, {});
    return Process()->Windows("spam").at(0);
  };
  EXPECT_EQ(late(std::nullopt).unanswered, 1U);
  EXPECT_EQ(late(std::nullopt).unanswered, 1U) << "tried again";
  EXPECT_EQ(late(true).unanswered, 0U) << "its answer takes the place of none";
  EXPECT_EQ(late(false).misses, 1U) << "the first answer stays";
  EXPECT_EQ(late(std::nullopt).audited_safe, 1U);
}

TEST_F(AuditLedgers, OneOfTheProcessesRaisesTheAlarm) {
  Screen(*Process());
  std::vector<RecallAlarm> alarms;
  for (int i = 0; i < 60; ++i) {
    Process(&alarms)->AuditedLate("k" + std::to_string(i), "spam", ScreenSide::kSafe, 10, true, {});
  }
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms[0].policy, "spam");
  EXPECT_LT(alarms[0].estimate.high, 0.8);
  EXPECT_EQ(alarms[0].estimate.screened, 1000U);
}

TEST_F(AuditLedgers, RoutesAreApartAndOldWindowsGo) {
  Screen(*Process());
  EXPECT_TRUE(Open("other")->Read(0)->empty());
  const auto ledger = Open();
  EXPECT_EQ(ledger->Read(0)->size(), 1U);
  AuditEntry entry{"spam", (clock->now + std::chrono::hours(24 * 91)).count(), {}};
  entry.tally.screened = 1;
  ASSERT_TRUE(ledger->Add(std::span(&entry, 1), {}));
  const auto left = ledger->Read(0);
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->at(0).tally.screened, 1U);
}

// A ledger that cannot be written for a while.
class FailingLedger final : public AuditLedger {
 public:
  explicit FailingLedger(std::shared_ptr<AuditLedger> behind) : behind_(std::move(behind)) {}
  Status Add(std::span<const AuditEntry> entries, std::span<const LateAudit> late) override {
    return full ? Status(Fail(ErrorCode::kUnavailable, "full")) : behind_->Add(entries, late);
  }
  Result<std::vector<AuditEntry>> Read(std::int64_t oldest) override {
    return behind_->Read(oldest);
  }
  Result<bool> SetAlarmed(const std::string& policy, bool alarmed) override {
    return behind_->SetAlarmed(policy, alarmed);
  }
  bool full = true;

 private:
  std::shared_ptr<AuditLedger> behind_;
};

TEST_F(AuditLedgers, WhatADiskCannotTakeNowIsHandedOverLater) {
  const auto ledger = std::make_shared<FailingLedger>(Open());
  ScreenAudit audit({}, clock, {}, ledger);
  Screen(audit);
  audit.AuditedLate("k", "spam", ScreenSide::kSafe, 10, true, {});
  EXPECT_EQ(audit.Trailing("spam").screened, 1000U) << "it counts here meanwhile";
  EXPECT_TRUE(ledger->Read(0)->empty());
  ledger->full = false;
  EXPECT_EQ(audit.Windows("spam").at(0).misses, 1U);
  EXPECT_EQ(ledger->Read(0)->at(0).tally.screened, 1000U);
}

}  // namespace
}  // namespace safeguard::storage
