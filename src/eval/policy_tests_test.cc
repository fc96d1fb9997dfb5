#include "eval/policy_tests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "eval/fake_judge.h"

namespace safeguard::eval {
namespace {

using moderation::GoldenCase;
using moderation::Outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

GoldenCase Case(const std::string& id, const std::string& text, Outcome expected,
                std::vector<std::string> rules = {}, std::vector<std::string> tags = {}) {
  GoldenCase golden;
  golden.content = moderation::UserMessage(text);
  golden.content.id = id;
  golden.content.language = "en";
  golden.expected = expected;
  golden.rule_ids = std::move(rules);
  golden.label = expected == Outcome::kViolation ? "SP2" : "SP0";
  golden.tags = std::move(tags);
  return golden;
}

moderation::Policy Spam() {
  return *moderation::ReadPolicy(
      "# Spam\n\n## Violates (1)\n- A1 Sells.\n- A2 Baits.\n\n## Safe (0)\n- B1 Thanks.\n\n"
      "## Examples\n\n| Content | Answer |\n|---|---|\n| buy my shoes | 1 |\n| thank you | 0 |\n",
      "spam");
}

// Calls whatever holds "buy" a violation of A1.
moderation::Verdict Answer(const FakePrepared&, const moderation::Content& content) {
  const bool bad = content.messages.front().text.find("buy") != std::string::npos;
  moderation::Verdict verdict =
      FakeVerdict(bad ? Outcome::kViolation : Outcome::kSafe, bad ? 0.9 : 0.2);
  if (bad) {
    verdict.rule_ids = {"A1"};
  }
  return verdict;
}

TEST(TestsOf, TakesExamplesWithASideAndGoldenCases) {
  const TestSet set =
      TestsOf(Spam(), std::vector{Case("g1", "buy now", Outcome::kViolation),
                                  Case("", "hi", Outcome::kSafe, {}, {"known-gap"})});
  ASSERT_EQ(set.tests.size(), 4U);
  EXPECT_EQ(set.tests[0].name, "example in line 14");
  EXPECT_EQ(set.tests[0].record.expected, Outcome::kViolation);
  EXPECT_EQ(set.tests[2].name, "g1");
  EXPECT_EQ(set.tests[3].name, "golden case 2");
  EXPECT_TRUE(set.tests[3].known_gap);
}

TEST(PolicyTester, NeverShowsAJudgeThatLearnsWhatItIsAskedAbout) {
  std::vector<GoldenCase> golden;
  for (int i = 0; i < 12; ++i) {
    golden.push_back(Case("g" + std::to_string(i), "text number " + std::to_string(i),
                          i % 2 == 0 ? Outcome::kViolation : Outcome::kSafe));
  }
  golden.push_back(Case("twin", "Buy my shoes!", Outcome::kViolation));  // the example, dressed up
  std::size_t asked = 0;
  FakeJudge judge([&](const FakePrepared& prepared, const moderation::Content& content) {
    ++asked;
    const std::string& text = content.messages.front().text;
    EXPECT_FALSE(prepared.seen().contains(text)) << text;
    for (const moderation::Example& example : prepared.policy().examples) {
      EXPECT_NE(NormalText(moderation::UserMessage(example.text)), NormalText(content));
    }
    if (text == "buy my shoes") {
      EXPECT_FALSE(prepared.seen().contains("Buy my shoes!"));
    }
    return Answer(prepared, content);
  });
  Result<PolicyTester> tester = PolicyTester::Make(judge, TestsOf(Spam(), golden), {});
  ASSERT_TRUE(tester.has_value());
  EXPECT_EQ(tester->folds(), 5U);
  const auto runs = tester->Run(std::vector{Spam()});
  ASSERT_TRUE(runs.has_value());
  EXPECT_EQ(asked, 15U);
  EXPECT_EQ(judge.prepared, 5U);
}

TEST(PolicyTester, ShowsAJudgeThatReadsThePolicyAsItStands) {
  FakeJudge judge([&](const FakePrepared& prepared, const moderation::Content& content) {
    EXPECT_TRUE(prepared.seen().empty());
    EXPECT_EQ(prepared.policy().examples.size(), 2U);
    return Answer(prepared, content);
  });
  Result<PolicyTester> tester =
      PolicyTester::Make(judge, TestsOf(Spam(), std::vector{Case("g", "buy", Outcome::kViolation)}),
                         {.judge_learns = false});
  ASSERT_TRUE(tester.has_value());
  ASSERT_TRUE(tester->Run(std::vector{Spam()}).has_value());
  EXPECT_EQ(judge.prepared, 1U);
}

TEST(PolicyTester, GradesOutcomesRulesAndKnownGaps) {
  const std::vector<GoldenCase> golden = {
      Case("right", "buy", Outcome::kViolation, {"A1"}),
      Case("other-rule", "buy bait", Outcome::kViolation, {"A2"}),
      Case("missed", "click here", Outcome::kViolation, {"A2"}),
      Case("gap", "lick here", Outcome::kViolation, {"A2"}, {"known-gap"}),
      Case("gap-closed", "buy here", Outcome::kViolation, {"A1"}, {"known-gap"}),
      Case("alarm", "where to buy", Outcome::kSafe)};
  FakeJudge judge(Answer);
  for (const bool strict : {false, true}) {
    Result<PolicyTester> tester =
        PolicyTester::Make(judge, TestsOf(Spam(), golden), {.strict_rules = strict});
    ASSERT_TRUE(tester.has_value());
    const auto runs = tester->Run(std::vector{Spam()});
    ASSERT_TRUE(runs.has_value());
    std::map<std::string, std::string> status;
    std::map<std::string, std::string> why;
    for (std::size_t i = 0; i < tester->tests().size(); ++i) {
      status[tester->tests()[i].name] = ToString(runs->front().results[i].status);
      why[tester->tests()[i].name] = runs->front().results[i].why;
    }
    EXPECT_EQ(status["right"], "passed");
    EXPECT_EQ(status["other-rule"], strict ? "failed" : "passed");
    EXPECT_EQ(status["missed"], "failed");
    EXPECT_EQ(status["gap"], "known gap");
    EXPECT_EQ(status["gap-closed"], "unexpected pass");
    EXPECT_EQ(status["alarm"], "failed");
    EXPECT_THAT(why["missed"], HasSubstr("expected violation, judged safe, score 0.20"));
    EXPECT_EQ(why["right"], "");
    const TestSummary summary = Summarise(tester->tests(), runs->front());
    EXPECT_EQ(summary.all.tests, 8U);
    EXPECT_EQ(summary.all.failed, strict ? 3U : 2U);
    EXPECT_EQ(summary.all.known_gaps, 1U);
    EXPECT_DOUBLE_EQ(summary.pass_share(), strict ? 4.0 / 7 : 5.0 / 7);
    ASSERT_EQ(summary.rules.size(), 2U);
    EXPECT_EQ(summary.rules[0].name, "A1");
    EXPECT_EQ(summary.rules[0].cited, 2U);
    EXPECT_EQ(summary.rules[1].citable, 1U);
    EXPECT_EQ(summary.rules[1].cited, 0U);
    ASSERT_EQ(summary.languages.size(), 1U);
    EXPECT_EQ(summary.languages[0].tests, 6U);
  }
}

TEST(PolicyTester, MarginsAreNegativeOnTheWrongSide) {
  moderation::Policy policy = Spam();
  policy.thresholds = moderation::Thresholds{.violation = 0.7, .safe = 0.4};
  FakeJudge judge(Answer);
  Result<PolicyTester> tester = PolicyTester::Make(
      judge, TestsOf(policy, std::vector{Case("miss", "x", Outcome::kViolation)}), {});
  ASSERT_TRUE(tester.has_value());
  const auto runs = tester->Run(std::vector{policy});
  ASSERT_TRUE(runs.has_value());
  EXPECT_NEAR(*runs->front().results[0].margin, 0.2, 1e-9);
  EXPECT_NEAR(*runs->front().results[1].margin, 0.2, 1e-9);
  EXPECT_NEAR(*runs->front().results[2].margin, -0.5, 1e-9);
}

TEST(PolicyTester, WorksWithASingleTestAndRefusesNone) {
  FakeJudge judge(Answer);
  moderation::Policy policy = *moderation::ReadPolicy("# P\n\n## Violates\n- A1 Sells.\n", "p");
  EXPECT_FALSE(PolicyTester::Make(judge, TestsOf(policy, {}), {}).has_value());
  Result<PolicyTester> tester = PolicyTester::Make(
      judge, TestsOf(policy, std::vector{Case("one", "buy", Outcome::kViolation)}), {});
  ASSERT_TRUE(tester.has_value());
  EXPECT_EQ(tester->folds(), 1U);
  ASSERT_TRUE(tester->Run(std::vector{policy}).has_value());
}

TEST(PolicyTester, LeavesTestsUnrunWhenStopped) {
  FakeJudge judge(Answer);
  const std::atomic<bool> stop{true};
  TestOptions options;
  options.run.cancel = &stop;
  Result<PolicyTester> tester = PolicyTester::Make(judge, TestsOf(Spam(), {}), options);
  ASSERT_TRUE(tester.has_value());
  const auto runs = tester->Run(std::vector{Spam()});
  ASSERT_TRUE(runs.has_value());
  EXPECT_TRUE(runs->front().cancelled);
  EXPECT_EQ(Summarise(tester->tests(), runs->front()).all.tests, 0U);
}

}  // namespace
}  // namespace safeguard::eval
