#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "eval/fit_calibration.h"
#include "eval/training.h"

namespace safeguard::eval {
namespace {

// The band in raw scores first: bounds know no map, and equal probabilities are not equal scores.
Result<DecisionBand> FitBand(std::span<const Scored> scored, const moderation::ScoreMap& map,
                             const DecisionOptions& options) {
  std::vector<double> violations;
  std::vector<double> mirrored;  // of safe texts: a false alarm is a miss seen from above
  for (const Scored& one : scored) {
    if (one.positive) {
      violations.push_back(one.score);
    } else {
      mirrored.push_back(-one.score);
    }
  }
  const Result<moderation::MissBound> below =
      FitMissBound(violations, options.miss_rate, options.confidence);
  if (!below) {
    return std::unexpected(below.error());
  }
  Result<moderation::MissBound> above =
      FitMissBound(mirrored, options.alarm_rate, options.confidence);
  if (!above) {
    // The same bound, said of the other side.
    const std::size_t needed = PositivesNeeded(options.alarm_rate, options.confidence);
    return Fail(ErrorCode::kLimit,
                "bounding false alarms takes " + std::to_string(needed) +
                    " validated safe texts and there are " + std::to_string(mirrored.size()),
                "label " + std::to_string(needed - mirrored.size()) + " more");
  }
  DecisionBand band;
  band.miss_rate = options.miss_rate;
  band.alarm_rate = options.alarm_rate;
  band.confidence = options.confidence;
  band.safe = map.Apply(below->threshold);
  band.violation = std::nextafter(map.Apply(-above->threshold), 2.0);
  // Where both bounds overlap there is nothing to leave undecided.
  if (band.violation < band.safe) {
    band.violation = band.safe;
  }
  return band;
}

// Half way between the score with the highest F1 and the next one below: where no score lies, none
// is nearer to one side.
double BestThreshold(std::span<const Scored> probabilities) {
  const std::optional<OperatingPoint> best = Ranking(probabilities).Measure({}).best_f1;
  if (!best || best->threshold > 1) {
    return 0.5;
  }
  double below = 0;
  for (const Scored& one : probabilities) {
    below = one.score < best->threshold ? std::max(below, one.score) : below;
  }
  return (below + best->threshold) / 2;
}

}  // namespace

Result<Decision> FitDecision(std::span<const Scored> scored, std::span<const std::size_t> folds,
                             const DecisionOptions& options) {
  CHECK(scored.size() == folds.size());
  std::vector<HeldOutCase> cases;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    // Of a single validated fold five parts are made, so that the figures are cross-validated too.
    cases.push_back({scored[i].score, scored[i].positive, folds[i]});
  }
  if (std::ranges::all_of(folds, [&folds](std::size_t fold) { return fold == folds.front(); })) {
    std::size_t count[2] = {};
    for (HeldOutCase& one : cases) {
      one.fold = count[one.positive ? 1 : 0]++ % 5;
    }
  }
  CalibrateOptions calibrate;
  // Steps would make scores equal that are not: what sorts by them, or cuts high up, needs a curve.
  calibrate.method = moderation::CalibrationMethod::kPlatt;
  calibrate.miss_rate = std::nullopt;
  calibrate.chance_resamples = 100;
  const Result<CalibrationFit> fit = FitCalibration(cases, calibrate);
  if (!fit) {
    return std::unexpected(fit.error());
  }
  Decision decision;
  decision.map = fit->map;
  decision.error_raw = fit->raw.equal_mass.expected_calibration_error;
  decision.error_calibrated = fit->calibrated.equal_mass.expected_calibration_error;
  decision.error_by_chance = fit->calibrated.error_by_chance;
  std::vector<Scored> probabilities(scored.begin(), scored.end());
  for (Scored& one : probabilities) {
    one.score = decision.map.Apply(one.score);
  }
  decision.threshold = BestThreshold(probabilities);
  const Result<DecisionBand> band = FitBand(scored, decision.map, options);
  if (band) {
    decision.band = *band;
  } else {
    decision.why_no_band = band.error().message;
  }
  return decision;
}

}  // namespace safeguard::eval
