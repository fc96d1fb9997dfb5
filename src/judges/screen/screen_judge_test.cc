#include "judges/screen/screen_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace safeguard::judges {
namespace {

using moderation::Content;
using moderation::Outcome;
using moderation::Policy;
using moderation::UndeterminedReason;
using moderation::Verdict;

class FakePolicy : public ScreenPolicy {
 public:
  explicit FakePolicy(Policy policy) : policy_(std::move(policy)) {}
  [[nodiscard]] const Policy& policy() const override { return policy_; }

 private:
  Policy policy_;
};

// Calls every text that holds "bad" a violation of the first rule, with the word as its evidence.
class FakeScreen : public Screen {
 public:
  Result<std::shared_ptr<const ScreenPolicy>> Prepare(
      const Policy& policy, std::span<const moderation::GoldenCase>) override {
    return std::make_shared<FakePolicy>(policy);
  }
  std::vector<ScreenScore> Score(std::span<const ScreenPolicy* const> policies,
                                 std::span<const std::string_view> texts,
                                 const moderation::StopSignal& stop) override {
    std::vector<ScreenScore> scores;
    if (stop && stop()) {
      return scores;
    }
    for (const std::string_view text : texts) {
      for (std::size_t p = 0; p < policies.size(); ++p) {
        const std::size_t at = text.find("bad");
        const bool found = at != std::string_view::npos;
        scores.push_back(
            {true, found ? 0.9 : 0.1, 0, std::nullopt, found ? at : 0, found ? at + 3 : 1});
      }
    }
    return scores;
  }
  [[nodiscard]] std::string model_name() const override { return "fake"; }
  [[nodiscard]] std::string model_hash() const override { return "0"; }
  [[nodiscard]] ThreadPool& pool() override { return pool_; }
  [[nodiscard]] std::string method() const override { return "by a word"; }

 private:
  ThreadPool pool_{2};
};

Policy OneRule() {
  Policy policy;
  policy.id = "p";
  moderation::Rule rule;
  rule.id = "P1";
  rule.level_id = "P";
  rule.text = "says bad things";
  rule.side = moderation::Side::kViolating;
  policy.rules = {rule};
  return policy;
}

Verdict Judge(const Content& content, const Policy& policy = OneRule(),
              std::size_t bytes_max = 1000) {
  ScreenJudge judge(std::make_unique<FakeScreen>(), bytes_max);
  const std::vector policies = {judge.Prepare(policy, {}).value()};
  return judge.Decide(policies, std::span(&content, 1)).at(0);
}

TEST(ScreenJudge, WhatTheTimeDidNotReachIsUndetermined) {
  ScreenJudge judge(std::make_unique<FakeScreen>(), 1000);
  const std::vector policies = {judge.Prepare(OneRule(), {}).value()};
  const Content content = moderation::UserMessage("this is bad indeed");
  for (const int looks : {0, 1}) {  // before the text is read, and while it is scored
    int asked = 0;
    const auto verdicts =
        judge.DecideUntil(policies, std::span(&content, 1), [&] { return asked++ >= looks; });
    ASSERT_EQ(verdicts.size(), 1U);
    EXPECT_EQ(verdicts[0].outcome, moderation::Outcome::kUndetermined);
    EXPECT_EQ(verdicts[0].reason, moderation::UndeterminedReason::kTimeout);
    EXPECT_EQ(verdicts[0].policy.id, "p");
  }
  EXPECT_EQ(judge.DecideUntil(policies, std::span(&content, 1), [] { return false; })[0].outcome,
            moderation::Outcome::kViolation);
}

TEST(ScreenJudge, AViolationNamesRuleEvidenceAndWhoDecided) {
  const Verdict verdict = Judge(moderation::UserMessage("this is bad indeed"));
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_THAT(verdict.rule_ids, testing::ElementsAre("P1"));
  EXPECT_EQ(verdict.category, "P");
  ASSERT_EQ(verdict.evidence.size(), 1U);
  EXPECT_EQ(verdict.evidence[0].start, 8U);
  EXPECT_EQ(verdict.evidence[0].text, "bad");
  EXPECT_EQ(verdict.decided_by.layer, "screen");
  EXPECT_THAT(verdict.rationale, testing::HasSubstr("Fast screen by a word, not the reasoner."));
  EXPECT_TRUE(verdict.timings_ms.contains("total"));
}

TEST(ScreenJudge, ASafeContentHasNoRuleAndNoEvidence) {
  const Verdict verdict = Judge(moderation::UserMessage("all is well"));
  EXPECT_EQ(verdict.outcome, Outcome::kSafe);
  EXPECT_TRUE(verdict.rule_ids.empty());
  EXPECT_TRUE(verdict.evidence.empty());
}

TEST(ScreenJudge, ObfuscationIsSeenThroughAndPointedAtInTheOriginal) {
  const std::string text = "so b\u200Ba\u200Bd, friend";
  const Verdict verdict = Judge(moderation::UserMessage(text));
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  EXPECT_NE(verdict.view, "original");
  ASSERT_EQ(verdict.evidence.size(), 1U);
  EXPECT_EQ(verdict.evidence[0].text, "b\u200Ba\u200Bd");
  EXPECT_EQ(verdict.evidence[0].start, 3U);
}

TEST(ScreenJudge, WhatCannotBeJudgedIsNeverSafe) {
  EXPECT_EQ(Judge(moderation::UserMessage("")).reason, UndeterminedReason::kEmptyContent);
  EXPECT_EQ(Judge(moderation::UserMessage(" \n\t")).reason, UndeterminedReason::kEmptyContent);
  EXPECT_EQ(Judge(moderation::UserMessage(std::string(1001, 'x'))).reason,
            UndeterminedReason::kContentTooLong);
  EXPECT_EQ(Judge(moderation::UserMessage("bad"), Policy{}).reason,
            UndeterminedReason::kPolicyWithoutRules);
  // A script that the model does not read: a low score means nothing.
  EXPECT_EQ(Judge(moderation::UserMessage("Привет, как дела сегодня?")).outcome,
            Outcome::kUndetermined);
}

TEST(ScreenJudge, BetweenTheThresholdsNobodyDecides) {
  Policy policy = OneRule();
  policy.thresholds = moderation::Thresholds{.violation = 0.95, .safe = 0.5};
  const Verdict verdict = Judge(moderation::UserMessage("bad"), policy);
  EXPECT_EQ(verdict.outcome, Outcome::kUndetermined);
  EXPECT_EQ(verdict.reason, UndeterminedReason::kUncertain);
  EXPECT_DOUBLE_EQ(verdict.score.value(), 0.9);
}

TEST(ScreenJudge, InvalidUtf8IsReplacedAndSaidSoWithOriginalOffsets) {
  const Verdict verdict = Judge(moderation::UserMessage("caf\xE9 is bad"));
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  ASSERT_EQ(verdict.notes.size(), 1U);
  EXPECT_THAT(verdict.notes[0], testing::HasSubstr("byte 3"));
  EXPECT_EQ(verdict.evidence[0].start, 8U);
  EXPECT_EQ(verdict.evidence[0].end, 11U);
}

TEST(ScreenJudge, AConversationPointsAtTheMessage) {
  Content content;
  content.kind = moderation::ContentKind::kConversation;
  content.messages = {{moderation::Role::kUser, "hello"},
                      {moderation::Role::kAssistant, "a bad idea"}};
  const Verdict verdict = Judge(content);
  EXPECT_EQ(verdict.outcome, Outcome::kViolation);
  ASSERT_EQ(verdict.evidence.size(), 1U);
  EXPECT_EQ(verdict.evidence[0].message, 1U);
  EXPECT_EQ(verdict.evidence[0].start, 2U);
}

TEST(ScreenJudge, ManyContentsAndPoliciesKeepTheirPlaces) {
  ScreenJudge judge(std::make_unique<FakeScreen>(), 1000);
  const std::vector policies = {judge.Prepare(OneRule(), {}).value(),
                                judge.Prepare(Policy{}, {}).value()};
  std::vector<Content> contents;
  for (int i = 0; i < 150; ++i) {
    contents.push_back(moderation::UserMessage(i % 3 == 0 ? "bad" : i % 3 == 1 ? "fine" : ""));
  }
  const std::vector<Verdict> verdicts = judge.Decide(policies, contents);
  ASSERT_EQ(verdicts.size(), 300U);
  for (std::size_t i = 0; i < 150; ++i) {
    const Outcome expected = i % 3 == 0   ? Outcome::kViolation
                             : i % 3 == 1 ? Outcome::kSafe
                                          : Outcome::kUndetermined;
    EXPECT_EQ(verdicts[2 * i].outcome, expected) << i;
    EXPECT_EQ(verdicts[2 * i + 1].outcome, Outcome::kUndetermined);
  }
}

}  // namespace
}  // namespace safeguard::judges
