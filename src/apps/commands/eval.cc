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
#include "apps/commands/eval_route.h"
#include "apps/route/open_route.h"
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

// The judge to measure, as it was asked for.
struct EvalJudge {
  std::unique_ptr<moderation::Judge> judge;
  std::vector<std::string> notes;
};

// One pass over the data with one judge.
class Pass {
 public:
  // `route`: null for a judge that is no route.
  Pass(const EvalArguments& arguments, const LoadedRoute* route, const std::string& route_path,
       Services& services, Console& console, const std::atomic<bool>& stop)
      : arguments_(arguments),
        route_(route),
        route_path_(route_path),
        services_(services),
        console_(console),
        stop_(stop) {}

  Result<Measured> Run(const EvalPlan& plan, const JudgeChoice& choice, const std::string& path) {
    std::unique_ptr<eval::RunWriter> journal;
    Result<EvalJudge> judge = route_ == nullptr ? OpenPlain(plan, choice, path, journal)
                                                : OpenCascade(plan, choice, path, journal);
    if (!judge) {
      return std::unexpected(judge.error());
    }
    std::vector<std::string> notes = plan.notes;
    notes.insert(notes.end(), judge->notes.begin(), judge->notes.end());
    Result<std::vector<eval::EvaluationRun>> runs =
        Watch(plan, choice, *judge->judge, journal.get());
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
  Result<EvalJudge> OpenPlain(const EvalPlan& plan, const JudgeChoice& choice,
                              const std::string& path, std::unique_ptr<eval::RunWriter>& journal) {
    Result<Calibrations> calibrations = CalibrationsOf(plan, choice);
    if (!calibrations) {
      return std::unexpected(calibrations.error());
    }
    if (!path.empty()) {
      Result<std::string> identity = services_.JudgeIdentity(choice);
      if (!identity) {
        code = ExitCode::kCannotRun;
        return std::unexpected(identity.error());
      }
      const Status opened =
          OpenJournal(plan, choice, path, *identity, IdentityOf(*calibrations), journal);
      if (!opened) {
        return std::unexpected(opened.error());
      }
    }
    auto opened = services_.OpenJudge(choice);
    if (!opened) {
      code = ExitCode::kCannotRun;
      return std::unexpected(opened.error());
    }
    EvalJudge judge;
    NoteCalibrations(plan, *calibrations, judge.notes);
    judge.judge = Calibrated(std::move(*opened), std::move(*calibrations));
    return judge;
  }

  Result<EvalJudge> OpenCascade(const EvalPlan& plan, const JudgeChoice& choice,
                                const std::string& path,
                                std::unique_ptr<eval::RunWriter>& journal) {
    RouteRequest request;
    request.path = route_path_;
    request.data_dir = arguments_.data_dir;
    request.calibration = arguments_.calibration;
    request.threads = arguments_.judge.threads;
    request.bulk = true;
    request.measuring = true;
    LoadedRoute loaded = *route_;
    loaded.policies = plan.policies;  // learns what the plan says that it may
    code = ExitCode::kCannotRun;
    Result<OpenedRoute> opened = OpenRoute(std::move(loaded), request, services_, console_);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    code = ExitCode::kUsage;
    if (!path.empty()) {
      const Status kept =
          OpenJournal(plan, choice, path, opened->identity, opened->calibrations, journal);
      if (!kept) {
        return std::unexpected(kept.error());
      }
    }
    EvalJudge judge;
    judge.judge = std::move(opened->judging.judge);
    judge.notes.push_back("the route " + opened->name +
                          " was measured without its budget and latency target, which are of real "
                          "traffic: `eval cascade` draws what a budget buys");
    return judge;
  }

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

  Status OpenJournal(const EvalPlan& plan, const JudgeChoice& choice, const std::string& path,
                     const std::string& identity, const std::string& calibrations,
                     std::unique_ptr<eval::RunWriter>& journal) {
    eval::RunHeader header = RunHeaderOf(plan, arguments_, choice, identity, route_ != nullptr);
    if (!calibrations.empty()) {
      header.judge_identity += "|calibrated " + calibrations;
    }
    auto opened = eval::RunWriter::Open(path, header, plan.data.records, arguments_.restart);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    journal = std::move(*opened);
    if (journal->restored() > 0) {
      console_.Error(fmt::format("safeguard: going on with {}: {} of {} records are judged\n", path,
                                 journal->restored(), plan.data.records.size()));
    }
    return {};
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
  const LoadedRoute* route_;
  const std::string& route_path_;
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

// `route_path`: of a route to measure; empty: the judge that the arguments name.
ExitCode Evaluate(const EvalArguments& given, const std::string& route_path, Services& services,
                  Console& console, const std::atomic<bool>& stop) {
  if (given.list_datasets) {
    console.Out(DatasetList(console.columns()));
    return ExitCode::kSafe;
  }
  EvalArguments arguments = Completed(given);
  std::optional<LoadedRoute> route;
  if (!route_path.empty()) {
    RouteRequest request;
    request.path = route_path;
    request.data_dir = arguments.data_dir;
    Result<LoadedRoute> loaded = LoadRoute(request, services);
    if (!loaded) {
      return Fails(console, loaded.error(), ExitCode::kCannotRun);
    }
    route = std::move(*loaded);
    // What learns from labelled cases is the route's screen.
    arguments.judge.judge = route->file.screen_kind == "dedicated" && route->file.screen == "screen"
                                ? "dedicated"
                                : route->file.screen;
  }
  if (const Status usable = CheckEvalArguments(arguments, route.has_value()); !usable) {
    return Fails(console, usable.error(), ExitCode::kUsage);
  }
  bool usage = false;
  Result<EvalPlan> plan = MakeEvalPlan(
      arguments, route ? route->policies : std::vector<LoadedPolicy>(), services, console, usage);
  if (!plan) {
    return Fails(console, plan.error(), usage ? ExitCode::kUsage : ExitCode::kCannotRun);
  }
  const std::vector<std::string> names =
      plan->answers_alone ? NameByLine(plan->data) : std::vector<std::string>();
  Pass pass(arguments, route ? &*route : nullptr, route_path, services, console, stop);
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

}  // namespace

ExitCode RunEval(const EvalArguments& arguments, Services& services, Console& console,
                 const std::atomic<bool>& stop) {
  return Evaluate(arguments, "", services, console, stop);
}

ExitCode RunEvalRoute(const EvalRouteArguments& arguments, Services& services, Console& console,
                      const std::atomic<bool>& stop) {
  return Evaluate(arguments.eval, arguments.route, services, console, stop);
}

}  // namespace safeguard::apps
