#include "apps/calibration/find_calibration.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "apps/calibration/calibration_place.h"
#include "apps/output/display_text.h"
#include "moderation/calibrated_judge.h"

namespace safeguard::apps {
namespace {

// Every named file must be used.
Status AddNamed(const CalibrationChoice& choice, const std::vector<LoadedPolicy>& policies,
                const JudgeChoice& judge, Services& services, Calibrations& found) {
  for (const std::string& file : choice.files) {
    Result<moderation::ScoreCalibration> calibration = ReadCalibrationFile(file);
    if (!calibration) {
      return std::unexpected(calibration.error());
    }
    const auto of = std::ranges::find_if(policies, [&calibration](const LoadedPolicy& policy) {
      return policy.policy.hash == calibration->policy.hash;
    });
    // Without one of that text: say how it differs from the policy of that name, else the first.
    const auto same_id = std::ranges::find_if(policies, [&calibration](const LoadedPolicy& policy) {
      return policy.policy.id == calibration->policy.id;
    });
    const LoadedPolicy& policy = of != policies.end()        ? *of
                                 : same_id != policies.end() ? *same_id
                                                             : policies.front();
    if (const Status fits = CheckCalibration(*calibration, file, policy, judge, services); !fits) {
      return fits;
    }
    found.insert_or_assign(policy.policy.hash, std::move(*calibration));
  }
  return {};
}

Status AddBeside(const std::vector<LoadedPolicy>& policies, const JudgeChoice& judge,
                 Services& services, Console& console, Calibrations& found) {
  for (const LoadedPolicy& policy : policies) {
    const std::string path = CalibrationPathBeside(policy, judge.judge);
    std::error_code ignored;  // what cannot be looked at is not there
    if (path.empty() || !std::filesystem::is_regular_file(path, ignored)) {
      continue;
    }
    Result<moderation::ScoreCalibration> calibration = ReadCalibrationFile(path);
    if (!calibration) {
      return std::unexpected(calibration.error());  // broken is not the same as not there
    }
    if (const Status fits = CheckCalibration(*calibration, path, policy, judge, services); !fits) {
      console.Error("safeguard: scores are not calibrated: " + Printable(Describe(fits.error())) +
                    "\n");
      continue;
    }
    found.insert_or_assign(policy.policy.hash, std::move(*calibration));
  }
  return {};
}

}  // namespace

Result<Calibrations> FindCalibrations(const CalibrationChoice& choice,
                                      const std::vector<LoadedPolicy>& policies,
                                      const JudgeChoice& judge, Services& services,
                                      Console& console) {
  Calibrations found;
  const Status status = choice.none ? Status{}
                        : choice.files.empty()
                            ? AddBeside(policies, judge, services, console, found)
                            : AddNamed(choice, policies, judge, services, found);
  if (!status) {
    return std::unexpected(status.error());
  }
  return found;
}

std::string IdentityOf(const Calibrations& calibrations) {
  std::string identity;
  for (const auto& [hash, calibration] : calibrations) {
    identity += (identity.empty() ? "" : " ") + calibration.id;
  }
  return identity;
}

std::unique_ptr<moderation::Judge> Calibrated(std::unique_ptr<moderation::Judge> judge,
                                              Calibrations calibrations) {
  if (calibrations.empty()) {
    return judge;
  }
  return std::make_unique<moderation::CalibratedJudge>(
      std::move(judge),
      [calibrations = std::move(calibrations)](
          const moderation::Policy& policy) -> Result<std::optional<moderation::ScoreCalibration>> {
        const auto place = calibrations.find(policy.hash);
        return place == calibrations.end() ? std::nullopt : std::optional(place->second);
      });
}

}  // namespace safeguard::apps
