// What is judged in passing, as the windows of a stream are: the same answer for the same budget,
// and nothing follows from it.
#include <gtest/gtest.h>

#include "moderation/cascade.h"
#include "moderation/cascade/route/test_parts.h"

namespace safeguard::moderation::route {
namespace {

Verdict InPassing(TestHouse& house, const std::string& text) {
  const Content content = Completion(text);
  return house.cascade
      ->DecideInPassing(std::span(&house.prepared, 1), std::span(&content, 1), [] { return false; })
      .front();
}

TEST(InPassing, TheSameLayersAnswer) {
  TestHouse house;
  house.Open();
  for (const char* text : {"0.1 fine", "0.9 fine", "0.5 fine", "0.5 bad"}) {
    const Verdict whole = house.Judge(Completion(text));
    const Verdict passing = InPassing(house, text);
    EXPECT_EQ(passing.outcome, whole.outcome) << text;
    EXPECT_EQ(passing.decided_by.layer, whole.decided_by.layer) << text;
  }
}

TEST(InPassing, NothingIsPutOff) {
  TestHouse house;
  house.defers = true;
  house.settings.governor.latency_p99 = std::chrono::milliseconds(500);
  house.settings.time_budget = std::chrono::seconds(5);
  house.reasoners[0]->takes = std::chrono::seconds(3);
  house.Open();
  EXPECT_EQ(InPassing(house, "0.5 bad").outcome, Outcome::kViolation)
      << "nobody finishes it later: it has the whole budget of time";
  house.reasoners[0]->takes = std::chrono::seconds(30);
  EXPECT_EQ(InPassing(house, "0.5 bad").reason, UndeterminedReason::kTimeout);
  EXPECT_TRUE(house.deferred->items.empty());
}

TEST(InPassing, TheBudgetHoldsAndWhatItRefusesIsNotPutOff) {
  TestHouse house;
  house.defers = true;
  house.settings.governor.budget.tokens_per_second = 1;
  house.settings.governor.budget.burst = std::chrono::seconds(100);
  house.settings.reasoners[0].tokens = 100;
  house.Open();
  EXPECT_EQ(InPassing(house, "0.5 bad").outcome, Outcome::kViolation);  // the burst
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(InPassing(house, "0.5 bad").outcome, Outcome::kUndetermined);
  }
  EXPECT_EQ(house.reasoners[0]->asked, 1U);
  EXPECT_TRUE(house.deferred->items.empty());
}

TEST(InPassing, TheAuditKnowsNothingOfIt) {
  TestHouse house;
  house.settings.audit.safe_share = 1;
  house.settings.audit.violation_share = 1;
  house.Open();
  EXPECT_EQ(InPassing(house, "0.1 bad").outcome, Outcome::kSafe) << "the screen's word stands";
  InPassing(house, "0.9 fine");
  InPassing(house, "0.5 bad");
  const RecallEstimate none = house.cascade->audit().Trailing("spam");
  EXPECT_EQ(none.screened, 0U);
  EXPECT_EQ(none.audited_safe, 0U);
  house.Judge("0.1 bad");
  EXPECT_EQ(house.cascade->audit().Trailing("spam").audited_safe, 1U);
}

TEST(InPassing, PeopleAreNotAskedAboutWindows) {
  TestHouse house;
  house.settings.review_undetermined = true;
  house.settings.review_violations = true;
  house.settings.reasoners.clear();
  house.reasoners.clear();
  house.Open();
  EXPECT_EQ(InPassing(house, "0.9 bad").outcome, Outcome::kViolation);
  EXPECT_EQ(InPassing(house, "0.5 x").outcome, Outcome::kUndetermined);
  EXPECT_TRUE(house.review->items.empty());
  house.Judge("0.9 bad");
  EXPECT_EQ(house.review->items.size(), 1U);
}

}  // namespace
}  // namespace safeguard::moderation::route
