// Where calibrations are kept: beside the policy's file, or with its version in the store; one for
// each judge.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apps/input/policy_catalog.h"
#include "apps/judge_choice.h"
#include "apps/services.h"
#include "base/result.h"
#include "moderation/calibration.h"

namespace safeguard::apps {

// policy.md -> calibration.screen.json, NAME.md -> NAME.calibration.screen.json, in the same
// folder. Empty for a policy that is no file.
std::string CalibrationPathBeside(const LoadedPolicy& policy, const std::string& judge);

// Of a version in the store: its attachment "calibration/JUDGE". Nothing when it has none.
// REQUIRES: policy.stored.
Result<std::optional<std::string>> ReadStoredCalibration(const LoadedPolicy& policy,
                                                         const std::string& judge,
                                                         const std::string& data_dir);
Status StoreCalibration(const LoadedPolicy& policy, const std::string& judge,
                        const std::string& data_dir, std::string_view bytes);

Result<moderation::ScoreCalibration> ReadCalibrationFile(const std::string& path);

// Whether the calibration was made for exactly this policy, golden set and judge; if not, the error
// says what differs. Opens no judge. `name` is how errors call the calibration.
Status CheckCalibration(const moderation::ScoreCalibration& calibration, const std::string& name,
                        const LoadedPolicy& policy, const JudgeChoice& judge, Services& services);

}  // namespace safeguard::apps
