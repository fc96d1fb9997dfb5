#include <fmt/format.h>

#include <set>
#include <utility>

#include "apps/batch/progress_line.h"
#include "apps/commands/commands.h"
#include "apps/commands/judging.h"
#include "apps/input/dataset_name.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "eval/benchmark_sets.h"
#include "eval/join_policies.h"
#include "eval/report.h"
#include "eval/runner.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kFoldsDefault = 5;

// What is to be measured, once everything is read.
struct Plan {
  std::vector<LoadedPolicy> policies;  // at least one
  eval::Dataset data;
  std::size_t folds = 0;
  std::vector<std::string> notes;
};

Result<eval::Dataset> OwnGoldenSet(const LoadedPolicy& policy) {
  if (policy.golden.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "there is nothing to measure: " + policy.policy.id + " has no golden set",
                "give labelled data with --data");
  }
  eval::Dataset data;
  data.name = "golden";
  data.path = policy.golden_origin;
  data.hash = policy.golden_hash;
  for (const moderation::GoldenCase& golden : policy.golden) {
    data.records.push_back(eval::FromGoldenCase(golden));
  }
  return data;
}

Result<eval::Dataset> GivenData(const EvalArguments& arguments) {
  Result<std::string> name = arguments.format == "auto" ? GuessDatasetName(arguments.data)
                                                        : Result<std::string>(arguments.format);
  if (!name) {
    return std::unexpected(name.error());
  }
  eval::ReadOptions options;
  options.mapping.text = arguments.text_field;
  options.mapping.label = arguments.label_field;
  options.mapping.positive_values = arguments.positive_labels;
  return eval::LoadDataset(*name, arguments.data, options);
}

// Records that the judge would be asked about after having been told the answer.
std::size_t CountLearned(const Plan& plan) {
  std::set<std::string> learned;
  for (const LoadedPolicy& policy : plan.policies) {
    for (const moderation::GoldenCase& golden : policy.golden) {
      learned.insert(eval::NormalText(golden.content));
    }
  }
  std::size_t count = 0;
  for (const eval::Record& record : plan.data.records) {
    count += learned.contains(eval::NormalText(record.content)) ? 1 : 0;
  }
  return count;
}

void NoteLearning(const LoadedPolicy& policy, std::size_t policies, Plan& plan) {
  const std::string of = policies > 1 ? policy.policy.id + ": " : "";
  plan.notes.push_back(policy.golden.empty()
                           ? of + "the judge learned from the policy's text alone"
                           : fmt::format("{}the judge learned from {} labelled cases: {}", of,
                                         policy.golden.size(), policy.golden_origin));
}

Status MakeHonest(const EvalArguments& arguments, Plan& plan) {
  LoadedPolicy& first = plan.policies.front();
  const bool own = plan.data.hash == first.golden_hash && !first.golden.empty();
  if (own && plan.folds == 0 && plan.policies.size() == 1) {
    plan.folds = kFoldsDefault;
    plan.notes.push_back(
        fmt::format("the data are the policy's own golden set, so they were cross-validated "
                    "({} folds): nothing is scored by what has learned it",
                    plan.folds));
  }
  if (plan.folds > 0) {
    if (!arguments.golden.empty()) {
      return Fail(ErrorCode::kInvalidInput, "--golden and --cross-validate exclude each other",
                  "cross-validation learns from --data itself");
    }
    if (plan.policies.size() > 1) {
      return Fail(ErrorCode::kInvalidInput, "--cross-validate takes one policy",
                  "the labels of --data do not say which of several policies they are of");
    }
    first.golden.clear();
    return {};
  }
  for (const LoadedPolicy& policy : plan.policies) {
    NoteLearning(policy, plan.policies.size(), plan);
  }
  const std::size_t learned = CountLearned(plan);
  if (learned > 0) {
    plan.notes.push_back(
        fmt::format("{} of the records are among them: figures are too good; use --no-golden or "
                    "--cross-validate",
                    learned));
  }
  return {};
}

Result<eval::EvaluationRun> Measure(const Plan& plan, moderation::Judge& judge,
                                    const eval::RunOptions& options) {
  if (plan.folds > 0) {
    eval::CrossValidationOptions folds;
    folds.folds = plan.folds;
    Result<eval::CrossValidation> result =
        eval::CrossValidate(judge, plan.policies.front().policy, plan.data.records, folds, options);
    if (!result) {
      return std::unexpected(result.error());
    }
    return std::move(result->run);
  }
  std::vector<std::shared_ptr<const moderation::PreparedPolicy>> prepared;
  for (const LoadedPolicy& policy : plan.policies) {
    auto ready = judge.Prepare(policy.policy, policy.golden);
    if (!ready) {
      return std::unexpected(ready.error());
    }
    prepared.push_back(std::move(*ready));
  }
  return eval::JoinRuns(eval::RunPolicies(judge, prepared, plan.data.records, options));
}

struct AtThreshold {
  double threshold = 0;
  eval::Confusion confusion{};
};

std::vector<AtThreshold> MeasureThresholds(const std::vector<double>& thresholds, const Plan& plan,
                                           const eval::EvaluationRun& run) {
  std::vector<AtThreshold> figures;
  for (const double threshold : thresholds) {
    AtThreshold& figure = figures.emplace_back();
    figure.threshold = threshold;
    for (std::size_t i = 0; i < run.results.size(); ++i) {
      const std::optional<double>& score = run.results[i].verdict.score;
      const std::optional<moderation::Outcome>& expected = plan.data.records[i].expected;
      if (run.results[i].judged && score && expected) {
        figure.confusion.Add(*expected == moderation::Outcome::kViolation, *score >= threshold);
      }
    }
  }
  return figures;
}

std::string FigureText(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "-";
}

std::string ThresholdText(const std::vector<AtThreshold>& figures, std::size_t columns) {
  if (figures.empty()) {
    return {};
  }
  std::vector<std::vector<Cell>> rows;
  for (const AtThreshold& figure : figures) {
    const eval::Confusion& c = figure.confusion;
    rows.push_back({{fmt::format("{:g}", figure.threshold)},
                    {FigureText(eval::Precision(c))},
                    {FigureText(eval::Recall(c))},
                    {FigureText(eval::F1(c))},
                    {FigureText(eval::FalseAlarmRate(c))},
                    {std::to_string(c.total())}});
  }
  return "\nAt other thresholds (a violation at or above)\n" + RenderTable({{"THRESHOLD", true},
                                                                            {"PRECISION", true},
                                                                            {"RECALL", true},
                                                                            {"F1", true},
                                                                            {"FALSE ALARMS", true},
                                                                            {"SCORED", true}},
                                                                           rows, columns, false);
}

nlohmann::ordered_json FigureJson(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

std::string ReportJson(const eval::Report& report, const std::vector<AtThreshold>& figures) {
  nlohmann::ordered_json json =
      nlohmann::ordered_json::parse(eval::RenderJson(report), nullptr, false);
  if (figures.empty() || !json.is_object()) {
    return JsonText(json);
  }
  json["at_thresholds"] = nlohmann::ordered_json::array();
  for (const AtThreshold& figure : figures) {
    const eval::Confusion& c = figure.confusion;
    json["at_thresholds"].push_back({{"threshold", figure.threshold},
                                     {"precision", FigureJson(eval::Precision(c))},
                                     {"recall", FigureJson(eval::Recall(c))},
                                     {"f1", FigureJson(eval::F1(c))},
                                     {"false_alarm_rate", FigureJson(eval::FalseAlarmRate(c))},
                                     {"true_positive", c.true_positive},
                                     {"false_positive", c.false_positive},
                                     {"false_negative", c.false_negative},
                                     {"true_negative", c.true_negative}});
  }
  return JsonText(json);
}

void Print(const EvalArguments& arguments, const Plan& plan, const eval::EvaluationRun& run,
           Console& console) {
  eval::ReportOptions options;
  options.errors_max = arguments.errors;
  options.folds = plan.folds;
  options.fold_seed = plan.folds > 0 ? eval::CrossValidationOptions{}.seed : 0;
  std::vector<moderation::Policy> policies;
  policies.reserve(plan.policies.size());
  for (const LoadedPolicy& policy : plan.policies) {
    policies.push_back(policy.policy);
  }
  eval::Report report = eval::BuildReport(eval::JoinPolicies(policies), plan.data, run, options);
  report.notes.insert(report.notes.end(), plan.notes.begin(), plan.notes.end());
  const std::vector<AtThreshold> figures = MeasureThresholds(arguments.thresholds, plan, run);
  console.Out(arguments.json
                  ? ReportJson(report, figures)
                  : eval::RenderText(report) + ThresholdText(figures, console.columns()));
}

void ReportLineErrors(const eval::Dataset& data, Console& console) {
  for (const Error& error : data.errors) {
    console.Error("safeguard: " + Printable(data.path + ": " + Describe(error)) + "\n");
  }
  if (data.error_count > data.errors.size()) {
    console.Error(fmt::format("safeguard: and {} more lines that cannot be read\n",
                              data.error_count - data.errors.size()));
  }
}

Status LoadPolicies(const EvalArguments& arguments, Services& services, Plan& plan) {
  const PolicyCatalog catalog(services.shipped_policies(), arguments.data_dir);
  for (const std::string& name : arguments.policies) {
    Result<LoadedPolicy> policy =
        catalog.Load(name, arguments.golden, arguments.no_golden ? Golden::kIgnore : Golden::kRead);
    if (!policy) {
      return std::unexpected(policy.error());
    }
    plan.policies.push_back(std::move(*policy));
  }
  return {};
}

Status LoadData(const EvalArguments& arguments, Console& console, Plan& plan) {
  Result<eval::Dataset> data =
      arguments.data.empty() ? OwnGoldenSet(plan.policies.front()) : GivenData(arguments);
  if (!data) {
    return std::unexpected(data.error());
  }
  plan.data = std::move(*data);
  ReportLineErrors(plan.data, console);
  return MakeHonest(arguments, plan);
}

// What the arguments alone say against a measurement.
Status CheckArguments(const EvalArguments& arguments) {
  if (Status judge = CheckJudge(arguments.judge); !judge) {
    return judge;
  }
  if (arguments.no_golden && arguments.data.empty()) {
    return Fail(ErrorCode::kInvalidInput, "--no-golden needs --data to measure against",
                "leave one out");
  }
  if (arguments.no_golden && !arguments.golden.empty()) {
    return Fail(ErrorCode::kInvalidInput, "--golden and --no-golden exclude each other",
                "leave one out");
  }
  if (arguments.policies.size() > 1 && (arguments.data.empty() || !arguments.golden.empty())) {
    return Fail(ErrorCode::kInvalidInput,
                arguments.data.empty() ? "several policies need --data to be measured on"
                                       : "--golden teaches one policy, not several",
                "give one --policy");
  }
  return {};
}

}  // namespace

ExitCode RunEval(const EvalArguments& arguments, Services& services, Console& console,
                 const std::atomic<bool>& stop) {
  if (const Status usable = CheckArguments(arguments); !usable) {
    return Fails(console, usable.error(), ExitCode::kUsage);
  }
  Plan plan;
  plan.folds = arguments.folds;
  if (const Status loaded = LoadPolicies(arguments, services, plan); !loaded) {
    return Fails(console, loaded.error(), ExitCode::kCannotRun);
  }
  if (const Status loaded = LoadData(arguments, console, plan); !loaded) {
    return Fails(console, loaded.error(), ExitCode::kUsage);
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
  const Result<eval::EvaluationRun> run = Measure(plan, **judge, options);
  progress.Clear();
  if (!run) {
    return Fails(console, run.error(), ExitCode::kUsage);
  }
  Print(arguments, plan, *run, console);
  if (run->cancelled) {
    console.Error("safeguard: interrupted; the figures are of what was judged until then\n");
    return ExitCode::kInterrupted;
  }
  return plan.data.error_count > 0 ? ExitCode::kUsage : ExitCode::kSafe;
}

}  // namespace safeguard::apps
