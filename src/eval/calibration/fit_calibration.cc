#include "eval/fit_calibration.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/check.h"
#include "eval/intervals.h"

namespace safeguard::eval {
namespace {

using moderation::CalibrationMethod;
using moderation::ScoreMap;

Result<ScoreMap> Fit(CalibrationMethod method, std::span<const Scored> cases) {
  return method == CalibrationMethod::kIsotonic ? FitIsotonic(cases) : FitPlatt(cases);
}

// Every case scored by the map that was fitted on the other folds.
Result<std::vector<Scored>> CrossCalibrated(CalibrationMethod method, std::span<const Scored> cases,
                                            std::span<const std::size_t> folds) {
  std::vector<Scored> calibrated(cases.begin(), cases.end());
  for (const std::size_t fold : std::set<std::size_t>(folds.begin(), folds.end())) {
    std::vector<Scored> others;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (folds[i] != fold) {
        others.push_back(cases[i]);
      }
    }
    const Result<ScoreMap> map = Fit(method, others);
    if (!map) {
      return std::unexpected(map.error());
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (folds[i] == fold) {
        calibrated[i].score = map->Apply(cases[i].score);
      }
    }
  }
  return calibrated;
}

CalibrationFigures Measure(std::span<const Scored> cases, const CalibrateOptions& options) {
  const std::size_t bins = ReliabilityBinCount(cases.size());
  CalibrationFigures figures;
  figures.equal_mass = MeasureReliability(cases, Binning::kEqualMass, bins).value();
  figures.error_equal_width =
      MeasureReliability(cases, Binning::kEqualWidth, bins)->expected_calibration_error;
  figures.brier = BrierScore(cases).value();
  figures.error_by_chance = CalibrationErrorByChance(cases, Binning::kEqualMass, bins,
                                                     options.chance_resamples, options.seed)
                                .value();
  return figures;
}

Status CheckCases(std::span<const Scored> cases) {
  const auto positives =
      static_cast<std::size_t>(std::ranges::count(cases, true, &Scored::positive));
  const std::size_t negatives = cases.size() - positives;
  if (std::min(positives, negatives) < kCalibrationClassMin) {
    return Fail(ErrorCode::kLimit,
                "a calibration takes at least " + std::to_string(kCalibrationClassMin) +
                    " scored violations and as many safe cases; there are " +
                    std::to_string(positives) + " and " + std::to_string(negatives),
                "add labelled cases to the golden set");
  }
  return {};
}

}  // namespace

std::vector<HeldOutCase> HeldOutCases(std::span<const Record> records,
                                      const CrossValidation& validation) {
  CHECK(records.size() == validation.run.results.size() &&
        records.size() == validation.folds.size());
  std::set<std::string> seen;
  std::vector<HeldOutCase> cases;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const CaseResult& result = validation.run.results[i];
    if (!records[i].expected || !result.judged ||
        !seen.insert(NormalText(records[i].content)).second) {
      continue;
    }
    cases.push_back({.score = result.verdict.score,
                     .positive = *records[i].expected == moderation::Outcome::kViolation,
                     .fold = validation.folds[i]});
  }
  return cases;
}

Result<CalibrationFit> FitCalibration(std::span<const HeldOutCase> cases,
                                      const CalibrateOptions& options) {
  std::vector<Scored> scored;
  std::vector<std::size_t> folds;
  std::vector<double> positive_scores;
  for (const HeldOutCase& c : cases) {
    if (c.score) {
      scored.push_back({.score = *c.score, .positive = c.positive});
      folds.push_back(c.fold);
    }
    if (c.positive) {
      positive_scores.push_back(c.score.value_or(1));
    }
  }
  if (const Status enough = CheckCases(scored); !enough) {
    return std::unexpected(enough.error());
  }
  CalibrationFit fit;
  fit.cases = scored.size();
  fit.positives = static_cast<std::size_t>(std::ranges::count(scored, true, &Scored::positive));
  fit.without_score = cases.size() - scored.size();
  const CalibrationMethod method = options.method.value_or(
      scored.size() < kIsotonicCasesMin ? CalibrationMethod::kPlatt : CalibrationMethod::kIsotonic);
  Result<ScoreMap> map = Fit(method, scored);
  if (!map) {
    return std::unexpected(map.error());
  }
  const Result<std::vector<Scored>> calibrated = CrossCalibrated(method, scored, folds);
  if (!calibrated) {
    return std::unexpected(calibrated.error());
  }
  fit.map = std::move(*map);
  fit.raw = Measure(scored, options);
  fit.calibrated = Measure(*calibrated, options);
  if (options.miss_rate) {
    Result<moderation::MissBound> bound =
        FitMissBound(positive_scores, *options.miss_rate, options.confidence);
    if (bound) {
      fit.miss_bound = *bound;
    } else if (bound.error().code == ErrorCode::kLimit) {
      fit.why_no_bound = Describe(bound.error());
    } else {
      return std::unexpected(bound.error());
    }
  }
  return fit;
}

CutFigures MeasureCut(std::span<const HeldOutCase> cases, double threshold) {
  CutFigures cut;
  cut.threshold = threshold;
  std::size_t positives = 0;
  for (const HeldOutCase& c : cases) {
    const bool above = !c.score || *c.score >= threshold;
    positives += c.positive ? 1 : 0;
    cut.positives_above += c.positive && above ? 1 : 0;
    cut.negatives_above += !c.positive && above ? 1 : 0;
  }
  cut.recall = ClopperPearsonInterval(cut.positives_above, positives);
  cut.false_alarms = WilsonInterval(cut.negatives_above, cases.size() - positives);
  return cut;
}

}  // namespace safeguard::eval
