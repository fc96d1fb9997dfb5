#include "eval/curves.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

namespace safeguard::eval {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Descending: 0.9+ | 0.8- | 0.7+ 0.7- | 0.1-
TEST(CurvesTest, ByHandWithTies) {
  const std::vector<Scored> cases = {
      {0.7, true}, {0.1, false}, {0.9, true}, {0.8, false}, {0.7, false}};
  const std::vector<CurvePoint> curve = ThresholdCurve(cases);
  ASSERT_EQ(curve.size(), 5U);
  EXPECT_TRUE(std::isinf(curve[0].threshold));
  EXPECT_FALSE(curve[0].precision);
  EXPECT_EQ(*curve[0].recall, 0);
  EXPECT_EQ(curve[3].threshold, 0.7);
  EXPECT_EQ(*curve[3].recall, 1);
  EXPECT_DOUBLE_EQ(*curve[3].false_alarm_rate, 2.0 / 3);
  EXPECT_DOUBLE_EQ(*curve[3].precision, 0.5);
  EXPECT_EQ(*curve[4].false_alarm_rate, 1);
}

TEST(CurvesTest, OneClassAndNothing) {
  const std::vector<Scored> positives = {{0.2, true}, {0.4, true}};
  EXPECT_FALSE(ThresholdCurve(positives).back().false_alarm_rate);
  EXPECT_EQ(*ThresholdCurve(positives).back().recall, 1);
  EXPECT_EQ(ThresholdCurve({}).size(), 1U);
  EXPECT_FALSE(ThresholdCurve({}).front().recall);
  const std::vector<Scored> not_a_number = {{kNaN, true}};
  EXPECT_TRUE(ThresholdCurve(not_a_number).empty());
}

double AreaUnder(const std::vector<CurvePoint>& curve) {
  double area = 0;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    area += (*curve[i].false_alarm_rate - *curve[i - 1].false_alarm_rate) *
            (*curve[i].recall + *curve[i - 1].recall) / 2;
  }
  return area;
}

// The trapezoids under the drawn curve are the AUC computed by ranks, thinned or not.
TEST(CurvesTest, AreaIsTheRankFigure) {
  rc::check([] {
    const auto scores = *rc::gen::container<std::vector<int>>(300, rc::gen::inRange(0, 250));
    std::vector<Scored> cases;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      cases.push_back({scores[i] / 250.0, i % 3 == 0});
    }
    const std::vector<CurvePoint> curve = ThresholdCurve(cases);
    const double auc = *Ranking(cases).Measure({}).roc_auc;
    RC_ASSERT(std::abs(AreaUnder(curve) - auc) < 1e-9);
    const std::vector<CurvePoint> thin = ThinnedCurve(curve, 50);
    RC_ASSERT(thin.size() <= curve.size());
    RC_ASSERT(thin.front().threshold == curve.front().threshold);
    RC_ASSERT(thin.back().threshold == curve.back().threshold);
    RC_ASSERT(std::abs(AreaUnder(thin) - auc) < 0.02);
  });
}

TEST(CurvesTest, ThinningALongCurve) {
  std::vector<Scored> cases;
  for (int i = 0; i < 20'000; ++i) {
    cases.push_back({i / 20'000.0, i % 7 > 3});
  }
  EXPECT_LT(ThinnedCurve(ThresholdCurve(cases), 200).size(), 1000U);
}

TEST(CurvesTest, HistogramCountsEachOnce) {
  const std::vector<Scored> cases = {{0, false}, {0.1, true}, {1, true}, {0.95, false}, {7, true}};
  const Histogram histogram = ScoreHistogram(cases, 10);
  EXPECT_EQ(histogram.negatives[0], 1U);
  EXPECT_EQ(histogram.positives[1], 1U);
  EXPECT_EQ(histogram.positives[9], 1U);
  EXPECT_EQ(histogram.negatives[9], 1U);
}

}  // namespace
}  // namespace safeguard::eval
