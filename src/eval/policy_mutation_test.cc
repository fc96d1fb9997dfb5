#include "eval/policy_mutation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "eval/fake_judge.h"

namespace safeguard::eval {
namespace {

using moderation::GoldenCase;
using moderation::Outcome;
using ::testing::ElementsAre;

constexpr const char* kText =
    "# Spam\n\n## Definitions\n\n- **Bait**: a lure.\n\n## Violates (1)\n\n- **A1** sells\n"
    "- **A2** baits\n- **A3** shouts\n\n## Safe (0)\n\n- **B1** thanks\n";

GoldenCase Case(const std::string& text, Outcome expected) {
  GoldenCase golden;
  golden.content = moderation::UserMessage(text);
  golden.content.id = text;
  golden.expected = expected;
  return golden;
}

// Reads the policy as the screen would be wished to: content violates the first rule whose word it
// holds, unless it holds that of an exception.
moderation::Verdict ByWords(const FakePrepared& prepared, const moderation::Content& content) {
  const std::string& text = content.messages.front().text;
  moderation::Verdict verdict = FakeVerdict(Outcome::kSafe, 0.1);
  for (const moderation::Rule& rule : prepared.policy().rules) {
    if (text.find(rule.text) == std::string::npos) {
      continue;
    }
    if (rule.side == moderation::Side::kSafe) {
      return FakeVerdict(Outcome::kSafe, 0.1);
    }
    verdict = FakeVerdict(Outcome::kViolation, 0.9);
    verdict.rule_ids = {rule.id};
  }
  return verdict;
}

struct Bench {
  explicit Bench(FakeJudge::Answer answer, std::size_t at_once = 1)
      : policy(*moderation::ReadPolicy(kText, "spam")),
        judge(std::move(answer)),
        tester(*PolicyTester::Make(
            judge,
            TestsOf(policy, std::vector{Case("he sells", Outcome::kViolation),
                                        Case("he baits", Outcome::kViolation),
                                        Case("thanks, she sells", Outcome::kSafe)}),
            {.judge_learns = false, .policies_at_once = at_once})) {}
  moderation::Policy policy;
  FakeJudge judge;
  PolicyTester tester;
};

TEST(Mutation, FindsTheClausesThatNoTestMisses) {
  for (const std::size_t at_once : {1U, 2U, 64U}) {
    Bench bench(ByWords, at_once);
    const Result<std::vector<Mutant>> mutants = MakeMutants(kText, bench.policy);
    ASSERT_TRUE(mutants.has_value());
    ASSERT_EQ(mutants->size(), 5U);
    std::vector<std::pair<std::size_t, std::size_t>> progress;
    const Result<MutationRun> run =
        RunMutants(bench.tester, bench.policy, *mutants,
                   [&](std::size_t done, std::size_t all) { progress.emplace_back(done, all); });
    ASSERT_TRUE(run.has_value());
    std::vector<std::string> lines;
    for (std::size_t m = 0; m < mutants->size(); ++m) {
      lines.push_back((*mutants)[m].clause.name + (run->results[m].tested() ? " tested by " : "") +
                      (run->results[m].tests.empty() ? "" : run->results[m].tests.front()));
    }
    EXPECT_THAT(lines,
                ElementsAre("definition of Bait", "A1 tested by he sells", "A2 tested by he baits",
                            "A3", "B1 tested by thanks, she sells"));
    EXPECT_NEAR(run->results[1].moved, 0.8, 1e-9);
    EXPECT_EQ(run->results[1].broken, 1U);
    EXPECT_EQ(run->results[3].moved, 0);
    EXPECT_EQ(progress.back().first, progress.back().second);
  }
}

TEST(Ablation, TellsCitationsThatCarryTheVerdictFromDecoration) {
  // Planted: A1 is named for whatever sells, but the verdict rests on the word alone.
  Bench bench([](const FakePrepared& prepared, const moderation::Content& content) {
    moderation::Verdict verdict = ByWords(prepared, content);
    if (content.messages.front().text == "he sells") {
      verdict = FakeVerdict(Outcome::kViolation, 0.9);
      verdict.rule_ids = {"A1"};
    }
    return verdict;
  });
  const auto runs = bench.tester.Run(std::vector{bench.policy});
  ASSERT_TRUE(runs.has_value());
  const Result<std::vector<TestAblation>> ablations =
      AblateTests(bench.tester, kText, bench.policy, runs->front(), kMovedLeast, {});
  ASSERT_TRUE(ablations.has_value());
  ASSERT_EQ(ablations->size(), 2U);
  EXPECT_EQ((*ablations)[0].ablation.rule, "A1");
  EXPECT_FALSE((*ablations)[0].ablation.faithful);
  EXPECT_EQ((*ablations)[1].ablation.rule, "A2");
  EXPECT_TRUE((*ablations)[1].ablation.faithful);
  EXPECT_EQ((*ablations)[1].ablation.after, Outcome::kSafe);
}

TEST(Ablation, OfOneVerdictAsksOncePerCitedRule) {
  Bench bench(ByWords);
  const moderation::Content content = moderation::UserMessage("he sells");
  moderation::Verdict verdict = FakeVerdict(Outcome::kViolation, 0.9);
  verdict.rule_ids = {"A1", "A9"};
  const auto ablations =
      AblateVerdict(bench.judge, kText, bench.policy, {}, content, verdict, kMovedLeast);
  ASSERT_TRUE(ablations.has_value());
  ASSERT_EQ(ablations->size(), 2U);
  EXPECT_TRUE((*ablations)[0].faithful);
  EXPECT_FALSE((*ablations)[1].problem.empty());
}

TEST(Ablation, AScoreThatMovesEnoughIsFaithfulToo) {
  const auto verdict = [](double score) { return FakeVerdict(Outcome::kViolation, score); };
  EXPECT_TRUE(CompareWithout("A", verdict(0.9), verdict(0.84), 0.05).faithful);
  EXPECT_FALSE(CompareWithout("A", verdict(0.9), verdict(0.86), 0.05).faithful);
}

}  // namespace
}  // namespace safeguard::eval
