// Where calibrations are kept: beside the policy's file, one for each judge.
#pragma once

#include <string>

#include "apps/input/policy_catalog.h"
#include "apps/judge_choice.h"
#include "apps/services.h"
#include "base/result.h"
#include "moderation/calibration.h"

namespace safeguard::apps {

// policy.md -> calibration.screen.json, NAME.md -> NAME.calibration.screen.json, in the same
// folder. Empty for a policy that is no file.
std::string CalibrationPathBeside(const LoadedPolicy& policy, const std::string& judge);

// The name of a calibration among the attachments of a version in the store.
std::string CalibrationAttachment(const std::string& judge);  // "calibration/screen"

Result<moderation::ScoreCalibration> ReadCalibrationFile(const std::string& path);

// Whether the calibration was made for exactly this policy, golden set and judge; if not, the error
// says what differs. Opens no judge. `name` is how errors call the calibration.
Status CheckCalibration(const moderation::ScoreCalibration& calibration, const std::string& name,
                        const LoadedPolicy& policy, const JudgeChoice& judge, Services& services);

}  // namespace safeguard::apps
