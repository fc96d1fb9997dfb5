#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "apps/batch/progress_line.h"
#include "apps/calibration/find_calibration.h"
#include "apps/commands/commands.h"
#include "apps/commands/eval_data.h"
#include "apps/commands/eval_measured.h"
#include "apps/commands/eval_plan.h"
#include "eval/run_file.h"
#include "eval/runner.h"

namespace safeguard::apps {
namespace {

// The reasoner takes seconds for a case: a kill shall cost few of them.
constexpr std::size_t kSlowBatch = 8;

// The name that recorded answers alone go by: their line (recorded_judge.h, by_line). Returns the
// names that the data gave.
std::vector<std::string> NameByLine(eval::Dataset& data) {
  std::vector<std::string> names;
  for (eval::Record& record : data.records) {
    names.push_back(std::exchange(record.content.id, "line " + std::to_string(record.line)));
  }
  return names;
}

Result<std::vector<eval::EvaluationRun>> Judge(const EvalPlan& plan, std::uint64_t seed,
                                               moderation::Judge& judge,
                                               const eval::RunOptions& options) {
  if (plan.folds > 0) {
    eval::CrossValidationOptions folds;
    folds.folds = plan.folds;
    folds.seed = seed;
    Result<eval::CrossValidation> result =
        eval::CrossValidate(judge, plan.policies.front().policy, plan.data.records, folds, options);
    if (!result) {
      return std::unexpected(result.error());
    }
    std::vector<eval::EvaluationRun> runs;
    runs.push_back(std::move(result->run));
    return runs;
  }
  std::vector<std::shared_ptr<const moderation::PreparedPolicy>> prepared;
  for (const LoadedPolicy& policy : plan.policies) {
    auto ready = judge.Prepare(policy.policy, policy.golden);
    if (!ready) {
      return std::unexpected(ready.error());
    }
    prepared.push_back(std::move(*ready));
  }
  return eval::RunPolicies(judge, prepared, plan.data.records, options);
}

// One pass over the data with one judge.
class Pass {
 public:
  Pass(const EvalArguments& arguments, Services& services, Console& console,
       const std::atomic<bool>& stop)
      : arguments_(arguments), services_(services), console_(console), stop_(stop) {}

  Result<Measured> Run(const EvalPlan& plan, const JudgeChoice& choice, const std::string& path) {
    Result<Calibrations> calibrations = CalibrationsOf(plan, choice);
    if (!calibrations) {
      return std::unexpected(calibrations.error());
    }
    std::unique_ptr<eval::RunWriter> journal;
    if (!path.empty()) {
      Result<std::unique_ptr<eval::RunWriter>> opened =
          OpenJournal(plan, choice, path, IdentityOf(*calibrations));
      if (!opened) {
        return std::unexpected(opened.error());
      }
      journal = std::move(*opened);
    }
    auto opened = services_.OpenJudge(choice);
    if (!opened) {
      code = ExitCode::kCannotRun;
      return std::unexpected(opened.error());
    }
    std::vector<std::string> notes = plan.notes;
    NoteCalibrations(plan, *calibrations, notes);
    const std::unique_ptr<moderation::Judge> judge =
        Calibrated(std::move(*opened), std::move(*calibrations));
    Result<std::vector<eval::EvaluationRun>> runs = Watch(plan, choice, *judge, journal.get());
    if (!runs) {
      return std::unexpected(runs.error());
    }
    if (runs->front().error) {
      code = ExitCode::kCannotRun;
      return std::unexpected(*runs->front().error);
    }
    cancelled = cancelled || runs->front().cancelled;
    Measured measured;
    measured.prompting = arguments_.prompting.empty() ? "" : (choice.joint ? "joint" : "separate");
    for (const LoadedPolicy& policy : plan.policies) {
      measured.policies.push_back(policy.policy);
    }
    measured.labels = plan.labels;
    measured.data = plan.data;
    measured.runs = std::move(*runs);
    measured.folds = plan.folds;
    measured.seed = arguments_.seed;
    measured.notes = std::move(notes);
    return measured;
  }

  ExitCode code = ExitCode::kUsage;  // of the last failure
  bool cancelled = false;

 private:
  // In cross-validation each fold has another judge: none.
  Result<Calibrations> CalibrationsOf(const EvalPlan& plan, const JudgeChoice& choice) {
    if (plan.folds == 0) {
      return FindCalibrations(arguments_.calibration, plan.policies, arguments_.data_dir, choice,
                              services_, console_);
    }
    if (!arguments_.calibration.files.empty()) {
      return Fail(ErrorCode::kInvalidInput,
                  "--calibration does not go with cross-validation, where each fold has another "
                  "judge",
                  "measure on other data with --data, or leave it out");
    }
    return Calibrations{};
  }

  static void NoteCalibrations(const EvalPlan& plan, const Calibrations& calibrations,
                               std::vector<std::string>& notes) {
    for (const auto& [hash, calibration] : calibrations) {
      notes.push_back(fmt::format(
          "scores of {} are calibrated: {} on {} golden cases ({})", calibration.policy.id,
          moderation::ToString(calibration.map.method), calibration.cases, calibration.id));
      if (calibration.golden_hash == plan.data.hash) {
        notes.push_back("the calibration was fitted on these very cases: its figures are too good");
      }
    }
  }

  Result<std::unique_ptr<eval::RunWriter>> OpenJournal(const EvalPlan& plan,
                                                       const JudgeChoice& choice,
                                                       const std::string& path,
                                                       const std::string& calibrations) {
    Result<eval::RunHeader> header = RunHeaderOf(plan, arguments_, choice, services_);
    if (!header) {
      code = ExitCode::kCannotRun;
      return std::unexpected(header.error());
    }
    if (!calibrations.empty()) {
      header->judge_identity += "|calibrated " + calibrations;
    }
    auto journal = eval::RunWriter::Open(path, *header, plan.data.records, arguments_.restart);
    if (journal && (*journal)->restored() > 0) {
      console_.Error(fmt::format("safeguard: going on with {}: {} of {} records are judged\n", path,
                                 (*journal)->restored(), plan.data.records.size()));
    }
    return journal;
  }

  Result<std::vector<eval::EvaluationRun>> Watch(const EvalPlan& plan, const JudgeChoice& choice,
                                                 moderation::Judge& judge,
                                                 eval::RunWriter* journal) {
    ProgressLine progress(console_, 0);
    eval::RunOptions options;
    options.cancel = &stop_;
    options.journal = journal;
    if (journal != nullptr && choice.judge == "reasoner") {
      options.batch_size = kSlowBatch;
    }
    const std::size_t restored = journal == nullptr ? 0 : journal->restored();
    options.progress = [&progress, restored](const eval::Progress& p) {
      progress.Update({p.done, p.done - std::min(restored, p.done), p.done, p.total});
    };
    auto runs = Judge(plan, arguments_.seed, judge, options);
    progress.Clear();
    return runs;
  }

  const EvalArguments& arguments_;
  Services& services_;
  Console& console_;
  const std::atomic<bool>& stop_;
};

// The judges to measure: one, or the reasoner with separate and with joint prompts.
std::vector<JudgeChoice> Choices(const EvalArguments& arguments) {
  std::vector<JudgeChoice> choices = {arguments.judge};
  if (!arguments.prompting.empty()) {
    choices.front().joint = arguments.prompting == "joint";
  }
  if (arguments.prompting == "both") {
    choices.push_back(arguments.judge);
    choices.back().joint = true;
  }
  return choices;
}

// One answer file without --data holds the data too.
EvalArguments Completed(const EvalArguments& arguments) {
  EvalArguments completed = arguments;
  if (!arguments.judge.recorded.empty() && arguments.judge.judge == "screen") {
    completed.judge.judge = "recorded";
  }
  completed.judge.recorded_by_line = arguments.data.empty() && !arguments.judge.recorded.empty();
  return completed;
}

}  // namespace

ExitCode RunEval(const EvalArguments& given, Services& services, Console& console,
                 const std::atomic<bool>& stop) {
  if (given.list_datasets) {
    console.Out(DatasetList(console.columns()));
    return ExitCode::kSafe;
  }
  const EvalArguments arguments = Completed(given);
  if (const Status usable = CheckEvalArguments(arguments); !usable) {
    return Fails(console, usable.error(), ExitCode::kUsage);
  }
  bool usage = false;
  Result<EvalPlan> plan = MakeEvalPlan(arguments, services, console, usage);
  if (!plan) {
    return Fails(console, plan.error(), usage ? ExitCode::kUsage : ExitCode::kCannotRun);
  }
  const std::vector<std::string> names =
      plan->answers_alone ? NameByLine(plan->data) : std::vector<std::string>();
  Pass pass(arguments, services, console, stop);
  std::vector<Measured> variants;
  const std::vector<JudgeChoice> choices = Choices(arguments);
  for (const JudgeChoice& choice : choices) {
    const std::string path = arguments.run.empty() || choices.size() == 1
                                 ? arguments.run
                                 : arguments.run + (choice.joint ? ".joint" : ".separate");
    Result<Measured> measured = pass.Run(*plan, choice, path);
    if (!measured) {
      return Fails(console, measured.error(), pass.code);
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      measured->data.records[i].content.id = names[i];
    }
    variants.push_back(std::move(*measured));
  }
  const Status printed = PrintMeasured(
      variants, {arguments.errors, arguments.thresholds, arguments.json, arguments.reports},
      console);
  if (!printed) {
    return Fails(console, printed.error(), ExitCode::kCannotRun);
  }
  if (pass.cancelled) {
    console.Error(std::string("safeguard: interrupted; the figures are of what was judged until "
                              "then") +
                  (arguments.run.empty() ? "\n" : "; the same command goes on\n"));
    return ExitCode::kInterrupted;
  }
  return plan->data.error_count > 0 ? ExitCode::kUsage : ExitCode::kSafe;
}

}  // namespace safeguard::apps
