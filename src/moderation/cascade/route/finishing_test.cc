// The reasoners of a route, asked by themselves about what its cascade could not decide.
#include <gtest/gtest.h>

#include "moderation/cascade/route/test_parts.h"
#include "moderation/finishing_judge.h"

namespace safeguard::moderation::route {
namespace {

std::vector<Verdict> Ask(TestHouse& house, FinishingJudge& judge, std::vector<Content> contents) {
  return judge.Decide(std::span(&house.prepared, 1), contents);
}

TEST(FinishingJudge, TheReasonersDecideWithoutTheScreen) {
  TestHouse house;
  house.settings.time_budget = std::chrono::seconds(2);
  house.reasoners[0]->takes = std::chrono::seconds(5);
  FinishingJudge judge(house.Open());
  EXPECT_EQ(house.Judge("0.5 bad").reason, UndeterminedReason::kTimeout);
  const std::size_t screened = house.screen->asked;
  const std::vector<Verdict> verdicts =
      Ask(house, judge, {Completion("0.5 bad"), Completion("0.9 fine")});
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_EQ(verdicts[0].outcome, Outcome::kViolation) << "it has the time for finishing";
  EXPECT_EQ(verdicts[1].outcome, Outcome::kSafe);
  EXPECT_EQ(verdicts[0].decided_by.layer, "reasoner");
  EXPECT_FALSE(verdicts[0].provisional);
  EXPECT_EQ(house.screen->asked, screened);
}

TEST(FinishingJudge, TheBudgetHolds) {
  TestHouse house;
  house.settings.governor.budget.tokens_per_second = 1;
  house.settings.governor.budget.burst = std::chrono::seconds(100);
  house.settings.reasoners[0].tokens = 100;
  FinishingJudge judge(house.Open());
  EXPECT_EQ(Ask(house, judge, {Completion("0.5 bad")})[0].outcome, Outcome::kViolation);
  const Verdict refused = Ask(house, judge, {Completion("0.5 bad")})[0];
  EXPECT_EQ(refused.outcome, Outcome::kUndetermined);
  EXPECT_EQ(refused.reason, UndeterminedReason::kOverload);
  EXPECT_EQ(house.reasoners[0]->asked, 1U);
}

TEST(FinishingJudge, StopsBetweenContents) {
  TestHouse house;
  FinishingJudge judge(house.Open());
  const std::vector<Content> contents = {Completion("0.5 bad"), Completion("0.5 bad")};
  const std::vector<Verdict> verdicts = judge.DecideUntil(
      std::span(&house.prepared, 1), contents, [&] { return house.reasoners[0]->asked > 0; });
  EXPECT_EQ(verdicts[0].outcome, Outcome::kViolation);
  EXPECT_EQ(verdicts[1].reason, UndeterminedReason::kTimeout);
  EXPECT_EQ(house.reasoners[0]->asked, 1U);
}

}  // namespace
}  // namespace safeguard::moderation::route
