// Scenarios over all layers with stand-ins: who decides what, and what is asked of whom.
#include "moderation/cascade.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "moderation/cascade/route/test_parts.h"

namespace safeguard::moderation::route {
namespace {

TEST(Cascade, TheScreenDecidesOutsideTheBandAndTheReasonerInside) {
  TestHouse house;
  house.Open();

  const Verdict safe = house.Judge("0.1 hello");
  EXPECT_EQ(safe.outcome, Outcome::kSafe);
  EXPECT_EQ(safe.decided_by.layer, "screen");
  EXPECT_EQ(house.reasoners[0]->asked, 0U);

  const Verdict violation = house.Judge("0.9 buy");
  EXPECT_EQ(violation.outcome, Outcome::kViolation);
  EXPECT_EQ(violation.decided_by.layer, "screen");

  const Verdict bad = house.Judge("0.5 bad");
  EXPECT_EQ(bad.outcome, Outcome::kViolation);
  EXPECT_EQ(bad.decided_by.layer, "reasoner");
  EXPECT_EQ(bad.decided_by.settings.at("reasoner"), "low");
  ASSERT_EQ(bad.path.size(), 2U);
  EXPECT_EQ(bad.path[0].layer, "screen");
  EXPECT_EQ(bad.path[1].why, "decides");
  EXPECT_EQ(house.Judge("0.5 fine").outcome, Outcome::kSafe);
}

TEST(Cascade, ABandOfTheRouteWidensWhatIsAsked) {
  TestHouse house;
  house.settings.policies.push_back({.policy = "spam", .band = Band{0.05, 0.95}});
  house.Open();
  EXPECT_EQ(house.Judge("0.9 fine").outcome, Outcome::kSafe);  // a false alarm of the screen
  EXPECT_EQ(house.Judge("0.1 bad").outcome, Outcome::kViolation);
  EXPECT_EQ(house.Judge("0.01 bad").decided_by.layer, "screen");
}

TEST(Cascade, ListsDecideFirstAndContradictingOnesDecideNothing) {
  TestHouse house;
  house.lists->entries["known"] = {.effect = ListEffect::kViolation,
                                   .list = "hashes",
                                   .entry = "17",
                                   .reason = "seen before",
                                   .category = "S",
                                   .rule_ids = {"S1", "no such rule"},
                                   .evidence = {}};
  house.lists->entries["cleared"] = {.effect = ListEffect::kSafe, .list = "cleared", .entry = "4"};
  house.lists->entries["odd"] = {.effect = ListEffect::kSuspect, .list = "terms", .entry = "9"};
  house.Open();

  const Verdict known = house.Judge("0.1 known");
  EXPECT_EQ(known.outcome, Outcome::kViolation);
  EXPECT_EQ(known.decided_by.layer, "list");
  EXPECT_EQ(known.rule_ids, std::vector<std::string>{"S1"});
  EXPECT_EQ(house.Judge("0.9 cleared").outcome, Outcome::kSafe);
  EXPECT_EQ(house.screen->asked, 0U);

  EXPECT_EQ(house.Judge("0.1 known cleared bad").decided_by.layer, "reasoner");
  const Verdict odd = house.Judge("0.1 odd bad");
  EXPECT_EQ(odd.outcome, Outcome::kViolation);
  EXPECT_EQ(odd.decided_by.layer, "reasoner");
}

TEST(Cascade, EveryLanguageOfMixedContentMustBeProven) {
  TestHouse house;
  house.Open();
  const Verdict mixed = house.Judge("0.1 mixed bad");
  EXPECT_EQ(mixed.decided_by.layer, "reasoner");
  EXPECT_NE(mixed.path.front().why.find("the language fr"), std::string::npos);
  house.policy.languages = {"en", "fr"};
  house.Open();
  EXPECT_EQ(house.Judge("0.1 mixed bad").decided_by.layer, "screen");
}

TEST(Cascade, ALanguageThatIsNotKnownIsNotProven) {
  TestHouse house;
  house.Open();
  for (const std::string text : {"0.1 lol bad", "0.1 perhaps bad"}) {
    EXPECT_EQ(house.Judge(text).outcome, Outcome::kViolation) << "the next layer is asked";
  }
  EXPECT_EQ(house.Judge("0.9 lol").decided_by.layer, "screen") << "a violation it may call";
  Content stated = UserMessage("0.1 lol bad");
  stated.language = "en";
  EXPECT_EQ(house.Judge(stated).decided_by.layer, "screen") << "who sends it knows";
  house.settings.gate_unknown = false;
  house.Open();
  EXPECT_EQ(house.Judge("0.1 lol bad").decided_by.layer, "screen");
  EXPECT_EQ(house.Judge("0.1 hallo bad").decided_by.layer, "reasoner");

  // Without a reasoner nobody says safe.
  house.settings.gate_unknown = true;
  house.settings.reasoners.clear();
  house.reasoners.clear();
  house.Open();
  EXPECT_EQ(house.Judge("0.1 lol").outcome, Outcome::kUndetermined);
  // Nor without anybody who can tell languages apart.
  house.languages = nullptr;
  house.Open();
  EXPECT_EQ(house.Judge("0.1 fine").outcome, Outcome::kUndetermined);
}

TEST(Cascade, AnotherLanguageIsNotCalledSafeByTheScreenAlone) {
  TestHouse house;
  house.Open();
  EXPECT_EQ(house.Judge("0.1 hallo bad").decided_by.layer, "reasoner");
  EXPECT_EQ(house.Judge("0.9 hallo").decided_by.layer, "screen");  // a violation it may call
  Content stated = UserMessage("0.1 bad");
  stated.language = "pt-BR";
  EXPECT_EQ(house.Judge(stated).outcome, Outcome::kViolation);
  stated.language = "en-GB";
  EXPECT_EQ(house.Judge(stated).outcome, Outcome::kSafe);

  house.settings.reasoners.clear();
  house.reasoners.clear();
  house.Open();
  const Verdict alone = house.Judge("0.1 hallo");
  EXPECT_EQ(alone.outcome, Outcome::kUndetermined);
  EXPECT_EQ(alone.reason, UndeterminedReason::kUncertain);
}

TEST(Cascade, WhoIsNotSureIsFollowedByTheNextReasoner) {
  TestHouse house;
  house.settings.reasoners[0].unsure = Band{0.2, 0.8};
  house.settings.reasoners.push_back({.name = "high"});
  house.reasoners[0] = std::make_shared<TestJudge>(
      house.clock, [](const Policy&, const Content& content, std::uint64_t) {
        const bool sure = content.messages.front().text.find("sure") != std::string::npos;
        return TestVerdict("reasoner", Outcome::kSafe, sure ? 0.01 : 0.4);
      });
  house.reasoners.push_back(std::make_shared<TestJudge>(
      house.clock, [](const Policy&, const Content& content, std::uint64_t) {
        return ReasonerAnswer(content);
      }));
  house.Open();
  EXPECT_EQ(house.Judge("0.5 sure bad").decided_by.settings.at("reasoner"), "low");
  const Verdict second = house.Judge("0.5 bad");
  EXPECT_EQ(second.outcome, Outcome::kViolation);
  EXPECT_EQ(second.decided_by.settings.at("reasoner"), "high");
  EXPECT_EQ(second.path.size(), 3U);
}

TEST(Cascade, OfSeveralSamplesMoreThanHalfMustAgree) {
  TestHouse house;
  house.settings.reasoners[0].samples = 5;
  std::size_t violations = 3;
  house.reasoners[0] = std::make_shared<TestJudge>(
      house.clock, [&violations](const Policy&, const Content&, std::uint64_t sample) {
        return sample < violations ? TestVerdict("reasoner", Outcome::kViolation, 0.9)
               : sample == 4       ? TestVerdict("reasoner", Outcome::kUndetermined, 0.5)
                                   : TestVerdict("reasoner", Outcome::kSafe, 0.1);
      });
  house.Open();
  const Verdict won = house.Judge("0.5 x");
  EXPECT_EQ(won.outcome, Outcome::kViolation);
  EXPECT_EQ(won.decided_by.settings.at("votes"), "3 violation, 1 safe, 1 undetermined");
  violations = 2;
  EXPECT_EQ(house.Judge("0.5 x").reason, UndeterminedReason::kUncertain);
}

TEST(Cascade, UndeterminedGoesToPeopleWhereTheRouteSaysSo) {
  TestHouse house;
  house.settings.review_undetermined = true;
  house.settings.policies.push_back({.policy = "spam", .severity = 4});
  house.reasoners[0] =
      std::make_shared<TestJudge>(house.clock, [](const Policy&, const Content&, std::uint64_t) {
        return TestVerdict("reasoner", Outcome::kUndetermined, 0.5);
      });
  house.Open();
  EXPECT_EQ(house.Judge("0.5 x").outcome, Outcome::kUndetermined);
  EXPECT_EQ(house.Judge("0.1 x").outcome, Outcome::kSafe);
  ASSERT_EQ(house.review->items.size(), 1U);
  EXPECT_DOUBLE_EQ(house.review->items[0].priority, 2);
}

TEST(Cascade, AuditsAreDrawnAtTheirShareAndMendTheVerdict) {
  TestHouse house;
  house.settings.audit.safe_share = 0.25;
  house.Open();
  std::size_t mended = 0;
  for (int i = 0; i < 4000; ++i) {
    const Verdict verdict = house.Judge("0.1 bad");
    mended += verdict.decided_by.layer == "reasoner" ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(mended), 1000, 120);  // more than four deviations
  const RecallEstimate estimate = house.cascade->audit().Trailing("spam");
  EXPECT_EQ(estimate.audited_safe, mended);
  EXPECT_DOUBLE_EQ(*estimate.recall, 0);  // the screen misses all there is
}

TEST(Cascade, DriftOfTheScreenIsSeenAndAlarmed) {
  TestHouse house;
  house.settings.audit = {.safe_share = 0.1, .violation_share = 0.1};
  house.settings.policies.push_back({.policy = "spam", .recall_bound = 0.8});
  house.Open();
  const auto traffic = [&](int missed_in_ten) {
    for (int i = 0; i < 3000; ++i) {
      // One in four is a violation; of those the screen misses some.
      const bool bad = i % 4 == 0;
      const bool missed = bad && (i / 4) % 10 < missed_in_ten;
      house.Judge(!bad ? "0.1 fine" : missed ? "0.1 bad" : "0.9 bad");
      house.clock->Advance(std::chrono::seconds(10));
    }
  };
  traffic(1);
  RecallEstimate estimate = house.cascade->audit().Trailing("spam");
  EXPECT_TRUE(house.alarms.empty());
  EXPECT_LE(estimate.low, 0.9);
  EXPECT_GE(estimate.high, 0.9);
  for (int day = 0; day < 4; ++day) {
    traffic(6);
  }
  estimate = house.cascade->audit().Trailing("spam");
  EXPECT_LE(estimate.low, 0.4);
  EXPECT_GE(estimate.high, 0.4);
  ASSERT_EQ(house.alarms.size(), 1U);
  EXPECT_EQ(house.alarms[0].policy, "spam");
}

// Whatever the scores and the reasoner: one verdict each, and each is what some layer said.
RC_GTEST_PROP(Cascade, EveryCaseGetsTheVerdictOfALayer, ()) {
  TestHouse house;
  house.settings.audit = {.safe_share = *rc::gen::elementOf(std::vector<double>{0, 0.5, 1}),
                          .violation_share = 0.5};
  house.settings.unanswered = *rc::gen::elementOf(
      std::vector<Unanswered>{Unanswered::kUndetermined, Unanswered::kProvisional});
  house.defers = *rc::gen::arbitrary<bool>();
  house.reasoners[0]->takes = std::chrono::milliseconds(*rc::gen::inRange(0, 15'000));
  house.reasoners[0]->lost = *rc::gen::inRange<std::size_t>(0, 2);
  house.Open();
  std::vector<Content> contents;
  const std::size_t count = *rc::gen::inRange<std::size_t>(1, 8);
  for (std::size_t i = 0; i < count; ++i) {
    contents.push_back(UserMessage(std::to_string(*rc::gen::inRange(0, 101) / 100.0) +
                                   (*rc::gen::arbitrary<bool>() ? " bad" : " fine") +
                                   (*rc::gen::arbitrary<bool>() ? " hallo" : "") +
                                   (*rc::gen::arbitrary<bool>() ? " dear judge" : "")));
  }
  const Duration begin = house.clock->Now();
  const std::vector<Verdict> verdicts =
      house.cascade->Decide(std::span(&house.prepared, 1), contents);
  RC_ASSERT(verdicts.size() == contents.size());
  RC_ASSERT(house.clock->Now() - begin <= house.settings.time_budget);
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const Verdict& verdict = verdicts[i];
    const Outcome screen = ScreenAnswer(contents[i]).outcome;
    const Outcome reasoner = ReasonerAnswer(contents[i]).outcome;
    RC_ASSERT((verdict.outcome == Outcome::kUndetermined) ==
              (verdict.reason != UndeterminedReason::kNone));
    if (verdict.outcome != Outcome::kUndetermined) {
      RC_ASSERT(verdict.outcome == (verdict.decided_by.layer == "screen" ? screen : reasoner));
      RC_ASSERT(!(verdict.outcome == Outcome::kSafe && verdict.decided_by.layer == "screen" &&
                  contents[i].messages[0].text.find("hallo") != std::string::npos));
    }
    RC_ASSERT(!verdict.provisional || house.defers ||
              house.settings.unanswered == Unanswered::kProvisional);
  }
}

}  // namespace
}  // namespace safeguard::moderation::route
