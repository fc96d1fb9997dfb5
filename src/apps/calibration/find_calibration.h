// The calibrations that a command judges with.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/calibration/calibration_choice.h"
#include "apps/input/policy_catalog.h"
#include "apps/judge_choice.h"
#include "apps/output/console.h"
#include "apps/services.h"
#include "base/result.h"
#include "moderation/calibration.h"
#include "moderation/judge.h"

namespace safeguard::apps {

// By the hash of the policy.
using Calibrations = std::map<std::string, moderation::ScoreCalibration>;

// The calibrations of `policies`: each of `choice.files`, which must be of one of them and usable,
// else an error; without files what lies beside a policy's file or with its version in the store of
// `data_dir`, left out with a line on standard error when it is of another text, golden set or
// judge.
Result<Calibrations> FindCalibrations(const CalibrationChoice& choice,
                                      const std::vector<LoadedPolicy>& policies,
                                      const std::string& data_dir, const JudgeChoice& judge,
                                      Services& services, Console& console);

// What the answers depend on: the ids of the calibrations, in order of the policies' hashes.
std::string IdentityOf(const Calibrations& calibrations);

// `judge` with these calibrations; as it is without any.
std::unique_ptr<moderation::Judge> Calibrated(std::unique_ptr<moderation::Judge> judge,
                                              Calibrations calibrations);

}  // namespace safeguard::apps
