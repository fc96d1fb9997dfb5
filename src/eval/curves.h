// The curves behind the rank figures: every threshold that changes something, from "nothing is a
// violation" to "everything is".
//
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "eval/metrics.h"

namespace safeguard::eval {

// What comes of calling everything at or above `threshold` a violation.
struct CurvePoint {
  double threshold = std::numeric_limits<double>::infinity();  // of the first point: nothing is one
  std::size_t true_positive = 0;
  std::size_t false_positive = 0;
  std::optional<double> recall;            // needs a positive
  std::optional<double> false_alarm_rate;  // needs a negative
  std::optional<double> precision;         // needs something judged a violation
};

// One point for each distinct score, highest first, after one above them all. Ties are one point:
// no threshold can tell them apart. Empty when a score is NaN.
std::vector<CurvePoint> ThresholdCurve(std::span<const Scored> cases);

// The curve with at most about `points_max` points, for drawing: the ends stay, and no point moves
// by more than 1 / points_max in recall, false alarms or precision against its neighbours left out.
std::vector<CurvePoint> ThinnedCurve(std::span<const CurvePoint> curve, std::size_t points_max);

// Cases by class in bins of equal width over [0, 1], the last one closed. Scores outside or NaN are
// left out.
struct Histogram {
  std::vector<std::size_t> positives;
  std::vector<std::size_t> negatives;
};
Histogram ScoreHistogram(std::span<const Scored> cases, std::size_t bins);

}  // namespace safeguard::eval
