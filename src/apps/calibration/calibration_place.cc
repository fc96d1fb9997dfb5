#include "apps/calibration/calibration_place.h"

#include <filesystem>

#include "apps/input/data_folder.h"
#include "base/file.h"
#include "eval/calibration_file.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

std::string AttachmentName(const std::string& judge) {
  return "calibration/" + judge;
}

Result<std::unique_ptr<moderation::PolicyStore>> OpenStore(const std::string& data_dir) {
  const Result<std::string> folder = DataFolder(data_dir);
  return folder ? storage::OpenPolicyStore(*folder, {}) : std::unexpected(folder.error());
}

}  // namespace

std::string CalibrationPathBeside(const LoadedPolicy& policy, const std::string& judge) {
  std::error_code ignored;  // what cannot be looked at is no file
  if (!std::filesystem::is_regular_file(policy.origin, ignored)) {
    return {};
  }
  const std::filesystem::path path(policy.origin);
  const std::string stem = path.stem().string();
  const std::string name = (stem == "policy" ? "" : stem + ".") + "calibration." + judge + ".json";
  return (path.parent_path() / name).string();
}

Result<std::optional<std::string>> ReadStoredCalibration(const LoadedPolicy& policy,
                                                         const std::string& judge,
                                                         const std::string& data_dir) {
  const Result<std::unique_ptr<moderation::PolicyStore>> store = OpenStore(data_dir);
  if (!store) {
    return std::unexpected(store.error());
  }
  Result<std::string> bytes = (*store)->GetAttachment(policy.stored->policy_id,
                                                      policy.stored->number, AttachmentName(judge));
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
    return std::nullopt;
  }
  return bytes ? Result<std::optional<std::string>>(std::move(*bytes))
               : std::unexpected(bytes.error());
}

Status StoreCalibration(const LoadedPolicy& policy, const std::string& judge,
                        const std::string& data_dir, std::string_view bytes) {
  const Result<std::unique_ptr<moderation::PolicyStore>> store = OpenStore(data_dir);
  return store ? (*store)->PutAttachment(policy.stored->policy_id, policy.stored->number,
                                         AttachmentName(judge), bytes)
               : std::unexpected(store.error());
}

Result<moderation::ScoreCalibration> ReadCalibrationFile(const std::string& path) {
  const Result<std::string> bytes = ReadFile(path, eval::kCalibrationBytesMax);
  return bytes ? eval::ReadCalibration(*bytes, path) : std::unexpected(bytes.error());
}

Status CheckCalibration(const moderation::ScoreCalibration& calibration, const std::string& name,
                        const LoadedPolicy& policy, const JudgeChoice& judge, Services& services) {
  const auto other = [&name](const std::string& what) {
    return Fail(ErrorCode::kInvalidInput, name + " was made for " + what,
                "run `safeguard policy calibrate` again");
  };
  if (calibration.policy.hash != policy.policy.hash) {
    return other(calibration.policy.id == policy.policy.id
                     ? "another text of the policy " + policy.policy.id
                     : "the policy " + calibration.policy.id + ", not for " + policy.policy.id);
  }
  // Of the judges only the screen learns from labelled cases.
  if (judge.judge == "screen" && calibration.golden_hash != policy.golden_hash) {
    return other("another golden set than the judge learns from now");
  }
  if (calibration.judge != judge.judge) {
    return other("the " + calibration.judge + ", not for the " + judge.judge);
  }
  const Result<std::string> identity = services.JudgeIdentity(judge);
  if (!identity) {
    return std::unexpected(identity.error());
  }
  if (calibration.judge_identity != *identity) {
    return other("another model or other settings of the " + judge.judge);
  }
  return {};
}

}  // namespace safeguard::apps
