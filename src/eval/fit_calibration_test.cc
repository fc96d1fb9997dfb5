#include "eval/fit_calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "eval/intervals.h"

namespace safeguard::eval {
namespace {

using moderation::CalibrationMethod;
using moderation::LogOdds;
using moderation::ScoreMap;
using testing::HasSubstr;

const std::vector<Scored> kTen = {{0.1, false}, {0.2, false}, {0.2, true},  {0.35, false},
                                  {0.4, false}, {0.55, true}, {0.6, false}, {0.7, true},
                                  {0.8, true},  {0.9, true}};

// Reference: 200,000 steps of plain gradient descent in Python on the same smoothed targets
// (6/7 and 1/7, of five and five cases) until the gradient was below 1e-15.
TEST(FitPlattTest, AgainstGradientDescent) {
  const ScoreMap map = *FitPlatt(kTen);
  EXPECT_EQ(map.method, CalibrationMethod::kPlatt);
  EXPECT_NEAR(map.slope, 0.7232667405164798, 1e-8);
  EXPECT_NEAR(map.offset, 0.07556093269757357, 1e-8);
}

// Separable classes would need an infinite slope: Platt's targets keep it finite.
TEST(FitPlattTest, SeparableClassesStayFinite) {
  const std::vector<Scored> cases = {{0, false}, {0.1, false}, {0.9, true}, {1, true}};
  const ScoreMap map = *FitPlatt(cases);
  EXPECT_TRUE(std::isfinite(map.slope) && std::isfinite(map.offset));
  EXPECT_GT(map.Apply(0.9), 0.5);
  EXPECT_LT(map.Apply(1), 1);
}

TEST(FitPlattTest, WhatCannotBeFitted) {
  const std::vector<Scored> one_class = {{0.1, true}, {0.9, true}};
  const std::vector<Scored> falling = {{0.1, true}, {0.2, true}, {0.8, false}, {0.9, false}};
  const std::vector<Scored> same = {{0.5, true}, {0.5, false}};
  const std::vector<Scored> outside = {{1.5, true}, {0.5, false}};
  for (const auto& fit : {FitPlatt(one_class), FitIsotonic(one_class)}) {
    ASSERT_FALSE(fit);
    EXPECT_THAT(fit.error().message, HasSubstr("no scored safe case"));
  }
  for (const auto& fit :
       {FitPlatt(falling), FitIsotonic(falling), FitPlatt(same), FitIsotonic(same)}) {
    ASSERT_FALSE(fit);
    EXPECT_THAT(fit.error().message, HasSubstr("nothing to calibrate"));
  }
  EXPECT_FALSE(FitPlatt(outside));
  EXPECT_FALSE(FitIsotonic({}));
}

// By the min-max formula in exact fractions: 0, then 1/4 over 0.2 .. 0.4, 1/2 over 0.55 .. 0.6, 1;
// the ends kept 1/12 away from certainty.
TEST(FitIsotonicTest, BlocksByHand) {
  const ScoreMap map = *FitIsotonic(kTen);
  const std::vector<std::pair<double, double>> knots = {
      {0.1, 1.0 / 12}, {0.2, 0.25},      {0.4, 0.25},     {0.55, 0.5},
      {0.6, 0.5},      {0.7, 11.0 / 12}, {0.9, 11.0 / 12}};
  ASSERT_EQ(map.knots.size(), knots.size());
  for (std::size_t i = 0; i < knots.size(); ++i) {
    EXPECT_NEAR(map.knots[i].log_odds, LogOdds(knots[i].first), 1e-12);
    EXPECT_NEAR(map.knots[i].probability, knots[i].second, 1e-12);
  }
}

TEST(FitIsotonicTest, IsTheMinMaxFormula) {
  rc::check([] {
    const auto scores = *rc::gen::container<std::vector<int>>(30, rc::gen::inRange(1, 20));
    const auto labels = *rc::gen::container<std::vector<bool>>(30, rc::gen::arbitrary<bool>());
    std::vector<double> weight(20);
    std::vector<double> positive(20);
    std::vector<Scored> cases;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      cases.push_back({scores[i] / 20.0, labels[i]});
      weight[static_cast<std::size_t>(scores[i])] += 1;
      positive[static_cast<std::size_t>(scores[i])] += labels[i] ? 1 : 0;
    }
    const auto map = FitIsotonic(cases);
    RC_PRE(map.has_value());
    for (std::size_t at = 1; at < 20; ++at) {
      if (weight[at] == 0) {
        continue;
      }
      double value = -1;
      for (std::size_t s = 1; s <= at; ++s) {
        double least = 2;
        for (std::size_t t = at; t < 20; ++t) {
          double w = 0;
          double p = 0;
          for (std::size_t u = s; u <= t; ++u) {
            w += weight[u];
            p += positive[u];
          }
          least = w > 0 ? std::min(least, p / w) : least;
        }
        value = least < 2 ? std::max(value, least) : value;
      }
      const double expected = std::clamp(value, 1.0 / 32, 31.0 / 32);
      RC_ASSERT(std::abs(map->Apply(static_cast<double>(at) / 20) - expected) < 1e-9);
    }
  });
}

// ln(0.1) / ln(0.95) = 44.9; ln(0.05) / ln(0.99) = 298.07; ln(0.5) / ln(0.5) = 1.
TEST(MissBoundTest, LabelsNeeded) {
  EXPECT_EQ(PositivesNeeded(0.05, 0.9), 45U);
  EXPECT_EQ(PositivesNeeded(0.01, 0.95), 299U);
  EXPECT_EQ(PositivesNeeded(0.1, 0.9), 22U);
  EXPECT_EQ(PositivesNeeded(0.5, 0.5), 1U);
  EXPECT_EQ(PositivesNeeded(0.999, 0.5), 1U);
}

TEST(MissBoundTest, TheOrderStatisticByHand) {
  std::vector<double> scores;
  for (int i = 1; i <= 77; ++i) {
    scores.push_back(i / 100.0);
  }
  // P(Bin(77, 0.05) <= 0) = 0.0193, <= 1 is 0.0974, <= 2 is 0.2535: the second lowest for 90 %.
  const moderation::MissBound bound = *FitMissBound(scores, 0.05, 0.9);
  EXPECT_EQ(bound.threshold, 0.02);
  EXPECT_EQ(bound.below, 1U);
  EXPECT_EQ(bound.positives, 77U);
  EXPECT_EQ(FitMissBound(scores, 0.05, 0.98)->threshold, 0.01);
  EXPECT_EQ(FitMissBound(scores, 0.05, 0.7)->threshold, 0.03);
}

TEST(MissBoundTest, RefusesWithTheNumberOfLabels) {
  const auto refused = FitMissBound(std::vector<double>(30, 0.5), 0.05, 0.9);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_EQ(refused.error().message,
            "missing at most 5 % with confidence 90 % cannot be promised from 30 labelled "
            "violations: it takes 45");
  EXPECT_THAT(refused.error().hint, HasSubstr("label 15 more"));
  EXPECT_TRUE(FitMissBound(std::vector<double>(45, 0.5), 0.05, 0.9));
  EXPECT_EQ(FitMissBound({}, 1.5, 0.9).error().code, ErrorCode::kInvalidInput);
  EXPECT_FALSE(FitMissBound({}, 0.05, 1));
}

// The threshold is the largest that the exact upper bound allows (Clopper-Pearson, the other side
// of the same test).
TEST(MissBoundTest, AgreesWithClopperPearson) {
  rc::check([] {
    const auto count = *rc::gen::inRange<std::size_t>(45, 300);
    std::vector<double> scores;
    for (std::size_t i = 0; i < count; ++i) {
      scores.push_back(static_cast<double>(i) / 300.0);
    }
    const std::size_t below = FitMissBound(scores, 0.05, 0.9)->below;
    RC_ASSERT(ClopperPearsonUpper(below, count, 0.9) <= 0.05 + 1e-12);
    RC_ASSERT(ClopperPearsonUpper(below + 1, count, 0.9) > 0.05);
  });
}

std::vector<HeldOutCase> Cases(std::size_t each) {
  std::vector<HeldOutCase> cases;
  for (std::size_t i = 0; i < each; ++i) {
    const double at = static_cast<double>(i) / static_cast<double>(each);
    cases.push_back({.score = 0.3 + 0.6 * at, .positive = true, .fold = i % 5});
    cases.push_back({.score = 0.1 + 0.6 * at, .positive = false, .fold = i % 5});
  }
  return cases;
}

TEST(FitCalibrationTest, ChoosesBySizeAndReportsBothSides) {
  const CalibrationFit small = *FitCalibration(Cases(60), {});
  EXPECT_EQ(small.map.method, CalibrationMethod::kPlatt);
  EXPECT_EQ(small.cases, 120U);
  EXPECT_EQ(small.positives, 60U);
  ASSERT_TRUE(small.miss_bound);
  EXPECT_GT(small.calibrated.error_by_chance, 0);
  EXPECT_EQ(FitCalibration(Cases(500), {})->map.method, CalibrationMethod::kIsotonic);
  CalibrateOptions options;
  options.method = CalibrationMethod::kIsotonic;
  options.miss_rate.reset();
  const CalibrationFit chosen = *FitCalibration(Cases(60), options);
  EXPECT_EQ(chosen.map.method, CalibrationMethod::kIsotonic);
  EXPECT_FALSE(chosen.miss_bound);
  EXPECT_EQ(chosen.why_no_bound, "");
}

TEST(FitCalibrationTest, TooFewCases) {
  const auto nine = FitCalibration(Cases(9), {});
  ASSERT_FALSE(nine);
  EXPECT_THAT(nine.error().message, HasSubstr("there are 9 and 9"));
  const CalibrationFit twenty = *FitCalibration(Cases(20), {});
  EXPECT_FALSE(twenty.miss_bound);
  EXPECT_THAT(twenty.why_no_bound, HasSubstr("label 25 more"));
  CalibrateOptions options;
  options.miss_rate = 0;
  EXPECT_EQ(FitCalibration(Cases(20), options).error().code, ErrorCode::kInvalidInput);
}

// A violation without a score is undetermined, never safe: it is no miss, and in no map.
TEST(FitCalibrationTest, CasesWithoutAScore) {
  std::vector<HeldOutCase> cases = Cases(60);
  cases.push_back({.score = {}, .positive = true, .fold = 0});
  cases.push_back({.score = {}, .positive = false, .fold = 0});
  const CalibrationFit fit = *FitCalibration(cases, {});
  EXPECT_EQ(fit.cases, 120U);
  EXPECT_EQ(fit.without_score, 2U);
  EXPECT_EQ(fit.miss_bound->positives, 61U);
  const CutFigures cut = MeasureCut(cases, 2);
  EXPECT_EQ(cut.positives_above, 1U);
  EXPECT_EQ(cut.negatives_above, 1U);
}

TEST(FitCalibrationTest, CutByHand) {
  const CutFigures cut = MeasureCut(Cases(10), 0.3);  // all violations; 0.34, 0.40 ... 0.64
  EXPECT_EQ(cut.positives_above, 10U);
  EXPECT_EQ(cut.negatives_above, 6U);
  EXPECT_NEAR(cut.recall->low, std::pow(0.025, 0.1), 1e-9);
  EXPECT_FALSE(MeasureCut({}, 0.3).recall);
}

TEST(HeldOutCasesTest, EachTextOnce) {
  std::vector<Record> records(4);
  for (Record& record : records) {
    record.content = moderation::UserMessage("Buy now!");
    record.expected = moderation::Outcome::kViolation;
  }
  records[1].content = moderation::UserMessage("buy NOW");  // the same normalised
  records[2].content = moderation::UserMessage("another");
  records[3].content = moderation::UserMessage("unlabelled");
  records[3].expected.reset();
  CrossValidation validation;
  validation.run.results.resize(4);
  for (CaseResult& result : validation.run.results) {
    result.judged = true;
    result.verdict.score = 0.7;
  }
  validation.folds = {0, 0, 1, 1};
  EXPECT_EQ(HeldOutCases(records, validation).size(), 2U);
}

}  // namespace
}  // namespace safeguard::eval
