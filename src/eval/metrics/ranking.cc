#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "eval/metrics.h"

namespace safeguard::eval {
namespace {

// Walks the thresholds from the highest score down; after each distinct score `positives` and
// `negatives` are what lies at or above it.
class Sweep {
 public:
  Sweep(double positives_all, double negatives_all, const RankOptions& options,
        RankMetrics& metrics)
      : positives_all_(positives_all),
        negatives_all_(negatives_all),
        options_(options),
        metrics_(metrics) {
    metrics_.precision_at_recall.resize(options.recalls.size());
    if (both_classes()) {
      // The threshold above all scores: no alarm, and nothing found.
      metrics_.recall_at_false_alarms =
          OperatingPoint{.threshold = std::numeric_limits<double>::infinity(),
                         .precision = std::numeric_limits<double>::quiet_NaN()};
    }
    metrics_.recall_at_rates.assign(options.false_alarm_rates.size(),
                                    metrics_.recall_at_false_alarms);
  }

  void Step(double threshold, double positives, double negatives) {
    const double pairs_won = negatives * positives_;  // these negatives lie under those positives
    area_ += pairs_won + negatives * positives / 2;
    positives_ += positives;
    negatives_ += negatives;
    if (positives_all_ <= 0) {
      return;
    }
    const double precision = positives_ / (positives_ + negatives_);
    average_precision_ += precision * positives / positives_all_;
    const OperatingPoint point{
        .threshold = threshold,
        .precision = precision,
        .recall = positives_ / positives_all_,
        .false_alarm_rate = negatives_all_ > 0 ? negatives_ / negatives_all_ : 0,
        .f1 = 2 * positives_ / (positives_ + negatives_ + positives_all_)};
    Keep(point);
  }

  void Finish() {
    if (both_classes()) {
      metrics_.roc_auc = area_ / (positives_all_ * negatives_all_);
    }
    if (positives_all_ > 0) {
      metrics_.average_precision = average_precision_;
    }
  }

 private:
  [[nodiscard]] bool both_classes() const { return positives_all_ > 0 && negatives_all_ > 0; }

  void KeepAtRate(const OperatingPoint& point, double rate, std::optional<OperatingPoint>& best) {
    // Compares counts, so that 1 of 20 is a rate of 0.05 whatever the rounding of 0.05.
    if (both_classes() && negatives_ <= rate * negatives_all_ + 1e-9 &&
        point.recall > best->recall) {
      best = point;
    }
  }

  void Keep(const OperatingPoint& point) {
    KeepAtRate(point, options_.false_alarm_rate_max, metrics_.recall_at_false_alarms);
    for (std::size_t i = 0; i < options_.false_alarm_rates.size(); ++i) {
      KeepAtRate(point, options_.false_alarm_rates[i], metrics_.recall_at_rates[i]);
    }
    for (std::size_t i = 0; i < options_.recalls.size(); ++i) {
      std::optional<OperatingPoint>& best = metrics_.precision_at_recall[i];
      // Compares counts, so that 4 of 5 is a recall of 0.8 whatever the rounding of 0.8.
      const bool enough = positives_ + 1e-9 >= options_.recalls[i] * positives_all_;
      if (enough && (!best || point.precision > best->precision)) {
        best = point;
      }
    }
    if (!metrics_.best_f1 || point.f1 > metrics_.best_f1->f1) {
      metrics_.best_f1 = point;
    }
  }

  double positives_all_;
  double negatives_all_;
  const RankOptions& options_;
  RankMetrics& metrics_;
  double positives_ = 0;
  double negatives_ = 0;
  double area_ = 0;
  double average_precision_ = 0;
};

}  // namespace

Ranking::Ranking(std::span<const Scored> cases) : order_(cases.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  defined_ = std::ranges::none_of(cases, [](const Scored& c) { return std::isnan(c.score); });
  if (!defined_) {
    return;
  }
  std::ranges::stable_sort(
      order_, [cases](std::size_t a, std::size_t b) { return cases[a].score > cases[b].score; });
  sorted_.reserve(cases.size());
  for (const std::size_t i : order_) {
    sorted_.push_back(cases[i]);
  }
}

RankMetrics Ranking::Measure(const RankOptions& options,
                             std::span<const std::uint32_t> weights) const {
  CHECK(weights.empty() || weights.size() == order_.size());
  RankMetrics metrics;
  metrics.precision_at_recall.resize(options.recalls.size());
  metrics.recall_at_rates.resize(options.false_alarm_rates.size());
  if (!defined_) {
    return metrics;
  }
  const auto weight = [&](std::size_t rank) {
    return weights.empty() ? 1.0 : static_cast<double>(weights[order_[rank]]);
  };
  double positives_all = 0;
  double negatives_all = 0;
  for (std::size_t rank = 0; rank < sorted_.size(); ++rank) {
    (sorted_[rank].positive ? positives_all : negatives_all) += weight(rank);
  }
  Sweep sweep(positives_all, negatives_all, options, metrics);
  std::size_t rank = 0;
  while (rank < sorted_.size()) {
    const double threshold = sorted_[rank].score;
    double positives = 0;
    double negatives = 0;
    for (; rank < sorted_.size() && sorted_[rank].score == threshold; ++rank) {
      (sorted_[rank].positive ? positives : negatives) += weight(rank);
    }
    if (positives + negatives > 0) {
      sweep.Step(threshold, positives, negatives);
    }
  }
  sweep.Finish();
  return metrics;
}

}  // namespace safeguard::eval
