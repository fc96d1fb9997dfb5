// Metrics of a binary judgement. Whatever a data set cannot tell (a recall without a single
// positive, a rank measure over one class, a score that is not a number) is empty, "not defined":
// never 0 and never 1.
//
// All functions are pure and thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace safeguard::eval {

// Counts of (expected, judged); a violation is the positive class.
struct Confusion {
  std::size_t true_positive = 0;
  std::size_t false_positive = 0;
  std::size_t false_negative = 0;
  std::size_t true_negative = 0;

  void Add(bool expected, bool judged, std::size_t times = 1);
  [[nodiscard]] std::size_t positives() const { return true_positive + false_negative; }
  [[nodiscard]] std::size_t negatives() const { return false_positive + true_negative; }
  [[nodiscard]] std::size_t total() const { return positives() + negatives(); }
  friend bool operator==(const Confusion&, const Confusion&) = default;
};

// tp / (tp + fp). Not defined when nothing was judged a violation.
std::optional<double> Precision(const Confusion& c);
// tp / (tp + fn). Not defined without positives.
std::optional<double> Recall(const Confusion& c);
// fp / (fp + tn): the share of safe content that raises an alarm. Not defined without negatives.
std::optional<double> FalseAlarmRate(const Confusion& c);
// 2tp / (2tp + fp + fn). Not defined without positives; 0 when positives are there and none found.
std::optional<double> F1(const Confusion& c);
// Not defined without cases.
std::optional<double> Accuracy(const Confusion& c);
// Mean of recall and of 1 - false alarm rate. Not defined unless both classes are there.
std::optional<double> BalancedAccuracy(const Confusion& c);
// Matthews correlation, -1..1. Not defined when a row or column of the matrix is empty.
std::optional<double> Matthews(const Confusion& c);
// Cohen's kappa. Not defined when agreement by chance is certain.
std::optional<double> Kappa(const Confusion& c);

// A judged case that has a score.
struct Scored {
  double score = 0;
  bool positive = false;
};

// A threshold and what comes of it: at or above it is a violation.
struct OperatingPoint {
  double threshold = 0;  // a score of the data; infinity: nothing is a violation
  double precision = 0;  // NaN only in a point where nothing is judged a violation
  double recall = 0;
  double false_alarm_rate = 0;
  double f1 = 0;
};

// What all rankings by score can tell. Every member is empty when not defined.
struct RankMetrics {
  // Probability that a positive scores above a negative, ties counting half (Mann-Whitney U with
  // midranks; Hanley and McNeil 1982). Needs both classes.
  std::optional<double> roc_auc;
  // Average precision, the sum of precision times the step in recall over the distinct scores, with
  // no interpolation. Needs a positive.
  std::optional<double> average_precision;
  // The most recall at a false alarm rate of at most `false_alarm_rate_max`. Needs both classes.
  std::optional<OperatingPoint> recall_at_false_alarms;
  // The same for each of `false_alarm_rates`.
  std::vector<std::optional<OperatingPoint>> recall_at_rates;
  // The most precision at a recall of at least each of `recalls`. Needs a positive.
  std::vector<std::optional<OperatingPoint>> precision_at_recall;
  // The threshold with the highest F1 on these very cases: optimistic, since it was chosen on what
  // it is scored on. The highest such threshold. Needs a positive.
  std::optional<OperatingPoint> best_f1;
};

struct RankOptions {
  double false_alarm_rate_max = 0.01;
  std::vector<double> false_alarm_rates = {0.01, 0.05, 0.10};
  std::vector<double> recalls = {0.80, 0.90, 0.95};
};

// Scores sorted once, so that many resamples of them can be measured in one pass each.
class Ranking {
 public:
  explicit Ranking(std::span<const Scored> cases);

  // False when a score is NaN: then nothing is defined.
  [[nodiscard]] bool defined() const { return defined_; }

  // `weights[i]` counts how often case i is in the sample; empty: each once.
  // REQUIRES: weights is empty or has one entry for each case.
  [[nodiscard]] RankMetrics Measure(const RankOptions& options,
                                    std::span<const std::uint32_t> weights = {}) const;

 private:
  std::vector<std::size_t> order_;  // by descending score
  std::vector<Scored> sorted_;
  bool defined_ = true;
};

inline constexpr std::size_t kCalibrationBins = 10;

struct CalibrationBin {
  std::size_t cases = 0;
  double score_mean = 0;      // 0 when empty
  double positive_share = 0;  // 0 when empty
};

// How far scores can be read as probabilities.
struct Calibration {
  double brier = 0;                       // mean of (score - outcome) squared; Brier 1950
  double expected_calibration_error = 0;  // over bins of equal width; Naeini et al. 2015
  std::array<CalibrationBin, kCalibrationBins> bins{};  // [0, 0.1), ... [0.9, 1]
};

// Not defined without cases or when a score is not in [0, 1].
std::optional<Calibration> MeasureCalibration(std::span<const Scored> cases);

}  // namespace safeguard::eval
