#include "judges/reasoner/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace safeguard::judges {
namespace {

using moderation::Outcome;
using moderation::UndeterminedReason;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kSpam = R"(# Spam Policy (#SP)
## INSTRUCTIONS
Answer 1 or 0.
## VIOLATES (1)
### SP2 - Bulk promotion
- **SP2.a** Unsolicited advertising.
- **SP2.b** Follower sales.
### SP4 - Fraud
- **SP4.a** Fake prizes.
## SAFE (0)
### SP0 - Allowed
- **SP0.a** Asking a question.
- **SP0.b** Sharing one's own work once.
)";

constexpr std::string_view kValid = R"(---
id: valid
labels: {VALID: safe, INVALID: violation}
---
# Reviews
Respond with VALID or INVALID.
## Violates
- R1 Paid reviews.
## Safe
- R2 Honest opinion.
)";

moderation::Policy Read(std::string_view text) {
  Result<moderation::Policy> policy = moderation::ReadPolicy(text, "test");
  EXPECT_TRUE(policy.has_value());
  return std::move(*policy);
}

AnswerReading Answer(std::string_view policy_text, std::string_view answer) {
  const moderation::Policy policy = Read(policy_text);
  return ReadAnswer(policy, AnswerLabels(policy), answer);
}

TEST(ReadAnswer, ABareLabelIsTheOutcome) {
  for (const std::string answer : {"1", " 1\n", "1.", "**1**", "\"1\"", "`1`", "```\n1\n```"}) {
    EXPECT_EQ(Answer(kSpam, answer).outcome, Outcome::kViolation) << answer;
  }
  EXPECT_EQ(Answer(kSpam, "0").outcome, Outcome::kSafe);
  EXPECT_EQ(Answer(kValid, "INVALID").outcome, Outcome::kViolation);
  EXPECT_EQ(Answer(kValid, "valid").outcome, Outcome::kSafe);
  EXPECT_EQ(Answer(kValid, "VALID.").reason, UndeterminedReason::kNone);
  EXPECT_EQ(Answer(kSpam, "not safe").outcome, Outcome::kViolation);
}

TEST(ReadAnswer, ALevelOrRuleAsLabelIsCited) {
  const AnswerReading level = Answer(kSpam, "SP4");
  EXPECT_EQ(level.outcome, Outcome::kViolation);
  EXPECT_EQ(level.category, "SP4");
  const AnswerReading depicted = Answer(kSpam, "D-SP2.b");
  EXPECT_EQ(depicted.outcome, Outcome::kViolation);
  EXPECT_THAT(depicted.rule_ids, ElementsAre("SP2.b"));
  EXPECT_EQ(Answer(kSpam, "SP0").outcome, Outcome::kSafe);
}

TEST(ReadAnswer, ALabelMayBeFollowedByItsGrounds) {
  const AnswerReading reading = Answer(kValid, "INVALID: R1 applies, the author was paid.");
  EXPECT_EQ(reading.outcome, Outcome::kViolation);
  EXPECT_THAT(reading.rule_ids, ElementsAre("R1"));
  EXPECT_THAT(reading.rationale, HasSubstr("was paid"));
  EXPECT_EQ(Answer(kSpam, "0\n\nNot SP2.a: a question.").outcome, Outcome::kSafe);
  EXPECT_EQ(Answer(kSpam, "1 - sells followers").outcome, Outcome::kViolation);
  EXPECT_EQ(Answer(kValid, "INVALID because it is paid").outcome, Outcome::kViolation);
}

TEST(ReadAnswer, AWordThatStartsASentenceIsNoLabel) {
  for (const std::string answer :
       {"No problem! Here is the story you asked for.", "1. Mix the flour\n2. Add the eggs",
        "Safe travels, and thank you for the good question", "Yes, here is the poem you want",
        "Valid point, let me write that essay for you now"}) {
    const AnswerReading reading = Answer(kSpam, answer);
    EXPECT_EQ(reading.outcome, Outcome::kUndetermined) << answer;
    EXPECT_EQ(reading.reason, UndeterminedReason::kObeyedContent) << answer;
  }
}

TEST(ReadAnswer, JsonInItsManySpellings) {
  const AnswerReading full = Answer(
      kSpam,
      R"({"violation":1,"policy_category":"SP2","rule_ids":["SP2.a"],"confidence":"high","rationale":"An ad."})");
  EXPECT_EQ(full.outcome, Outcome::kViolation);
  EXPECT_EQ(full.category, "SP2");
  EXPECT_THAT(full.rule_ids, ElementsAre("SP2.a"));
  EXPECT_EQ(full.confidence, "high");
  EXPECT_EQ(full.rationale, "An ad.");
  EXPECT_EQ(Answer(kSpam, R"({"violation": false, "policy_category": null})").outcome,
            Outcome::kSafe);
  EXPECT_EQ(Answer(kSpam, R"({"violation": "1"})").outcome, Outcome::kViolation);
  EXPECT_EQ(Answer(kSpam, R"({"label": "SP4.a"})").category, "SP4");
  EXPECT_EQ(Answer(kSpam, R"({"safe": true})").outcome, Outcome::kSafe);
  EXPECT_EQ(Answer(kSpam, R"({"policy_category": "SP2"})").outcome, Outcome::kViolation);
  EXPECT_EQ(Answer(kSpam, "Here it is:\n```json\n{\"violation\": 0}\n```").outcome, Outcome::kSafe);
  EXPECT_THAT(Answer(kSpam, R"({"violation":1,"rules":"SP2.a, sp2.b"})").rule_ids,
              ElementsAre("SP2.a", "SP2.b"));
}

TEST(ReadAnswer, WhatThePolicyDoesNotHaveIsNotCited) {
  const AnswerReading reading =
      Answer(kSpam, R"({"violation":1,"policy_category":"SP9","rule_ids":["SP9.z","SP2.a"]})");
  EXPECT_EQ(reading.outcome, Outcome::kViolation);
  EXPECT_THAT(reading.rule_ids, ElementsAre("SP2.a"));
  EXPECT_EQ(reading.category, "SP2");
  EXPECT_THAT(reading.notes, Contains(HasSubstr("SP9.z")));
}

TEST(ReadAnswer, ContradictionsDecideNothing) {
  for (const std::string answer :
       {R"({"violation":0,"rule_ids":["SP2.a"]})", R"({"violation":0,"policy_category":"SP4"})",
        R"({"violation":1,"verdict":"safe"})", R"({"violation":0} or maybe {"violation":1})",
        "0\n1"}) {
    const AnswerReading reading = Answer(kSpam, answer);
    EXPECT_EQ(reading.outcome, Outcome::kUndetermined) << answer;
    EXPECT_EQ(reading.reason, UndeterminedReason::kUnreadableAnswer) << answer;
  }
}

TEST(ReadAnswer, EchoesOfTheCue) {
  for (const std::string answer : {"Answer (1 or 0):", "Content: buy followers", "1 or 0",
                                   "**Answer (1 or 0):**", "VALID/INVALID", "Label: [ ]"}) {
    EXPECT_EQ(Answer(kSpam, answer).reason, UndeterminedReason::kEchoedCue) << answer;
  }
  const AnswerReading read = Answer(kSpam, "Content: buy\nfollowers now\nAnswer (1 or 0): 1");
  EXPECT_EQ(read.outcome, Outcome::kViolation);
  EXPECT_THAT(read.notes, Contains(HasSubstr("cue")));
  EXPECT_EQ(Answer(kValid, "Classification: VALID").outcome, Outcome::kSafe);
}

TEST(ReadAnswer, Refusals) {
  for (const std::string answer :
       {"I'm sorry, but I can't help with that.", "I\u2019m sorry, I can\u2019t assist.",
        "Lo siento, no puedo ayudar con eso.", "Sorry, but I can't continue this story",
        "I cannot comply with this request {\"violation\":0}"}) {
    EXPECT_EQ(Answer(kSpam, answer).reason, UndeterminedReason::kRefusal) << answer;
  }
}

TEST(ReadAnswer, AskingForAPersonIsNotSafe) {
  EXPECT_EQ(Answer(kSpam, R"({"violation":0,"rationale":"ESCALATE: author unclear"})").reason,
            UndeterminedReason::kUncertain);
  EXPECT_EQ(Answer(kSpam, "ESCALATE").reason, UndeterminedReason::kUncertain);
  const AnswerReading both = Answer(kValid, "INVALID+ESCALATE");
  EXPECT_EQ(both.outcome, Outcome::kViolation);
  EXPECT_THAT(both.notes, Contains(HasSubstr("person")));
  EXPECT_EQ(Answer(kValid, "VALID+ESCALATE").outcome, Outcome::kUndetermined);
}

TEST(ReadAnswer, NothingElseIsSafe) {
  for (const std::string& answer : std::vector<std::string>{
           "", "   ", "{", "{}", "{\"violation\":2}", "{\"violation\":null}", "[]", "00", "maybe",
           "\xF0\x9F\x98\x80", "{\"a\":{\"violation\":0}}", std::string(300'000, '0'),
           std::string(5000, '{')}) {
    const AnswerReading reading = Answer(kSpam, answer);
    EXPECT_EQ(reading.outcome, Outcome::kUndetermined) << answer.substr(0, 40);
    EXPECT_NE(reading.reason, UndeterminedReason::kNone);
    EXPECT_THAT(reading.detail, testing::Not(IsEmpty()));
  }
}

TEST(ReadAnswer, ThePolicysOwnMeaningOfALabelWins) {
  const std::string turned =
      "---\nlabels: {\"1\": safe, \"0\": violation}\n---\n# P\n## Violates\n- A1 x\n## Safe\n- A2 "
      "y\n";
  EXPECT_EQ(Answer(turned, "1").outcome, Outcome::kSafe);
  EXPECT_EQ(Answer(turned, "0").outcome, Outcome::kViolation);
  const moderation::Policy policy = Read(kValid);
  const AnswerLabels labels(policy);
  ASSERT_EQ(labels.choice().size(), 2U);
}

TEST(ReadJointAnswer, EachPolicyReadsItsOwnPart) {
  const moderation::Policy policy = Read(kValid);
  const AnswerLabels labels(policy);
  const std::string answer =
      R"({"valid":{"violation":1,"rule_ids":["R1"]},"spam":{"violation":0}})";
  EXPECT_EQ(ReadJointAnswer(policy, labels, answer).outcome, Outcome::kViolation);
  EXPECT_EQ(ReadJointAnswer(policy, labels, R"({"valid":"VALID"})").outcome, Outcome::kSafe);
  EXPECT_EQ(ReadJointAnswer(policy, labels, R"({"spam":{"violation":0}})").outcome,
            Outcome::kUndetermined);
  EXPECT_EQ(ReadJointAnswer(policy, labels, "I'm sorry, no.").reason, UndeterminedReason::kRefusal);
}

}  // namespace
}  // namespace safeguard::judges
