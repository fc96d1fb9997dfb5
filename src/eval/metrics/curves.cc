#include "eval/curves.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace safeguard::eval {
namespace {

std::optional<double> Share(std::size_t part, std::size_t whole) {
  return whole == 0 ? std::nullopt
                    : std::optional(static_cast<double>(part) / static_cast<double>(whole));
}

double Moved(const std::optional<double>& a, const std::optional<double>& b) {
  return a && b ? std::abs(*a - *b) : 0;
}

}  // namespace

std::vector<CurvePoint> ThresholdCurve(std::span<const Scored> cases) {
  std::vector<Scored> sorted(cases.begin(), cases.end());
  if (std::ranges::any_of(sorted, [](const Scored& c) { return std::isnan(c.score); })) {
    return {};
  }
  std::ranges::stable_sort(sorted,
                           [](const Scored& a, const Scored& b) { return a.score > b.score; });
  const auto positives =
      static_cast<std::size_t>(std::ranges::count(sorted, true, &Scored::positive));
  const std::size_t negatives = sorted.size() - positives;
  std::vector<CurvePoint> curve(1);
  curve[0].recall = Share(0, positives);
  curve[0].false_alarm_rate = Share(0, negatives);
  for (std::size_t i = 0; i < sorted.size();) {
    CurvePoint point = curve.back();
    point.threshold = sorted[i].score;
    for (; i < sorted.size() && sorted[i].score == point.threshold; ++i) {
      ++(sorted[i].positive ? point.true_positive : point.false_positive);
    }
    point.recall = Share(point.true_positive, positives);
    point.false_alarm_rate = Share(point.false_positive, negatives);
    point.precision = Share(point.true_positive, point.true_positive + point.false_positive);
    curve.push_back(point);
  }
  return curve;
}

std::vector<CurvePoint> ThinnedCurve(std::span<const CurvePoint> curve, std::size_t points_max) {
  CHECK(points_max >= 2);
  if (curve.size() <= points_max) {
    return {curve.begin(), curve.end()};
  }
  const double step = 1 / static_cast<double>(points_max);
  std::vector<CurvePoint> kept = {curve.front()};
  for (std::size_t i = 1; i + 1 < curve.size(); ++i) {
    const CurvePoint& last = kept.back();
    const CurvePoint& next = curve[i + 1];
    if (Moved(last.recall, next.recall) > step ||
        Moved(last.false_alarm_rate, next.false_alarm_rate) > step ||
        Moved(last.precision, next.precision) > step || !last.precision) {
      kept.push_back(curve[i]);
    }
  }
  kept.push_back(curve.back());
  return kept;
}

Histogram ScoreHistogram(std::span<const Scored> cases, std::size_t bins) {
  CHECK(bins >= 1);
  Histogram histogram{.positives = std::vector<std::size_t>(bins),
                      .negatives = std::vector<std::size_t>(bins)};
  for (const Scored& c : cases) {
    if (c.score >= 0 && c.score <= 1) {
      const auto bin =
          std::min(bins - 1, static_cast<std::size_t>(c.score * static_cast<double>(bins)));
      ++(c.positive ? histogram.positives : histogram.negatives)[bin];
    }
  }
  return histogram;
}

}  // namespace safeguard::eval
