// A judge's scores under one policy as probabilities, and the score below which content may be
// called safe. Fitted on the policy's golden set (eval/fit_calibration.h); valid for exactly the
// policy, golden set and judge that it names. A value: applying it is pure and thread-safe.
//
// "Raw" scores are Verdict::score as the judge gives it, 0..1. The map works on their log-odds (of
// the screen its logit, of the reasoner the log-odds of its labels), where both judges are nearly
// linear.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "moderation/policy.h"
#include "moderation/verdict.h"

namespace safeguard::moderation {

enum class CalibrationMethod {
  kPlatt,     // a sigmoid of slope and offset (Platt 1999): few cases
  kIsotonic,  // any rising curve (Zadrozny and Elkan 2002): many
};

// ln(score / (1 - score)), kept within +-kLogOddsMax so that 0 and 1 are numbers too.
inline constexpr double kLogOddsMax = 36;
double LogOdds(double score);
double FromLogOdds(double log_odds);

// A map from raw score to probability that never falls.
struct ScoreMap {
  struct Knot {
    double log_odds = 0;     // of the raw score
    double probability = 0;  // 0..1
  };

  CalibrationMethod method = CalibrationMethod::kPlatt;
  double slope = 1;         // kPlatt: sigmoid(slope * log-odds + offset); > 0
  double offset = 0;        // kPlatt
  std::vector<Knot> knots;  // kIsotonic: at least one, rising in both; straight in between

  [[nodiscard]] double Apply(double raw) const;
  // The least raw score whose probability is at least `probability`; above 1 when there is none.
  [[nodiscard]] double Inverse(double probability) const;
};

// Below `threshold` a content may be called safe: at most `miss_rate` of the policy's violations
// score lower, with this confidence, provided that they are like those of the golden set.
struct MissBound {
  double miss_rate = 0.05;
  double confidence = 0.9;
  double threshold = 0;       // a raw score
  std::size_t positives = 0;  // labelled violations that it rests on
  std::size_t below = 0;      // of those, scored below the threshold
};

struct ScoreCalibration {
  PolicyReference policy;
  std::string golden_hash;     // BLAKE2b of the golden set: a screen learns from it
  std::string judge;           // "screen", "reasoner"
  std::string judge_identity;  // model and settings; see Services::JudgeIdentity
  std::size_t cases = 0;       // held-out scores that it was fitted on
  std::size_t positives = 0;
  // Calibration errors over bins of equal mass: of the raw scores, of the calibrated ones
  // (cross-validated), and what perfect scores would show on so few cases.
  double error_raw = 0;
  double error_calibrated = 0;
  double error_by_chance = 0;
  ScoreMap map;
  std::optional<MissBound> miss_bound;
  std::string id;  // of the file it was read from: 16 hexadecimal digits; empty until written
};

// The policy's thresholds (on probabilities; 0.5 where it states none) as thresholds on the raw
// score. With a miss bound nothing at or above its threshold is safe.
Thresholds RawThresholds(const ScoreCalibration& calibration, const Policy& policy);

// Turns a verdict that was decided by `raw` thresholds into a calibrated one: its score becomes the
// probability, a `safe` at or above raw.safe becomes undetermined (an answer in words knows no
// thresholds), and `decided_by.settings`, the rationale and the notes say so.
void ApplyCalibration(const ScoreCalibration& calibration, const Thresholds& raw, Verdict& verdict);

const char* ToString(CalibrationMethod method);  // "platt", "isotonic"

}  // namespace safeguard::moderation
