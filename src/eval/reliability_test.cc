#include "eval/reliability.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <random>

namespace safeguard::eval {
namespace {

// Two bins of equal mass: {0.1-, 0.2-, 0.3+} mean 0.2, share 1/3; {0.6+, 0.8-, 1.0+} mean 0.8,
// share 2/3. ECE = (3 * 2/15 + 3 * 2/15) / 6 = 2/15.
TEST(ReliabilityTest, EqualMassByHand) {
  const std::vector<Scored> cases = {{0.8, false}, {0.1, false}, {0.6, true},
                                     {0.3, true},  {0.2, false}, {1.0, true}};
  const Reliability r = *MeasureReliability(cases, Binning::kEqualMass, 2);
  ASSERT_EQ(r.bins.size(), 2U);
  EXPECT_EQ(r.bins[0].cases, 3U);
  EXPECT_DOUBLE_EQ(r.bins[0].score_mean, 0.2);
  EXPECT_DOUBLE_EQ(r.bins[1].positive_share, 2.0 / 3);
  EXPECT_DOUBLE_EQ(r.bins[1].score_low, 0.6);
  EXPECT_DOUBLE_EQ(r.bins[1].score_high, 1.0);
  EXPECT_NEAR(r.expected_calibration_error, 2.0 / 15, 1e-12);
  EXPECT_NEAR(r.maximum_calibration_error, 2.0 / 15, 1e-12);
  EXPECT_LT(r.bins[0].interval.low, 1.0 / 3);
  EXPECT_GT(r.bins[0].interval.high, 1.0 / 3);
  // (0.64 + 0.01 + 0.16 + 0.49 + 0.04 + 0) / 6
  EXPECT_NEAR(*BrierScore(cases), 1.34 / 6, 1e-12);
}

TEST(ReliabilityTest, EqualWidthIsTheOtherImplementation) {
  rc::check([] {
    const auto scores =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 101)));
    std::vector<Scored> cases;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      cases.push_back({scores[i] / 100.0, i % 2 == 0});
    }
    const Reliability r = *MeasureReliability(cases, Binning::kEqualWidth, kCalibrationBins);
    const Calibration other = *MeasureCalibration(cases);
    RC_ASSERT(std::abs(r.expected_calibration_error - other.expected_calibration_error) < 1e-12);
    RC_ASSERT(std::abs(*BrierScore(cases) - other.brier) < 1e-12);
  });
}

TEST(ReliabilityTest, TiesStayTogether) {
  const std::vector<Scored> cases(20, Scored{0.5, true});
  const Reliability r = *MeasureReliability(cases, Binning::kEqualMass, 10);
  ASSERT_EQ(r.bins.size(), 1U);
  EXPECT_EQ(r.bins[0].cases, 20U);
  EXPECT_DOUBLE_EQ(r.expected_calibration_error, 0.5);
}

TEST(ReliabilityTest, WhatCannotBeToldIsNotDefined) {
  const std::vector<Scored> outside = {{0.5, true}, {1.5, false}};
  EXPECT_FALSE(MeasureReliability({}, Binning::kEqualMass, 10));
  EXPECT_FALSE(MeasureReliability(outside, Binning::kEqualMass, 10));
  EXPECT_FALSE(CalibrationErrorByChance(outside, Binning::kEqualMass, 10, 10, 1));
  EXPECT_FALSE(BrierScore({}));
  const std::vector<Scored> one = {{0.9, true}};
  EXPECT_NEAR(MeasureReliability(one, Binning::kEqualMass, 10)->expected_calibration_error, 0.1,
              1e-12);
  EXPECT_EQ(ReliabilityBinCount(1), 1U);
  EXPECT_EQ(ReliabilityBinCount(55), 5U);
  EXPECT_EQ(ReliabilityBinCount(5000), 10U);
}

// One bin of n cases at 0.5: the error by chance is E|k/n - 1/2|, for n = 2 exactly 1/4.
TEST(ReliabilityTest, ErrorByChance) {
  const std::vector<Scored> two = {{0.5, true}, {0.5, false}};
  EXPECT_NEAR(*CalibrationErrorByChance(two, Binning::kEqualMass, 1, 20'000, 7), 0.25, 0.01);
  const std::vector<Scored> certain = {{0, false}, {1, true}};
  EXPECT_EQ(*CalibrationErrorByChance(certain, Binning::kEqualMass, 2, 100, 7), 0);
}

// Scores that are the probabilities: what was measured lies near what chance alone would show.
TEST(ReliabilityTest, CalibratedScoresShowNoMoreThanChance) {
  std::mt19937_64 random(3);
  std::vector<Scored> cases;
  for (int i = 0; i < 4000; ++i) {
    const double p = static_cast<double>(random() >> 11) * 0x1p-53;
    cases.push_back({p, static_cast<double>(random() >> 11) * 0x1p-53 < p});
  }
  const double measured =
      MeasureReliability(cases, Binning::kEqualMass, 10)->expected_calibration_error;
  const double chance = *CalibrationErrorByChance(cases, Binning::kEqualMass, 10, 200, 1);
  EXPECT_LT(measured, 2 * chance);
  EXPECT_GT(measured, chance / 3);
}

}  // namespace
}  // namespace safeguard::eval
