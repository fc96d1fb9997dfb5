#include "apps/commands/eval_measured.h"

#include <utility>

#include "apps/commands/eval_figures.h"
#include "apps/output/display_text.h"
#include "apps/output/report_files.h"
#include "apps/output/verdict_json.h"
#include "base/check.h"
#include "eval/join_policies.h"
#include "eval/report.h"

namespace safeguard::apps {
namespace {

eval::Report ReportOf(const Measured& measured, const eval::EvaluationRun& run,
                      std::size_t errors) {
  eval::ReportOptions options;
  options.errors_max = errors;
  options.folds = measured.folds;
  options.fold_seed = measured.folds > 0 ? measured.seed : 0;
  options.bootstrap.seed = measured.seed;
  options.date = TodayText();
  eval::Report report =
      eval::BuildReport(eval::JoinPolicies(measured.policies), measured.data, run, options);
  report.notes.insert(report.notes.end(), measured.data.notes.begin(), measured.data.notes.end());
  report.notes.insert(report.notes.end(), measured.notes.begin(), measured.notes.end());
  return report;
}

std::string Notes(const Measured& measured) {
  std::string text;
  for (const std::vector<std::string>& notes : {measured.data.notes, measured.notes}) {
    for (const std::string& note : notes) {
      text += "note: " + Printable(note) + "\n";
    }
  }
  return text;
}

Status PrintAny(const Measured& measured, const MeasuredOutput& output, Console& console) {
  const eval::EvaluationRun run = eval::JoinRuns(measured.runs);
  const eval::Report report = ReportOf(measured, run, output.errors);
  const eval::MeanCost cost = eval::MeanCostOf(run.results);
  Measured joined = measured;
  joined.runs = {run};
  if (!output.json) {
    console.Out(eval::RenderText(report) + SeverityText(joined, console.columns()) +
                AdherenceText(joined) +
                ThresholdText(joined, output.thresholds, console.columns()) +
                DecidersText(measured, console.columns()) +
                (cost.counted > 0 ? "\n" + CostText(cost) : ""));
  }
  Json json = Json::parse(eval::RenderJson(report), nullptr, false);
  const auto add = [&json](const char* name, Json value) {
    if (!value.is_null() && json.is_object() && !json.contains(name)) {
      json[name] = std::move(value);
    }
  };
  add("severity", SeverityJson(joined));
  add("adherence", AdherenceJson(joined));
  add("decided_by", DecidersJson(measured));
  add("cost_per_record", CostJson(cost));
  if (!output.thresholds.empty()) {
    add("at_thresholds", ThresholdJson(joined, output.thresholds));
  }
  if (output.json) {
    console.Out(JsonText(json));
  }
  return WriteReports(output.reports, report, JsonText(json));
}

void PrintLabels(std::span<const Measured> variants, const MeasuredOutput& output,
                 Console& console) {
  std::vector<eval::LabelTask> tasks;
  for (const Measured& measured : variants) {
    tasks.push_back(eval::MeasureLabels(measured.labels, measured.data.records, measured.runs,
                                        {.seed = measured.seed}));
  }
  const eval::Dataset& data = variants.front().data;
  if (output.json) {
    Json json = {{"dataset", {{"name", data.name}, {"path", data.path}, {"hash", data.hash}}},
                 {"line_errors", data.error_count},
                 {"variants", Json::array()}};
    for (std::size_t v = 0; v < variants.size(); ++v) {
      json["variants"].push_back(LabelJson(variants[v], tasks[v]));
    }
    json["notes"] = variants.front().notes;
    console.Out(JsonText(json));
    return;
  }
  std::string text = "Data: " + Printable(data.name + ", " + data.path) + " (" +
                     data.hash.substr(0, 12) + "), " + std::to_string(data.records.size()) +
                     " records\n";
  for (std::size_t v = 0; v < variants.size(); ++v) {
    text += "\n" + LabelText(variants[v], tasks[v], console.columns()) +
            DecidersText(variants[v], console.columns());
  }
  if (variants.size() > 1) {
    text += PromptingText(variants, tasks, console.columns());
  }
  console.Out(text + "\n" + Notes(variants.front()));
}

}  // namespace

Result<Measured> MeasuredOf(const eval::RecordedRun& run, const std::string& policy) {
  Measured measured;
  measured.prompting = run.header.prompting;
  measured.folds = run.header.folds;
  measured.seed = run.header.seed;
  measured.notes = run.header.notes;
  for (std::size_t p = 0; p < run.header.policies.size(); ++p) {
    const eval::RunPolicy& of = run.header.policies[p];
    if (!policy.empty() && of.id != policy) {
      continue;
    }
    eval::RestoredRun restored = eval::Restore(run, p);
    measured.policies.push_back(std::move(restored.policy));
    measured.runs.push_back(std::move(restored.run));
    measured.data = std::move(restored.dataset);
    if (!of.label.empty()) {
      measured.labels.push_back(of.label);
    }
  }
  if (measured.policies.empty()) {
    std::string known;
    for (const eval::RunPolicy& of : run.header.policies) {
      known += (known.empty() ? "" : ", ") + of.id;
    }
    return Fail(ErrorCode::kInvalidInput, run.path + " has no policy \"" + policy + "\"",
                "its policies are " + known);
  }
  if (!run.complete()) {
    measured.notes.push_back("the run is not finished: " + std::to_string(run.cases.size()) +
                             " of " + std::to_string(run.header.records) + " records are judged");
  }
  return measured;
}

Status PrintMeasured(std::span<const Measured> variants, const MeasuredOutput& output,
                     Console& console) {
  CHECK(!variants.empty());
  if (variants.front().labels.empty()) {
    Status status;
    for (const Measured& measured : variants) {
      if (Status printed = PrintAny(measured, output, console); !printed) {
        status = std::move(printed);
      }
    }
    return status;
  }
  PrintLabels(variants, output, console);
  return {};
}

}  // namespace safeguard::apps
