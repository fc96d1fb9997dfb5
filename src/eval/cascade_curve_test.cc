// The curve between screen and reasoner: its ends are those judges, and the budget is kept.
#include "eval/cascade_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "eval/fake_judge.h"
#include "moderation/clock.h"

namespace safeguard::eval {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// 2,000 cases, one in five a violation, under a screen whose scores tell about as much as a real
// one.
struct Data {
  explicit Data(std::size_t count = 2000) {
    const auto random = moderation::SeededRandom(5);
    for (std::size_t i = 0; i < count; ++i) {
      const bool violation = i % 5 == 0;
      const double z = std::sqrt(-2 * std::log(1 - random->Uniform())) *
                       std::cos(6.283185307179586 * random->Uniform());
      const double score = 1 / (1 + std::exp(-((violation ? 1.2 : -1.6) + z)));
      Record record;
      record.expected = violation ? moderation::Outcome::kViolation : moderation::Outcome::kSafe;
      records.push_back(record);
      CaseResult result;
      result.judged = true;
      result.verdict = FakeVerdict(
          score >= 0.5 ? moderation::Outcome::kViolation : moderation::Outcome::kSafe, score);
      screen.push_back(result);
    }
  }
  std::vector<Record> records;
  std::vector<CaseResult> screen;
};

TEST(CascadeCurve, RisesFromTheScreenToTheReasoner) {
  const Data data;
  CurveOptions options;
  options.reasoner = {.recall = 0.98, .specificity = 0.99, .tokens = 500};
  const Result<CascadeCurve> curve = DrawCascadeCurve(data.records, data.screen, {}, options);
  ASSERT_TRUE(curve.has_value());
  ASSERT_EQ(curve->points.size(), options.budgets.size() + 2);
  EXPECT_EQ(curve->points.front().spent, 0);
  EXPECT_NEAR(*curve->points.back().recall, 0.98, 0.02);
  for (std::size_t p = 1; p + 1 < curve->points.size(); ++p) {
    const BudgetPoint& point = curve->points[p];
    EXPECT_LE(point.spent, point.budget * 1.02 + 0.002) << point.budget;
    EXPECT_GE(*point.f1, *curve->points[p - 1].f1 - 0.01) << point.budget;
    EXPECT_EQ(point.undetermined, 0U);
  }
  // Where the screen is unsure lies nearly all that it gets wrong.
  ASSERT_TRUE(curve->saved.has_value());
  EXPECT_GT(*curve->saved, 0.3);
}

TEST(CascadeCurve, SpendsWhereTheScreenIsLeastSure) {
  const Data data;
  CurveOptions options;
  options.budgets = {0.2};
  const Result<CascadeCurve> curve = DrawCascadeCurve(data.records, data.screen, {}, options);
  ASSERT_TRUE(curve.has_value());
  const auto errors = [](const BudgetPoint& point) {
    return static_cast<double>(point.confusion.false_negative + point.confusion.false_positive);
  };
  const double mended = errors(curve->points[0]) - errors(curve->points[1]);
  const double mendable = errors(curve->points[0]) - errors(curve->points[2]);
  EXPECT_GT(mended, 2 * 0.2 * mendable);  // at random a fifth of the cost mends a fifth
}

TEST(CascadeCurve, ARecordedReasonerStandsInForTheSyntheticOne) {
  const Data data(200);
  std::vector<CaseResult> reasoner = data.screen;
  for (std::size_t i = 0; i < reasoner.size(); ++i) {
    reasoner[i].verdict = FakeVerdict(*data.records[i].expected, 0.5);
    reasoner[i].verdict.tokens = {.prompt = 900, .cached = 800, .reasoning = 40, .answer = 10};
  }
  const Result<CascadeCurve> curve =
      DrawCascadeCurve(data.records, data.screen, reasoner, CurveOptions{});
  ASSERT_TRUE(curve.has_value());
  EXPECT_DOUBLE_EQ(*curve->points.back().f1, 1);
  EXPECT_DOUBLE_EQ(curve->points.back().tokens, 150);
  reasoner.pop_back();
  EXPECT_FALSE(DrawCascadeCurve(data.records, data.screen, reasoner, {}).has_value());
}

TEST(CascadeCurve, OneSideAloneIsNoCurve) {
  Data data(50);
  for (Record& record : data.records) {
    record.expected = moderation::Outcome::kSafe;
  }
  EXPECT_FALSE(DrawCascadeCurve(data.records, data.screen, {}, {}).has_value());
}

TEST(CascadeCurve, EveryFormShowsEveryPointAndNoMarkupOfStrangers) {
  const Data data(300);
  CurveOptions options;
  options.budgets = {0.1};
  CascadeCurve curve = *DrawCascadeCurve(data.records, data.screen, {}, options);
  curve.dataset = "<script>`x`";
  curve.policy = "spam";
  for (const std::string& text : {RenderText(curve), RenderMarkdown(curve), RenderHtml(curve)}) {
    EXPECT_THAT(text, HasSubstr("cascade, 10 %"));
    EXPECT_THAT(text, HasSubstr("screen alone"));
    EXPECT_THAT(text, HasSubstr("reasoner alone"));
  }
  EXPECT_THAT(RenderHtml(curve), Not(HasSubstr("<script")));
  EXPECT_THAT(RenderJson(curve), HasSubstr("\"budget\": 0.1"));
}

}  // namespace
}  // namespace safeguard::eval
