// Fits a calibration (moderation/calibration.h) on held-out scores of a golden set.
//
// Honesty: a judge that learns from the golden set must not be asked about a case it has learned.
// The scores come from cross-validation (eval/runner.h), each from a judge fitted on the other
// folds; the calibration is then used with the judge fitted on all cases. What is claimed rests on
// the two scoring alike, and on future content being like the golden set ("exchangeable").
//
// Pure, deterministic, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/bootstrap.h"
#include "eval/dataset.h"
#include "eval/metrics.h"
#include "eval/reliability.h"
#include "eval/runner.h"
#include "moderation/calibration.h"

namespace safeguard::eval {

// Below this many cases a curve of steps follows their noise (Niculescu-Mizil and Caruana 2005).
inline constexpr std::size_t kIsotonicCasesMin = 1000;
// Of each class: fewer say nothing about a slope.
inline constexpr std::size_t kCalibrationClassMin = 10;
inline constexpr std::size_t kKnotsMax = 10'000;

// Platt (1999) with his smoothed targets, by the Newton iteration of Lin, Lin and Weng (2007).
// Fails when a class is missing or when the probability would fall with the score.
Result<moderation::ScoreMap> FitPlatt(std::span<const Scored> cases);

// Pool adjacent violators (Ayer et al. 1955), straight between the blocks, kept within
// 1 / (n + 2) of 0 and 1: no n cases prove certainty. Fails when a class is missing or when it
// comes out flat.
Result<moderation::ScoreMap> FitIsotonic(std::span<const Scored> cases);

// The least number of labelled violations for such a bound: ln(1 - confidence) / ln(1 - miss_rate),
// rounded up. REQUIRES: both in (0, 1).
std::size_t PositivesNeeded(double miss_rate, double confidence);

// The k-th lowest of the violations' scores, k the largest with P(Bin(n, miss_rate) < k) <=
// 1 - confidence: a distribution-free tolerance bound (Wilks 1941), the training-conditional form
// of conformal prediction (Vovk 2012), which is also the binomial test of Learn-then-Test
// (Angelopoulos et al. 2021) walked along the thresholds. Over draws of golden sets from the same
// source, at least `confidence` of them get a threshold below which at most `miss_rate` of all
// violations score. Ties only make it stricter. Fails (kLimit) with the number of labels needed
// when there are too few, and on a rate or confidence outside (0, 1).
Result<moderation::MissBound> FitMissBound(std::span<const double> positive_scores,
                                           double miss_rate, double confidence);

// A golden case as a judge scored it that had not learned it.
struct HeldOutCase {
  std::optional<double> score;  // raw; empty: undetermined without one, so never called safe
  bool positive = false;
  std::size_t fold = 0;
};

// Of a cross-validation: labelled and judged records, each text once (a repeated one is no second
// observation).
std::vector<HeldOutCase> HeldOutCases(std::span<const Record> records,
                                      const CrossValidation& validation);

struct CalibrateOptions {
  std::optional<moderation::CalibrationMethod> method;  // empty: by size, kIsotonicCasesMin
  std::optional<double> miss_rate = 0.05;               // empty: no miss bound is wanted
  double confidence = 0.9;
  std::size_t chance_resamples = 400;
  std::uint64_t seed = 1;
};

// The scores on one side: raw, or calibrated by maps that had not seen them.
struct CalibrationFigures {
  Reliability equal_mass;
  double error_equal_width = 0;
  double brier = 0;
  double error_by_chance = 0;  // equal mass
};

// A cut: a violation, or no longer safe, at or above a raw score. On the held-out cases.
struct CutFigures {
  double threshold = 0;
  std::size_t positives_above = 0;  // those without a score count as above: they are never safe
  std::size_t negatives_above = 0;
  std::optional<Interval> recall;        // exact, 95 %
  std::optional<Interval> false_alarms;  // Wilson, 95 %
};

struct CalibrationFit {
  moderation::ScoreMap map;
  std::optional<moderation::MissBound> miss_bound;
  std::string why_no_bound;  // when one was wanted and could not be had
  std::size_t cases = 0;
  std::size_t positives = 0;
  std::size_t without_score = 0;
  CalibrationFigures raw;
  CalibrationFigures calibrated;
};

// Fails when there are fewer than kCalibrationClassMin scored cases of a class, on a score outside
// 0..1, and as the fits do. Too few violations for the miss bound is no failure: `why_no_bound`.
Result<CalibrationFit> FitCalibration(std::span<const HeldOutCase> cases,
                                      const CalibrateOptions& options);

CutFigures MeasureCut(std::span<const HeldOutCase> cases, double threshold);

}  // namespace safeguard::eval
