#include <fmt/format.h>

#include <utility>

#include "apps/batch/progress_line.h"
#include "apps/calibration/calibration_place.h"
#include "apps/calibration/calibration_text.h"
#include "apps/commands/commands.h"
#include "apps/commands/judging.h"
#include "base/file.h"
#include "eval/calibration_file.h"
#include "eval/fit_calibration.h"

namespace safeguard::apps {
namespace {

std::optional<moderation::CalibrationMethod> MethodOf(const std::string& name) {
  if (name == "platt") {
    return moderation::CalibrationMethod::kPlatt;
  }
  return name == "isotonic" ? std::optional(moderation::CalibrationMethod::kIsotonic)
                            : std::nullopt;
}

Result<CalibrationResult> Fit(const PolicyCalibrateArguments& arguments, const LoadedPolicy& policy,
                              moderation::Judge& judge, const eval::RunOptions& run_options) {
  std::vector<eval::Record> records;
  for (const moderation::GoldenCase& golden : policy.golden) {
    records.push_back(eval::FromGoldenCase(golden));
  }
  const Result<eval::CrossValidation> validation = eval::CrossValidate(
      judge, policy.policy, records, {.folds = arguments.folds, .seed = 1}, run_options);
  if (!validation) {
    return std::unexpected(validation.error());
  }
  if (validation->run.cancelled) {
    return Fail(ErrorCode::kUnavailable, "interrupted: nothing was saved");
  }
  CalibrationResult result;
  result.policy = policy.policy;
  result.golden_origin = policy.golden_origin;
  result.folds = arguments.folds;
  result.held_out = eval::HeldOutCases(records, *validation);
  eval::CalibrateOptions options;
  options.method = MethodOf(arguments.method);
  options.miss_rate = arguments.miss_rate > 0 ? std::optional(arguments.miss_rate) : std::nullopt;
  options.confidence = arguments.confidence;
  Result<eval::CalibrationFit> fit = eval::FitCalibration(result.held_out, options);
  if (!fit) {
    return std::unexpected(fit.error());
  }
  // Asked for in so many words, a bound that cannot be had is a refusal.
  if (arguments.bound_wanted && !fit->why_no_bound.empty()) {
    return Fail(ErrorCode::kLimit, fit->why_no_bound);
  }
  result.fit = std::move(*fit);
  return result;
}

moderation::ScoreCalibration CalibrationOf(const CalibrationResult& result,
                                           const LoadedPolicy& policy, const std::string& judge,
                                           std::string identity) {
  moderation::ScoreCalibration calibration;
  calibration.policy = policy.policy.Reference();
  calibration.golden_hash = policy.golden_hash;
  calibration.judge = judge;
  calibration.judge_identity = std::move(identity);
  calibration.cases = result.fit.cases;
  calibration.positives = result.fit.positives;
  calibration.error_raw = result.fit.raw.equal_mass.expected_calibration_error;
  calibration.error_calibrated = result.fit.calibrated.equal_mass.expected_calibration_error;
  calibration.error_by_chance = result.fit.calibrated.error_by_chance;
  calibration.map = result.fit.map;
  calibration.miss_bound = result.fit.miss_bound;
  return calibration;
}

// Where it is asked for, else with the version in the store, else beside the policy's file.
Status Save(const PolicyCalibrateArguments& arguments, const LoadedPolicy& policy,
            CalibrationResult& result) {
  const std::string bytes = eval::WriteCalibration(result.calibration);
  if (arguments.out.empty() && policy.stored) {
    result.saved_to =
        "the store, with " + policy.stored->policy_id + "@" + std::to_string(policy.stored->number);
    return StoreCalibration(policy, arguments.judge.judge, arguments.data_dir, bytes);
  }
  result.saved_to =
      arguments.out.empty() ? CalibrationPathBeside(policy, arguments.judge.judge) : arguments.out;
  return result.saved_to.empty() ? Status{} : WriteFileAtomically(result.saved_to, bytes);
}

}  // namespace

ExitCode RunPolicyCalibrate(const PolicyCalibrateArguments& arguments, Services& services,
                            Console& console, const std::atomic<bool>& stop) {
  if (const Status usable = CheckJudge(arguments.judge); !usable) {
    return Fails(console, usable.error(), ExitCode::kUsage);
  }
  const PolicyCatalog catalog(services.shipped_policies(), arguments.data_dir);
  const Result<LoadedPolicy> policy =
      catalog.Load(arguments.policy, arguments.golden, Golden::kRead);
  if (!policy) {
    return Fails(console, policy.error(), ExitCode::kCannotRun);
  }
  if (policy->golden.empty()) {
    return Fails(console,
                 {ErrorCode::kInvalidInput,
                  "there is nothing to calibrate on: " + policy->policy.id + " has no golden set",
                  "give labelled cases with --golden"},
                 ExitCode::kUsage);
  }
  Result<std::string> identity = services.JudgeIdentity(arguments.judge);
  if (!identity) {
    return Fails(console, identity.error(), ExitCode::kCannotRun);
  }
  const auto judge = services.OpenJudge(arguments.judge);
  if (!judge) {
    return Fails(console, judge.error(), ExitCode::kCannotRun);
  }
  ProgressLine progress(console, 0);
  eval::RunOptions options;
  options.cancel = &stop;
  options.progress = [&progress](const eval::Progress& p) {
    progress.Update({p.done, p.done, p.done, p.total});
  };
  Result<CalibrationResult> result = Fit(arguments, *policy, **judge, options);
  progress.Clear();
  if (!result) {
    return Fails(console, result.error(), stop.load() ? ExitCode::kInterrupted : ExitCode::kUsage);
  }
  result->calibration =
      CalibrationOf(*result, *policy, arguments.judge.judge, std::move(*identity));
  if (const Status saved = Save(arguments, *policy, *result); !saved) {
    return Fails(console, saved.error(), ExitCode::kCannotRun);
  }
  console.Out(arguments.json ? CalibrationJsonText(*result)
                             : CalibrationText(*result, console.columns()));
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
