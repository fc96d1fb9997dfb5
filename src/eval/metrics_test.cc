#include "eval/metrics.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <vector>

namespace safeguard::eval {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(ConfusionTest, ByHand) {
  const Confusion c{
      .true_positive = 6, .false_positive = 2, .false_negative = 4, .true_negative = 8};
  EXPECT_DOUBLE_EQ(*Precision(c), 0.75);
  EXPECT_DOUBLE_EQ(*Recall(c), 0.6);
  EXPECT_DOUBLE_EQ(*FalseAlarmRate(c), 0.2);
  EXPECT_DOUBLE_EQ(*F1(c), 12.0 / 18.0);
  EXPECT_DOUBLE_EQ(*Accuracy(c), 0.7);
  EXPECT_DOUBLE_EQ(*BalancedAccuracy(c), 0.7);
  EXPECT_DOUBLE_EQ(*Matthews(c), (48.0 - 8.0) / std::sqrt(8.0 * 12.0 * 10.0 * 10.0));
  // Chance: (10 * 8 + 10 * 12) / 400 = 0.5.
  EXPECT_DOUBLE_EQ(*Kappa(c), 0.4);
}

TEST(ConfusionTest, WhatCannotBeToldIsNotDefined) {
  const Confusion none;
  EXPECT_FALSE(Precision(none) || Recall(none) || F1(none) || Accuracy(none) || Kappa(none) ||
               Matthews(none) || BalancedAccuracy(none) || FalseAlarmRate(none));
  const Confusion all_safe{.true_negative = 5};
  EXPECT_FALSE(Recall(all_safe) || F1(all_safe) || Precision(all_safe) || Kappa(all_safe));
  EXPECT_EQ(*Accuracy(all_safe), 1);
  const Confusion only_alarms{.false_positive = 2, .true_negative = 3};
  EXPECT_FALSE(Recall(only_alarms) || F1(only_alarms) || BalancedAccuracy(only_alarms) ||
               Matthews(only_alarms));
  EXPECT_EQ(*Precision(only_alarms), 0);
  const Confusion nothing_found{.false_negative = 3, .true_negative = 3};
  EXPECT_FALSE(Precision(nothing_found) || Matthews(nothing_found));
  EXPECT_EQ(*F1(nothing_found), 0);
  EXPECT_EQ(*Kappa(nothing_found), 0);
}

TEST(RankingTest, ByHandWithTies) {
  // Descending: 0.9+ | 0.8- | 0.7+ 0.7- | 0.1-
  const std::vector<Scored> cases = {
      {0.7, true}, {0.1, false}, {0.9, true}, {0.8, false}, {0.7, false}};
  const RankMetrics m = Ranking(cases).Measure({});
  // 0.9 beats 3 of 3; 0.7 loses to 0.8, ties 0.7, beats 0.1: (3 + 1.5) / 6.
  EXPECT_DOUBLE_EQ(*m.roc_auc, 0.75);
  // Precision 1 at recall 0.5, then 2/4 at recall 1.
  EXPECT_DOUBLE_EQ(*m.average_precision, 0.5 * 1 + 0.5 * 0.5);
  EXPECT_DOUBLE_EQ(m.recall_at_false_alarms->recall, 0.5);
  EXPECT_DOUBLE_EQ(m.recall_at_false_alarms->threshold, 0.9);
  EXPECT_DOUBLE_EQ(m.precision_at_recall[0]->precision, 0.5);
  EXPECT_DOUBLE_EQ(m.precision_at_recall[0]->threshold, 0.7);
  // F1: 2/3 at 0.9, 1/2 at 0.8, 4/6 at 0.7: the highest threshold of equals.
  EXPECT_DOUBLE_EQ(m.best_f1->f1, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(m.best_f1->threshold, 0.9);
}

TEST(RankingTest, RecallAtSeveralRates) {
  // 20 safe cases at 0.01 .. 0.20, violations at 0.195 (above 19 of them) and 0.005.
  std::vector<Scored> cases = {{0.195, true}, {0.005, true}};
  for (int i = 1; i <= 20; ++i) {
    cases.push_back({i / 100.0, false});
  }
  const RankMetrics m = Ranking(cases).Measure({});
  ASSERT_EQ(m.recall_at_rates.size(), 3U);  // at 1 %, 5 %, 10 %
  EXPECT_EQ(m.recall_at_rates[0]->recall, 0);
  EXPECT_EQ(m.recall_at_rates[1]->recall, 0.5);  // one alarm of 20 is allowed
  EXPECT_EQ(m.recall_at_rates[1]->threshold, 0.195);
  EXPECT_EQ(m.recall_at_rates[2]->recall, 0.5);
}

TEST(RankingTest, NoAlarmAllowed) {
  const std::vector<Scored> cases = {{0.9, false}, {0.5, true}};
  const RankMetrics m = Ranking(cases).Measure({});
  EXPECT_EQ(m.recall_at_false_alarms->recall, 0);
  EXPECT_TRUE(std::isinf(m.recall_at_false_alarms->threshold));
  EXPECT_EQ(*m.roc_auc, 0);
}

TEST(RankingTest, RecallOfFourInFiveIsPointEight) {
  std::vector<Scored> cases = {{0.1, true}, {0.2, false}};
  for (int i = 0; i < 4; ++i) {
    cases.push_back({0.9, true});
  }
  EXPECT_DOUBLE_EQ(Ranking(cases).Measure({}).precision_at_recall[0]->precision, 1);
}

TEST(RankingTest, WhatCannotBeToldIsNotDefined) {
  const std::vector<Scored> positives = {{0.1, true}, {0.9, true}};
  const std::vector<Scored> negatives = {{0.1, false}, {0.9, false}};
  const std::vector<Scored> not_numbers = {{kNaN, true}, {0.9, false}};
  const RankMetrics p = Ranking(positives).Measure({});
  EXPECT_FALSE(p.roc_auc || p.recall_at_false_alarms);
  EXPECT_EQ(*p.average_precision, 1);
  const RankMetrics n = Ranking(negatives).Measure({});
  EXPECT_FALSE(n.roc_auc || n.average_precision || n.recall_at_false_alarms || n.best_f1 ||
               n.precision_at_recall[0]);
  const RankMetrics nan = Ranking(not_numbers).Measure({});
  EXPECT_FALSE(nan.roc_auc || nan.average_precision || nan.best_f1 || nan.recall_at_false_alarms);
  const RankMetrics none = Ranking({}).Measure({});
  EXPECT_FALSE(none.roc_auc || none.average_precision);
  EXPECT_EQ(none.precision_at_recall.size(), 3U);
}

// The definitions, computed in the plainest way.
double BruteAuc(const std::vector<Scored>& cases) {
  double won = 0;
  double pairs = 0;
  for (const Scored& p : cases) {
    for (const Scored& n : cases) {
      if (p.positive && !n.positive) {
        ++pairs;
        won += p.score > n.score ? 1 : p.score == n.score ? 0.5 : 0;
      }
    }
  }
  return won / pairs;
}

Confusion AtThreshold(const std::vector<Scored>& cases, double threshold) {
  Confusion c;
  for (const Scored& each : cases) {
    c.Add(each.positive, each.score >= threshold);
  }
  return c;
}

struct Brute {
  double average_precision = 0;
  double recall_at_false_alarms = 0;
  double precision_at_recall = 0;
  double best_f1 = 0;
};

Brute BruteForce(const std::vector<Scored>& cases, double alarms_max, double recall_min) {
  Brute brute;
  for (const Scored& each : cases) {
    const Confusion c = AtThreshold(cases, each.score);
    // Each positive adds the precision at its own score.
    brute.average_precision +=
        each.positive ? *Precision(c) / static_cast<double>(c.positives()) : 0;
    if (static_cast<double>(c.false_positive) <= alarms_max * static_cast<double>(c.negatives())) {
      brute.recall_at_false_alarms = std::max(brute.recall_at_false_alarms, *Recall(c));
    }
    if (*Recall(c) + 1e-9 >= recall_min) {
      brute.precision_at_recall = std::max(brute.precision_at_recall, *Precision(c));
    }
    brute.best_f1 = std::max(brute.best_f1, *F1(c));
  }
  return brute;
}

std::vector<Scored> ManyCases() {
  const auto numbers = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::pair<int, bool>>>(
      rc::gen::pair(rc::gen::inRange(0, 12), rc::gen::arbitrary<bool>())));
  std::vector<Scored> cases;
  for (const auto& [number, positive] : numbers) {
    cases.push_back({number / 12.0, positive});
  }
  cases.push_back({*rc::gen::inRange(0, 12) / 12.0, true});
  cases.push_back({*rc::gen::inRange(0, 12) / 12.0, false});
  return cases;
}

TEST(RankingTest, AgreesWithTheDefinitions) {
  EXPECT_TRUE(rc::check("one sweep gives what the definitions give", [] {
    const std::vector<Scored> cases = ManyCases();
    RankOptions options;
    options.false_alarm_rate_max = *rc::gen::element(0.01, 0.2, 0.5);
    options.recalls = {*rc::gen::element(0.5, 0.8, 0.95)};
    const RankMetrics m = Ranking(cases).Measure(options);
    const Brute brute = BruteForce(cases, options.false_alarm_rate_max, options.recalls[0]);
    const auto near = [](double a, double b) { return std::abs(a - b) < 1e-9; };
    RC_ASSERT(near(*m.roc_auc, BruteAuc(cases)));
    RC_ASSERT(near(*m.average_precision, brute.average_precision));
    RC_ASSERT(near(m.recall_at_false_alarms->recall, brute.recall_at_false_alarms));
    RC_ASSERT(near(m.precision_at_recall[0]->precision, brute.precision_at_recall));
    RC_ASSERT(near(m.best_f1->f1, brute.best_f1));
    const Confusion at_best = AtThreshold(cases, m.best_f1->threshold);
    RC_ASSERT(near(*F1(at_best), m.best_f1->f1));
    RC_ASSERT(near(*Recall(at_best), m.best_f1->recall));
    RC_ASSERT(near(*FalseAlarmRate(at_best), m.best_f1->false_alarm_rate));
  }));
}

TEST(RankingTest, WeightsAreRepetitions) {
  EXPECT_TRUE(rc::check("a weight counts like so many copies", [] {
    const std::vector<Scored> cases = ManyCases();
    std::vector<std::uint32_t> weights;
    std::vector<Scored> copies;
    for (const Scored& each : cases) {
      weights.push_back(*rc::gen::inRange<std::uint32_t>(0, 4));
      copies.insert(copies.end(), weights.back(), each);
    }
    const RankMetrics a = Ranking(cases).Measure({}, weights);
    const RankMetrics b = Ranking(copies).Measure({});
    RC_ASSERT(a.roc_auc == b.roc_auc);
    RC_ASSERT(a.average_precision == b.average_precision);
    RC_ASSERT(a.best_f1.has_value() == b.best_f1.has_value());
    RC_ASSERT(!a.best_f1 || a.best_f1->threshold == b.best_f1->threshold);
  }));
}

TEST(CalibrationTest, ByHand) {
  const std::vector<Scored> cases = {{0.9, true}, {0.95, false}, {0.1, false}, {1.0, true}};
  const auto c = MeasureCalibration(cases);
  ASSERT_TRUE(c);
  EXPECT_NEAR(c->brier, (0.01 + 0.9025 + 0.01 + 0) / 4, 1e-12);
  EXPECT_EQ(c->bins[9].cases, 3U);
  EXPECT_EQ(c->bins[1].cases, 1U);
  // 3/4 of |0.95 - 2/3| and 1/4 of |0.1 - 0|.
  EXPECT_NEAR(c->expected_calibration_error, 0.75 * (0.95 - 2.0 / 3.0) + 0.25 * 0.1, 1e-12);
}

TEST(CalibrationTest, NeedsProbabilities) {
  EXPECT_FALSE(MeasureCalibration({}));
  EXPECT_FALSE(MeasureCalibration(std::vector<Scored>{{1.5, true}}));
  EXPECT_FALSE(MeasureCalibration(std::vector<Scored>{{kNaN, true}}));
}

}  // namespace
}  // namespace safeguard::eval
