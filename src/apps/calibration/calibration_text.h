// What `policy calibrate` prints.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "eval/fit_calibration.h"
#include "moderation/calibration.h"
#include "moderation/policy.h"

namespace safeguard::apps {

// One fitted calibration, and what it rests on.
struct CalibrationResult {
  moderation::Policy policy;
  moderation::ScoreCalibration calibration;
  eval::CalibrationFit fit;
  std::vector<eval::HeldOutCase> held_out;
  std::string golden_origin;
  std::size_t folds = 0;
  std::string saved_to;  // empty: nowhere
};

std::string CalibrationText(const CalibrationResult& result, std::size_t columns);
std::string CalibrationJsonText(const CalibrationResult& result);

// Block characters, one for each share of 0..1.
std::string Sparkline(std::span<const double> shares);

}  // namespace safeguard::apps
