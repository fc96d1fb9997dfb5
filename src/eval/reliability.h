// Whether scores can be read as probabilities: of the contents scored about 0.8, are eight in ten
// violations?
//
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/metrics.h"

namespace safeguard::eval {

// Equal width: [0, 0.1), [0.1, 0.2) ... as usually published, though most cases may lie in two of
// them. Equal mass: nearly as many cases in each, which estimates the error better (Nguyen and
// O'Connor 2015; Roelofs et al. 2022).
enum class Binning { kEqualWidth, kEqualMass };

struct ReliabilityBin {
  std::size_t cases = 0;
  std::size_t positives = 0;
  double score_low = 0;  // of the cases in it
  double score_high = 0;
  double score_mean = 0;
  double positive_share = 0;
  Interval interval{};  // of the share, Wilson, 95 %
};

struct Reliability {
  std::vector<ReliabilityBin> bins;  // those with cases, lowest scores first
  // Mean over the cases of |score mean - positive share| of their bin (Naeini et al. 2015).
  double expected_calibration_error = 0;
  double maximum_calibration_error = 0;
};

// The number of bins that leaves about ten cases in each, 1 .. 10.
std::size_t ReliabilityBinCount(std::size_t cases);

// Bins of equal mass never part cases of the same score, so there may be fewer than `bins`. Not
// defined without cases or when a score is not in [0, 1]. REQUIRES: bins >= 1.
std::optional<Reliability> MeasureReliability(std::span<const Scored> cases, Binning binning,
                                              std::size_t bins);

// The calibration error that scores which ARE the probabilities would show on a sample of this size
// by chance alone: the mean over `resamples` draws of the labels from the scores (Broecker and
// Smith 2007). An error that is not clearly above it says nothing against the scores.
// Deterministic. Not defined as above.
std::optional<double> CalibrationErrorByChance(std::span<const Scored> cases, Binning binning,
                                               std::size_t bins, std::size_t resamples,
                                               std::uint64_t seed);

// Mean of (score - outcome) squared (Brier 1950). Not defined as above.
std::optional<double> BrierScore(std::span<const Scored> cases);

}  // namespace safeguard::eval
