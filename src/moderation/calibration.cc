#include "moderation/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/check.h"

namespace safeguard::moderation {
namespace {

constexpr double kNever = 2;  // a threshold that no score reaches

std::string Decimals(double value, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

double IsotonicAt(const std::vector<ScoreMap::Knot>& knots, double log_odds) {
  CHECK(!knots.empty());
  const auto after = std::ranges::upper_bound(knots, log_odds, {}, &ScoreMap::Knot::log_odds);
  if (after == knots.begin()) {
    return knots.front().probability;
  }
  const ScoreMap::Knot& left = *(after - 1);
  if (after == knots.end()) {
    return left.probability;
  }
  const double way = (log_odds - left.log_odds) / (after->log_odds - left.log_odds);
  return left.probability + way * (after->probability - left.probability);
}

// The least log-odds with at least this probability; empty when there are none.
std::optional<double> IsotonicInverse(const std::vector<ScoreMap::Knot>& knots,
                                      double probability) {
  const auto reached = std::ranges::find_if(
      knots, [probability](const ScoreMap::Knot& k) { return k.probability >= probability; });
  if (reached == knots.end()) {
    return std::nullopt;
  }
  if (reached == knots.begin()) {
    return -kLogOddsMax;
  }
  const ScoreMap::Knot& left = *(reached - 1);
  const double way = (probability - left.probability) / (reached->probability - left.probability);
  return left.log_odds + way * (reached->log_odds - left.log_odds);
}

}  // namespace

double LogOdds(double score) {
  if (score <= 0) {
    return -kLogOddsMax;
  }
  if (score >= 1) {
    return kLogOddsMax;
  }
  return std::clamp(std::log(score) - std::log1p(-score), -kLogOddsMax, kLogOddsMax);
}

double FromLogOdds(double log_odds) {
  return log_odds >= 0 ? 1 / (1 + std::exp(-log_odds))
                       : std::exp(log_odds) / (1 + std::exp(log_odds));
}

double ScoreMap::Apply(double raw) const {
  const double log_odds = LogOdds(raw);
  return method == CalibrationMethod::kPlatt ? FromLogOdds(slope * log_odds + offset)
                                             : IsotonicAt(knots, log_odds);
}

double ScoreMap::Inverse(double probability) const {
  if (probability <= Apply(0)) {
    return 0;
  }
  if (probability > Apply(1)) {
    return kNever;
  }
  const std::optional<double> log_odds =
      method == CalibrationMethod::kPlatt ? std::optional((LogOdds(probability) - offset) / slope)
                                          : IsotonicInverse(knots, probability);
  return log_odds ? FromLogOdds(std::clamp(*log_odds, -kLogOddsMax, kLogOddsMax)) : kNever;
}

Thresholds RawThresholds(const ScoreCalibration& calibration, const Policy& policy) {
  const Thresholds stated = policy.thresholds.value_or(Thresholds{});
  Thresholds raw{.violation = calibration.map.Inverse(stated.violation),
                 .safe = calibration.map.Inverse(stated.safe)};
  if (calibration.miss_bound) {
    raw.safe = std::min(raw.safe, calibration.miss_bound->threshold);
  }
  raw.safe = std::min(raw.safe, raw.violation);
  return raw;
}

void ApplyCalibration(const ScoreCalibration& calibration, const Thresholds& raw,
                      Verdict& verdict) {
  if (!verdict.score || !(*verdict.score >= 0 && *verdict.score <= 1)) {
    return;  // nothing scored: nothing to calibrate
  }
  const double raw_score = *verdict.score;
  verdict.score = calibration.map.Apply(raw_score);
  verdict.decided_by.settings["calibration"] =
      std::string(ToString(calibration.map.method)) + " on " + std::to_string(calibration.cases) +
      " cases" + (calibration.id.empty() ? "" : ", " + calibration.id);
  verdict.decided_by.settings["raw_score"] = Decimals(raw_score, "%.6g");
  verdict.rationale += (verdict.rationale.empty() ? "Calibrated on " : " Calibrated on ") +
                       std::to_string(calibration.cases) + " golden cases: probability " +
                       Decimals(*verdict.score, "%.2f") + " (raw score " +
                       Decimals(raw_score, "%.2f") + ").";
  if (calibration.miss_bound) {
    const MissBound& bound = *calibration.miss_bound;
    verdict.decided_by.settings["miss_bound"] =
        "misses <= " + Decimals(bound.miss_rate, "%g") + " with confidence " +
        Decimals(bound.confidence, "%g") + ": safe below raw " + Decimals(raw.safe, "%.6g");
  }
  if (verdict.outcome == Outcome::kSafe && raw_score >= raw.safe) {
    verdict.outcome = Outcome::kUndetermined;
    verdict.reason = UndeterminedReason::kUncertain;
    verdict.detail =
        "the answer is safe, but its score is not low enough for the bound on missed violations; "
        "let a person decide";
  }
}

const char* ToString(CalibrationMethod method) {
  return method == CalibrationMethod::kPlatt ? "platt" : "isotonic";
}

}  // namespace safeguard::moderation
