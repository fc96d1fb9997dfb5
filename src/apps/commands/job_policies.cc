#include "apps/commands/job_policies.h"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/calibration/calibration_place.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/display_text.h"
#include "moderation/calibrated_judge.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kKeptMax = 512;

// The policy with its labelled cases, where the catalog still has its bytes: a judge that learned
// from them answers differently without. A policy of a file that the job brought along has none.
// Fails where the catalog cannot be read: to judge without the cases would be another verdict.
Result<std::optional<LoadedPolicy>> KnownPolicy(const PolicyCatalog& catalog,
                                                const moderation::PolicyReference& wanted) {
  for (const std::string& name : {wanted.id + "@" + wanted.version, wanted.id}) {
    Result<LoadedPolicy> loaded = catalog.Load(name, "", Golden::kRead);
    if (loaded && loaded->policy.hash == wanted.hash) {
      return std::move(*loaded);
    }
    if (!loaded && (loaded.error().code == ErrorCode::kCorruptFile ||
                    loaded.error().code == ErrorCode::kUnavailable)) {
      return std::unexpected(loaded.error());
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<JobCalibrations>> JobCalibrations::Open(const CalibrationChoice& choice,
                                                               std::string data_dir,
                                                               JudgeChoice judge,
                                                               Services& services,
                                                               Console& console) {
  std::unique_ptr<JobCalibrations> opened(
      new JobCalibrations(choice.none, std::move(data_dir), std::move(judge), services, console));
  for (const std::string& file : choice.files) {
    const Result<moderation::ScoreCalibration> calibration = ReadCalibrationFile(file);
    if (!calibration) {
      return std::unexpected(calibration.error());
    }
    opened->files_[calibration->policy.hash] = file;
  }
  return opened;
}

std::unique_ptr<moderation::Judge> JobCalibrations::Apply(
    std::unique_ptr<moderation::Judge> judge) {
  return std::make_unique<moderation::CalibratedJudge>(
      std::move(judge),
      [this](
          const moderation::Policy& policy) -> Result<std::optional<moderation::ScoreCalibration>> {
        const auto found = found_.find(policy.hash);
        return found == found_.end() ? std::nullopt : std::optional(found->second);
      });
}

void JobCalibrations::Learn(const LoadedPolicy& policy) {
  CalibrationChoice choice;
  choice.none = none_;
  if (const auto file = files_.find(policy.policy.hash); file != files_.end()) {
    choice.files.push_back(file->second);
  }
  Result<Calibrations> found =
      FindCalibrations(choice, {policy}, data_dir_, judge_, services_, console_);
  if (!found) {
    console_.Error("safeguard: scores are not calibrated: " + Printable(Describe(found.error())) +
                   "\n");
    return;
  }
  found_.merge(*found);
}

Result<JobPolicies::Prepared> JobPolicies::Find(const moderation::JudgedPolicy& wanted) {
  const std::string name =
      wanted.policy.id + "@" + wanted.policy.version + " " + wanted.policy.hash;
  if (const auto at = prepared_.find(name); at != prepared_.end()) {
    return at->second;
  }
  Result<Prepared> prepared = Prepare(wanted);
  if (prepared) {
    if (prepared_.size() >= kKeptMax) {
      prepared_.clear();
    }
    prepared_[name] = *prepared;
  }
  return prepared;
}

Result<JobPolicies::Prepared> JobPolicies::Prepare(const moderation::JudgedPolicy& wanted) const {
  LoadedPolicy policy;
  const PolicyCatalog catalog(services_.shipped_policies(), data_dir_);
  Result<std::optional<LoadedPolicy>> known = KnownPolicy(catalog, wanted.policy);
  if (!known) {
    return std::unexpected(known.error());
  }
  if (*known) {
    policy = std::move(**known);
  } else if (wanted.text.empty()) {
    Result<LoadedPolicy> loaded =
        catalog.Load(wanted.policy.id + "@" + wanted.policy.version, "", Golden::kRead);
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    policy = std::move(*loaded);
  } else {
    Result<moderation::Policy> read = moderation::ReadPolicy(wanted.text, wanted.policy.id);
    if (!read) {
      return std::unexpected(read.error());
    }
    policy.policy = std::move(*read);
    policy.bytes = wanted.text;
  }
  if (policy.policy.hash != wanted.policy.hash) {
    return Fail(ErrorCode::kCorruptFile, "its text is not the one of the provisional verdict",
                "submit the content again");
  }
  if (calibrations_ != nullptr) {
    calibrations_->Learn(policy);
  }
  return judge_.Prepare(policy.policy, policy.golden);
}

}  // namespace safeguard::apps
