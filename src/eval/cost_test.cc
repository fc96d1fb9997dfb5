#include "eval/cost.h"

#include <gtest/gtest.h>

#include "eval/fake_judge.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using moderation::UndeterminedReason;

TEST(CostTest, SpreadByNearestRank) {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) {
    values.push_back(i);
  }
  const Spread spread = *MeasureSpread(values);
  EXPECT_EQ(spread.total, 5050);
  EXPECT_EQ(spread.mean, 50.5);
  EXPECT_EQ(spread.p50, 50);
  EXPECT_EQ(spread.p95, 95);
  EXPECT_EQ(spread.p99, 99);
  EXPECT_EQ(spread.max, 100);
  EXPECT_FALSE(MeasureSpread({}));
  EXPECT_EQ(MeasureSpread({3})->p95, 3);
}

CaseResult Answered(Outcome outcome, UndeterminedReason reason, const char* layer = "reasoner") {
  CaseResult result{.judged = true, .verdict = FakeVerdict(outcome, 0.5), .latency_ms = 500};
  result.verdict.reason = reason;
  result.verdict.decided_by = {.layer = layer, .model = "m", .model_hash = "h"};
  result.verdict.tokens = {.prompt = 100, .cached = 60, .reasoning = 40, .answer = 2};
  return result;
}

TEST(CostTest, TokensAndSecondsOfWhatWasJudged) {
  std::vector<CaseResult> results(3, Answered(Outcome::kSafe, UndeterminedReason::kNone));
  results[1].judged = false;
  results[2].verdict.tokens.reasoning = 60;
  const Cost cost = MeasureCost(results);
  EXPECT_EQ(cost.contents, 2U);
  EXPECT_EQ(cost.seconds->total, 1);
  EXPECT_EQ(cost.prompt_tokens->total, 200);
  EXPECT_EQ(cost.cached_tokens->p50, 60);
  EXPECT_EQ(cost.reasoning_tokens->total, 100);
  EXPECT_EQ(cost.answer_tokens->max, 2);
}

TEST(CostTest, AScreenUsesNoTokensAndWritesNoAnswers) {
  const std::vector<CaseResult> results(
      2, {.judged = true, .verdict = FakeVerdict(Outcome::kSafe, 0.1), .latency_ms = 1});
  EXPECT_FALSE(MeasureCost(results).prompt_tokens);
  EXPECT_TRUE(MeasureCost(results).seconds);
  EXPECT_EQ(MeasureAnswers(results).asked, 0U);
  EXPECT_FALSE(MeasureAnswers(results).parse_rate);
}

TEST(CostTest, ParseRateCountsAnswersOnly) {
  const auto undetermined = [](UndeterminedReason reason) {
    return Answered(Outcome::kUndetermined, reason);
  };
  const std::vector<CaseResult> results = {
      Answered(Outcome::kViolation, UndeterminedReason::kNone),
      Answered(Outcome::kSafe, UndeterminedReason::kNone, "recorded"),
      undetermined(UndeterminedReason::kUncertain),
      undetermined(UndeterminedReason::kRefusal),
      undetermined(UndeterminedReason::kRefusal),
      undetermined(UndeterminedReason::kObeyedContent),
      undetermined(UndeterminedReason::kTimeout),
      undetermined(UndeterminedReason::kEmptyContent),
      {.judged = false, .verdict = {}}};
  const AnswerFigures figures = MeasureAnswers(results);
  EXPECT_EQ(figures.asked, 6U);
  EXPECT_EQ(figures.readable, 3U);
  EXPECT_DOUBLE_EQ(*figures.parse_rate, 0.5);
  EXPECT_EQ(figures.unreadable.at("refusal"), 2U);
  EXPECT_EQ(figures.unreadable.at("obeyed_content"), 1U);
  EXPECT_LT(figures.interval->low, 0.5);
}

TEST(CostTest, AnInstantScoreIsNoAnswer) {
  CaseResult instant = Answered(Outcome::kSafe, UndeterminedReason::kNone);
  instant.verdict.decided_by.settings["effort"] = "none";
  EXPECT_FALSE(MeasureAnswers({&instant, 1}).parse_rate);
}

}  // namespace
}  // namespace safeguard::eval
