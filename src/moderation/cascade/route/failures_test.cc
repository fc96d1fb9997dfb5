// What happens when a layer fails, is late, or the budget is spent.
#include <gtest/gtest.h>

#include "moderation/cascade.h"
#include "moderation/cascade/route/test_parts.h"

namespace safeguard::moderation::route {
namespace {

std::shared_ptr<TestJudge> Failing(TestHouse& house, UndeterminedReason reason) {
  return std::make_shared<TestJudge>(house.clock,
                                     [reason](const Policy& policy, const Content&, std::uint64_t) {
                                       return Undetermined(policy.Reference(), reason, "it broke");
                                     });
}

TEST(CascadeFailures, AFailedScreenHandsOnOrIsSaid) {
  TestHouse house;
  house.screen = Failing(house, UndeterminedReason::kModelUnavailable);
  house.Open();
  EXPECT_EQ(house.Judge("0.1 bad").outcome, Outcome::kViolation);
  EXPECT_EQ(house.Judge("0.1 fine").outcome, Outcome::kSafe);  // the reasoner's word

  house.settings.on_screen_failure = OnFailure::kUndetermined;
  house.Open();
  EXPECT_EQ(house.Judge("0.1 fine").reason, UndeterminedReason::kModelUnavailable);
}

TEST(CascadeFailures, FailedListsAreToldAndHandOnOrStop) {
  TestHouse house;
  house.lists->fails = true;
  house.Open();
  const Verdict verdict = house.Judge("0.1 fine");
  EXPECT_EQ(verdict.outcome, Outcome::kSafe);
  ASSERT_EQ(verdict.notes.size(), 1U);
  house.settings.on_list_failure = OnFailure::kUndetermined;
  house.Open();
  EXPECT_EQ(house.Judge("0.1 fine").reason, UndeterminedReason::kInternalError);
}

TEST(CascadeFailures, AFailedReasonerIsFollowedByTheNextOrSaid) {
  TestHouse house;
  house.settings.reasoners.push_back({.name = "high"});
  house.reasoners.push_back(house.reasoners[0]);
  house.reasoners[0] = Failing(house, UndeterminedReason::kUnreadableAnswer);
  house.Open();
  EXPECT_EQ(house.Judge("0.5 bad").decided_by.settings.at("reasoner"), "high");

  house.settings.on_reasoner_failure = OnFailure::kUndetermined;
  house.Open();
  EXPECT_EQ(house.Judge("0.5 bad").reason, UndeterminedReason::kUnreadableAnswer);
}

TEST(CascadeFailures, AJudgeThatLosesVerdictsInventsNone) {
  TestHouse house;
  house.reasoners[0]->lost = 1;
  house.Open();
  EXPECT_EQ(house.Judge("0.5 bad").reason, UndeterminedReason::kInternalError);
  house.screen->lost = 1;
  house.settings.on_screen_failure = OnFailure::kUndetermined;
  house.Open();
  EXPECT_EQ(house.Judge("0.1 fine").outcome, Outcome::kUndetermined);
}

TEST(CascadeFailures, EmptyContentIsAskedOfNobodyElse) {
  TestHouse house;
  house.screen = Failing(house, UndeterminedReason::kEmptyContent);
  house.Open();
  EXPECT_EQ(house.Judge("").reason, UndeterminedReason::kEmptyContent);
  EXPECT_EQ(house.reasoners[0]->asked, 0U);
}

TEST(CascadeFailures, WhenTimeIsUpTheAnswerIsUndeterminedOrTheScreensMarked) {
  TestHouse house;
  house.settings.time_budget = std::chrono::seconds(2);
  house.settings.policies.push_back({.policy = "spam", .band = Band{0.05, 0.95}});
  house.reasoners[0]->takes = std::chrono::seconds(5);
  house.Open();
  const Verdict late = house.Judge("0.1 bad");
  EXPECT_EQ(late.reason, UndeterminedReason::kTimeout);
  EXPECT_EQ(house.clock->Now(), std::chrono::seconds(2));

  house.settings.unanswered = Unanswered::kProvisional;
  house.Open();
  const Verdict provisional = house.Judge("0.1 bad");
  EXPECT_EQ(provisional.outcome, Outcome::kSafe);
  EXPECT_TRUE(provisional.provisional);
  // Where the screen has not decided, or may not, nothing is provisional.
  EXPECT_EQ(house.Judge("0.5 bad").reason, UndeterminedReason::kTimeout);
  EXPECT_EQ(house.Judge("0.1 hallo").reason, UndeterminedReason::kTimeout);
}

TEST(CascadeFailures, ALateScreenIsUndetermined) {
  TestHouse house;
  house.screen->takes = std::chrono::hours(1);
  house.Open();
  EXPECT_EQ(house.Judge("0.1 fine").reason, UndeterminedReason::kTimeout);
}

TEST(CascadeFailures, ThreadsAllTakenIsOverload) {
  TestHouse house;
  house.calls->busy = true;
  house.Open();
  EXPECT_EQ(house.Judge("0.1 fine").reason, UndeterminedReason::kOverload);
}

TEST(CascadeFailures, LateWorkIsFinishedLaterWhereThereIsSomebodyToDoIt) {
  TestHouse house;
  house.defers = true;
  house.settings.governor.latency_p99 = std::chrono::milliseconds(500);
  house.reasoners[0]->takes = std::chrono::seconds(3);
  Cascade& cascade = house.Open();
  const Verdict now = house.Judge("0.5 bad");
  EXPECT_EQ(now.reason, UndeterminedReason::kTimeout);
  EXPECT_TRUE(now.provisional);
  EXPECT_EQ(house.clock->Now(), std::chrono::milliseconds(500));
  ASSERT_EQ(house.deferred->items.size(), 1U);
  EXPECT_EQ(house.deferred->items[0].reason, DeferReason::kLatency);

  const Verdict then = cascade.Finish(house.prepared, house.deferred->items[0]);
  EXPECT_EQ(then.outcome, Outcome::kViolation);
  EXPECT_FALSE(then.provisional);
}

TEST(CascadeFailures, WhoeverWaitsLessGetsTheRoutesAnswerInThatTime) {
  TestHouse house;
  house.defers = true;
  house.settings.unanswered = Unanswered::kProvisional;
  house.settings.policies.push_back({.policy = "spam", .band = Band{0, 0.5}});
  house.settings.time_budget = std::chrono::seconds(10);
  house.reasoners[0]->takes = std::chrono::seconds(3);
  Cascade& cascade = house.Open();
  const Content content = UserMessage("0.1 bad");
  const auto within = [&](Duration time) {
    return cascade.DecideWithin(std::span(&house.prepared, 1), std::span(&content, 1), time).at(0);
  };
  const Verdict early = within(std::chrono::milliseconds(200));
  EXPECT_EQ(early.outcome, Outcome::kSafe);
  EXPECT_TRUE(early.provisional);
  EXPECT_EQ(house.clock->Now(), std::chrono::milliseconds(200));
  EXPECT_EQ(house.deferred->items.size(), 1U);
  EXPECT_EQ(within(std::chrono::seconds(20)).outcome, Outcome::kViolation);
  house.reasoners[0]->takes = std::chrono::seconds(15);
  EXPECT_TRUE(within(std::chrono::seconds(20)).provisional) << "the route's own budget holds too";
}

TEST(CascadeFailures, WhatIsFinishedLaterHasItsOwnTime) {
  TestHouse house;
  house.defers = true;
  house.settings.time_budget = std::chrono::seconds(2);
  house.settings.finish_budget = std::chrono::seconds(30);
  house.reasoners[0]->takes = std::chrono::seconds(20);
  Cascade& cascade = house.Open();
  EXPECT_EQ(house.Judge("0.5 bad").reason, UndeterminedReason::kTimeout);
  ASSERT_EQ(house.deferred->items.size(), 1U);
  EXPECT_EQ(cascade.Finish(house.prepared, house.deferred->items[0]).outcome, Outcome::kViolation);
  house.reasoners[0]->takes = std::chrono::seconds(40);
  EXPECT_EQ(cascade.Finish(house.prepared, house.deferred->items[0]).reason,
            UndeterminedReason::kTimeout);
}

TEST(CascadeFailures, ARouteNeedsAPlaceForLaterOnlyWhenItMayLeaveSomething) {
  TestHouse house;
  EXPECT_FALSE(PutsOff(house.settings));
  house.settings.governor.budget.tokens_per_second = 100;
  EXPECT_TRUE(PutsOff(house.settings));
  house.settings.governor.order = {Degradation::kShed};
  EXPECT_FALSE(PutsOff(house.settings));
  house.settings.audit.later = true;
  EXPECT_TRUE(PutsOff(house.settings));
  house.settings.reasoners.clear();
  EXPECT_FALSE(PutsOff(house.settings)) << "nobody would finish it";
}

TEST(CascadeFailures, AKnownSlowReasonerIsNotWaitedFor) {
  TestHouse house;
  house.defers = true;
  house.settings.governor.latency_p99 = std::chrono::milliseconds(500);
  house.reasoners[0]->takes = std::chrono::seconds(3);
  house.Open();
  for (int i = 0; i < 100; ++i) {
    house.Judge("0.5 bad");
  }
  EXPECT_LT(house.reasoners[0]->asked, 20U);  // the first ones, and now and then a try
  EXPECT_EQ(house.deferred->items.size(), 100U);
}

TEST(CascadeFailures, WhatCouldNotBeDeferredIsNotSaidToBe) {
  TestHouse house;
  house.defers = true;
  house.deferred->fails = true;
  house.settings.governor.latency_p99 = std::chrono::milliseconds(500);
  house.reasoners[0]->takes = std::chrono::seconds(30);
  house.Open();
  const Verdict verdict = house.Judge("0.5 bad");
  EXPECT_EQ(verdict.reason, UndeterminedReason::kTimeout);
  EXPECT_FALSE(verdict.provisional);
}

TEST(CascadeFailures, AuditsCanWaitAndAreCountedWhenTheirAnswerIsThere) {
  TestHouse house;
  house.defers = true;
  house.settings.audit.safe_share = 1;
  house.settings.audit.later = true;
  Cascade& cascade = house.Open();
  const Verdict now = house.Judge("0.1 bad");
  EXPECT_EQ(now.outcome, Outcome::kSafe);
  EXPECT_FALSE(now.provisional);
  EXPECT_EQ(cascade.audit().Trailing("spam").audited_safe, 0U);
  ASSERT_EQ(house.deferred->items.size(), 1U);
  EXPECT_EQ(cascade.Finish(house.prepared, house.deferred->items[0]).outcome, Outcome::kViolation);
  EXPECT_EQ(cascade.audit().Trailing("spam").misses, 1U);
}

DeferredItem Submitted(const TestHouse& house, const std::string& text) {
  DeferredItem item;
  item.content = UserMessage(text);
  item.policy = house.policy.Reference();
  item.provisional = Undetermined(item.policy, UndeterminedReason::kTimeout, "nobody has looked");
  item.reason = DeferReason::kAsked;
  return item;
}

TEST(CascadeFailures, WhatWasSubmittedGoesThroughAllLayers) {
  TestHouse house;
  house.settings.audit.safe_share = 1;
  house.lists->entries["known"] = {.effect = ListEffect::kViolation, .list = "l", .entry = "1"};
  Cascade& cascade = house.Open();
  const auto finish = [&](const std::string& text) {
    return cascade.Finish(house.prepared, Submitted(house, text));
  };
  EXPECT_EQ(finish("0.1 known").decided_by.layer, "list");
  EXPECT_EQ(finish("0.1 fine").decided_by.layer, "screen");
  EXPECT_EQ(house.reasoners[0]->asked, 0U) << "it counts in no audit, and none is drawn";
  EXPECT_EQ(finish("0.5 bad").decided_by.layer, "reasoner");
  EXPECT_EQ(cascade.audit().Trailing("spam").screened, 0U);
}

TEST(CascadeFailures, WhatWasSubmittedWaitsForTheBudgetAndIsNotAnsweredByTheScreen) {
  TestHouse house;
  house.settings.unanswered = Unanswered::kProvisional;
  house.settings.policies.push_back({.policy = "spam", .band = Band{0, 0.5}});
  house.settings.governor.budget.tokens_per_second = 1;
  house.settings.governor.budget.burst = std::chrono::seconds(100);
  house.settings.reasoners[0].tokens = 100;
  house.settings.review_undetermined = true;
  Cascade& cascade = house.Open();
  EXPECT_EQ(cascade.Finish(house.prepared, Submitted(house, "0.1 bad")).outcome,
            Outcome::kViolation)
      << "the burst";
  const Verdict now = cascade.Finish(house.prepared, Submitted(house, "0.1 bad"));
  EXPECT_EQ(now.outcome, Outcome::kUndetermined);
  EXPECT_EQ(now.reason, UndeterminedReason::kOverload) << "not now: it comes again";
  EXPECT_TRUE(house.review->items.empty()) << "so no person need look at it";
}

TEST(CascadeFailures, WithoutBudgetTheAnswerIsUndetermined) {
  TestHouse house;
  house.settings.governor.budget.tokens_per_second = 1;
  house.settings.governor.budget.burst = std::chrono::seconds(100);
  house.settings.reasoners[0].tokens = 100;
  house.Open();
  EXPECT_EQ(house.Judge("0.5 bad").outcome, Outcome::kViolation);  // the burst
  for (int i = 0; i < 20; ++i) {
    const Verdict verdict = house.Judge("0.5 bad");
    EXPECT_EQ(verdict.outcome, Outcome::kUndetermined);
  }
  EXPECT_EQ(house.reasoners[0]->asked, 1U);
}

TEST(CascadeFailures, OfflineWorkIsGivenItsTimeAContent) {
  TestHouse house;
  house.settings.bulk = true;
  house.settings.time_budget = std::chrono::seconds(2);
  house.reasoners[0]->takes = std::chrono::seconds(1);
  house.Open();
  const std::vector<Content> contents(30, UserMessage("0.5 bad"));
  for (const Verdict& verdict : house.cascade->Decide(std::span(&house.prepared, 1), contents)) {
    EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  }
}

}  // namespace
}  // namespace safeguard::moderation::route
