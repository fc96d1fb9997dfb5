#include "apps/calibration/find_calibration.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "apps/calibration/calibration_place.h"
#include "apps/output/display_text.h"
#include "base/file.h"
#include "eval/calibration_file.h"
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

struct Found {
  std::string name;  // as errors call it
  std::string bytes;
};

// What is kept with the policy; nothing when there is none.
Result<std::optional<Found>> KeptWith(const LoadedPolicy& policy, const std::string& data_dir,
                                      const std::string& judge) {
  if (policy.stored) {
    Result<std::optional<std::string>> bytes = ReadStoredCalibration(policy, judge, data_dir);
    if (!bytes) {
      return std::unexpected(bytes.error());
    }
    return *bytes ? std::optional(Found{"the calibration of " + policy.policy.id + "@" +
                                            std::to_string(policy.stored->number),
                                        std::move(**bytes)})
                  : std::nullopt;
  }
  const std::string path = CalibrationPathBeside(policy, judge);
  std::error_code ignored;  // what cannot be looked at is not there
  if (path.empty() || !std::filesystem::is_regular_file(path, ignored)) {
    return std::nullopt;
  }
  Result<std::string> bytes = ReadFile(path, eval::kCalibrationBytesMax);
  return bytes ? Result<std::optional<Found>>(Found{path, std::move(*bytes)})
               : std::unexpected(bytes.error());
}

Status AddKept(const std::vector<LoadedPolicy>& policies, const std::string& data_dir,
               const JudgeChoice& judge, Services& services, Console& console,
               Calibrations& found) {
  for (const LoadedPolicy& policy : policies) {
    const Result<std::optional<Found>> kept = KeptWith(policy, data_dir, judge.judge);
    if (!kept) {
      return std::unexpected(kept.error());
    }
    if (!*kept) {
      continue;
    }
    Result<moderation::ScoreCalibration> calibration =
        eval::ReadCalibration((*kept)->bytes, (*kept)->name);
    if (!calibration) {
      return std::unexpected(calibration.error());  // broken is not the same as not there
    }
    if (const Status fits = CheckCalibration(*calibration, (*kept)->name, policy, judge, services);
        !fits) {
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
                                      const std::string& data_dir, const JudgeChoice& judge,
                                      Services& services, Console& console) {
  Calibrations found;
  const Status status = choice.none ? Status{}
                        : choice.files.empty()
                            ? AddKept(policies, data_dir, judge, services, console, found)
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
