#include "eval/join_policies.h"

#include <gtest/gtest.h>

namespace safeguard::eval {
namespace {

using moderation::Outcome;

EvaluationRun RunOf(std::vector<std::pair<Outcome, std::optional<double>>> verdicts) {
  EvaluationRun run;
  run.seconds = 3;
  for (const auto& [outcome, score] : verdicts) {
    CaseResult& result = run.results.emplace_back();
    result.judged = true;
    result.verdict.outcome = outcome;
    result.verdict.score = score;
    result.latency_ms = 1;
    result.seconds = 0.5;
    result.verdict.tokens = {.prompt = 10, .cached = 4, .reasoning = 3, .answer = 1};
  }
  return run;
}

TEST(JoinPolicies, TheGravestOutcomeAndTheHighestScoreCount) {
  const EvaluationRun any = JoinRuns({RunOf({{Outcome::kSafe, 0.2},
                                             {Outcome::kSafe, 0.4},
                                             {Outcome::kSafe, 0.1},
                                             {Outcome::kUndetermined, std::nullopt}}),
                                      RunOf({{Outcome::kViolation, 0.6},
                                             {Outcome::kUndetermined, std::nullopt},
                                             {Outcome::kSafe, 0.3},
                                             {Outcome::kViolation, 0.9}})});
  ASSERT_EQ(any.results.size(), 4U);
  EXPECT_EQ(any.results[0].verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(any.results[0].verdict.score, 0.6);
  EXPECT_EQ(any.results[1].verdict.outcome, Outcome::kUndetermined);
  EXPECT_EQ(any.results[1].verdict.score, 0.4);
  EXPECT_EQ(any.results[2].verdict.outcome, Outcome::kSafe);
  EXPECT_EQ(any.results[2].verdict.score, 0.3);
  EXPECT_EQ(any.results[3].verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(any.results[3].verdict.score, 0.9);
  EXPECT_EQ(any.seconds, 3);
  EXPECT_EQ(any.results[0].seconds, 1) << "what both took";
  EXPECT_EQ(any.results[0].verdict.tokens.prompt, 20U);
}

TEST(JoinPolicies, WhatOnePolicyDidNotJudgeIsNotJudged) {
  EvaluationRun second = RunOf({{Outcome::kSafe, 0.1}});
  second.results[0].judged = false;
  second.cancelled = true;
  const EvaluationRun any = JoinRuns({RunOf({{Outcome::kSafe, 0.1}}), second});
  EXPECT_FALSE(any.results[0].judged);
  EXPECT_TRUE(any.cancelled);
}

TEST(JoinPolicies, TheJoinedPolicyNamesAllAndDependsOnEach) {
  moderation::Policy a;
  a.id = "a";
  a.version = "1";
  a.hash = "x";
  a.examples.resize(2);
  moderation::Policy b = a;
  b.id = "b";
  b.hash = "y";
  const moderation::Policy both[] = {a, b};
  const moderation::Policy any = JoinPolicies(both);
  EXPECT_EQ(any.id, "a+b");
  EXPECT_EQ(any.version, "1+1");
  EXPECT_EQ(any.examples.size(), 4U);
  const moderation::Policy turned[] = {b, a};
  EXPECT_NE(any.hash, JoinPolicies(turned).hash);
  EXPECT_EQ(JoinPolicies(std::span(both).first(1)).hash, "x");
}

}  // namespace
}  // namespace safeguard::eval
