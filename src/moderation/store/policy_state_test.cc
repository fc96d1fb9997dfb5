#include "moderation/policy_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <utility>

namespace safeguard::moderation {
namespace {

using ::testing::HasSubstr;

StoreEvent Event(EventKind kind, int number = 0, VersionState to = VersionState::kDraft) {
  StoreEvent event;
  event.kind = kind;
  event.policy_id = "spam";
  event.number = number;
  event.to = to;
  event.who = "ada";
  event.when = 7;
  event.canary_percent = to == VersionState::kCanary ? 10 : 0;
  return event;
}

// A history as it happens; what is not legal leaves no trace.
class Life {
 public:
  bool Do(StoreEvent event) {
    Result<EventEffect> effect = ApplyEvent(state, std::move(event));
    error = effect ? "" : Describe(effect.error());
    if (effect) {
      state = effect->state;
    }
    return effect.has_value();
  }
  bool Publish(const std::string& hash) {
    StoreEvent event = Event(EventKind::kPublish);
    event.hash = hash;
    return Do(event);
  }
  bool Move(int number, VersionState to) { return Do(Event(EventKind::kMove, number, to)); }
  [[nodiscard]] VersionState Of(int number) const {
    return state.versions.at(static_cast<std::size_t>(number) - 1).state;
  }

  PolicyState state{.policy_id = "spam", .versions = {}, .activations = {}, .two_person = {}};
  std::string error;
};

TEST(PolicyState, EveryPairOfStatesIsLegalOrNotAsDocumented) {
  using enum VersionState;
  const std::vector<std::pair<VersionState, VersionState>> legal = {
      {kDraft, kShadow},  {kDraft, kCanary},   {kDraft, kActive},   {kDraft, kRetired},
      {kShadow, kCanary}, {kShadow, kActive},  {kShadow, kRetired}, {kCanary, kCanary},
      {kCanary, kActive}, {kCanary, kRetired}, {kRetired, kDraft}};
  for (const VersionState from : {kDraft, kShadow, kCanary, kActive, kRetired}) {
    for (const VersionState to : {kDraft, kShadow, kCanary, kActive, kRetired}) {
      Life life;
      ASSERT_TRUE(life.Publish("a"));
      ASSERT_TRUE(from == kDraft || life.Move(1, from));
      EXPECT_EQ(life.Move(1, to), std::ranges::count(legal, std::pair{from, to}) == 1)
          << ToString(from) << " to " << ToString(to) << ": " << life.error;
    }
  }
}

TEST(PolicyState, RollbackGoesOneStepBackEachTime) {
  Life life;
  for (int number = 1; number <= 3; ++number) {
    ASSERT_TRUE(life.Publish(std::to_string(number)));
    ASSERT_TRUE(life.Move(number, VersionState::kActive));
  }
  EXPECT_TRUE(life.Do(Event(EventKind::kRollback)));
  EXPECT_EQ(life.Of(2), VersionState::kActive);
  EXPECT_EQ(life.Of(3), VersionState::kRetired);
  EXPECT_TRUE(life.Do(Event(EventKind::kRollback)));
  EXPECT_EQ(life.Of(1), VersionState::kActive);
  EXPECT_FALSE(life.Do(Event(EventKind::kRollback)));
  EXPECT_THAT(life.error, HasSubstr("no version of spam was active before spam@1"));
}

TEST(PolicyState, RetiringThePolicyIsUndoneByRollback) {
  Life life;
  ASSERT_TRUE(life.Publish("a"));
  ASSERT_TRUE(life.Move(1, VersionState::kActive));
  ASSERT_TRUE(life.Do(Event(EventKind::kRetirePolicy)));
  EXPECT_EQ(life.Of(1), VersionState::kRetired);
  EXPECT_FALSE(life.Do(Event(EventKind::kRetirePolicy)));
  EXPECT_TRUE(life.Do(Event(EventKind::kRollback)));
  EXPECT_EQ(life.Of(1), VersionState::kActive);
}

TEST(PolicyState, TheSecondPersonMustBeAnotherOne) {
  Life life;
  StoreEvent rule = Event(EventKind::kTwoPersonRule);
  rule.two_person = true;
  ASSERT_TRUE(life.Do(rule));
  ASSERT_TRUE(life.Publish("a"));
  EXPECT_TRUE(life.Move(1, VersionState::kShadow)) << "a shadow answers nobody";
  EXPECT_FALSE(life.Move(1, VersionState::kActive));
  EXPECT_THAT(life.error, HasSubstr("safeguard policy approve spam@1"));
  StoreEvent approval = Event(EventKind::kApprove, 1);
  approval.who = " Ada";
  EXPECT_FALSE(life.Do(approval));
  approval.who = "grace";
  EXPECT_TRUE(life.Do(approval));
  EXPECT_TRUE(life.Move(1, VersionState::kActive));
}

TEST(PolicyState, ARetiredVersionComesBackAsADraftWithoutItsApproval) {
  Life life;
  ASSERT_TRUE(life.Publish("a"));
  StoreEvent approval = Event(EventKind::kApprove, 1);
  approval.who = "grace";
  ASSERT_TRUE(life.Do(approval));
  ASSERT_TRUE(life.Move(1, VersionState::kRetired));
  ASSERT_TRUE(life.Move(1, VersionState::kDraft));
  EXPECT_EQ(life.state.versions[0].approved_by, "");
}

TEST(PolicyState, InvariantsHoldUnderAnySequenceOfEvents) {
  rc::check("invariants", [] {
    Life life;
    const int steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
      StoreEvent event =
          Event(static_cast<EventKind>(*rc::gen::inRange(0, 6)), *rc::gen::inRange(0, 6),
                static_cast<VersionState>(*rc::gen::inRange(0, 5)));
      event.hash = std::to_string(*rc::gen::inRange(0, 5));
      event.who = *rc::gen::element("ada", "grace", "");
      event.two_person = *rc::gen::element<std::optional<bool>>(true, false, std::nullopt);
      const PolicyState before = life.state;
      const bool done = life.Do(event);
      const auto count = [&](VersionState state) {
        return std::ranges::count(life.state.versions, state, &VersionInfo::state);
      };
      RC_ASSERT(count(VersionState::kActive) <= 1);
      RC_ASSERT(count(VersionState::kCanary) <= 1);
      RC_ASSERT(done || before.versions == life.state.versions);
      // Once a version is active, one is until the policy is retired.
      const bool was_active =
          std::ranges::count(before.versions, VersionState::kActive, &VersionInfo::state) == 1;
      RC_ASSERT(!was_active || event.kind == EventKind::kRetirePolicy ||
                count(VersionState::kActive) == 1);
      for (std::size_t v = 0; v < before.versions.size(); ++v) {
        RC_ASSERT(life.state.versions[v].hash == before.versions[v].hash);
        RC_ASSERT(life.state.versions[v].number == static_cast<int>(v) + 1);
      }
    }
  });
}

}  // namespace
}  // namespace safeguard::moderation
