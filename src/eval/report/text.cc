#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "eval/report.h"
#include "eval/report/text_table.h"

namespace safeguard::eval {
namespace {

constexpr std::string_view kIndent = "  ";
constexpr std::size_t kGroupsShownMax = 20;

std::string Number(const std::optional<double>& value) {
  if (!value || std::isnan(*value)) {
    return "-";
  }
  return std::isinf(*value) ? "none" : fmt::format("{:.3f}", *value);
}

std::string Text(const std::optional<Interval>& interval) {
  return interval ? fmt::format("{:.3f} .. {:.3f}", interval->low, interval->high) : "-";
}

std::string Join(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    text += (text.empty() ? "" : ", ") + Excerpt(item, 80);
  }
  return text.empty() ? "-" : text;
}

std::string Head(const Report& report) {
  std::string text;
  const auto line = [&text](std::string_view name, const std::string& value) {
    fmt::format_to(std::back_inserter(text), "{:<10}{}\n", name, value);
  };
  line("Policy",
       Excerpt(report.policy.id, 80) + " version " + Excerpt(report.policy.version, 40) +
           (report.policy_name.empty() ? "" : " (" + Excerpt(report.policy_name, 80) + ")"));
  line("", "hash " + report.policy.hash);
  line("Data", Excerpt(report.dataset_name, 80) + "  " + Excerpt(report.dataset_path, 200));
  line("", "hash " + report.dataset_hash);
  for (const std::string& model : report.models) {
    line(&model == &report.models.front() ? "Judge" : "", Excerpt(model, 200));
  }
  if (report.thresholds) {
    line("Threshold", fmt::format("violation at or above {}, safe below {}",
                                  report.thresholds->violation, report.thresholds->safe));
  }
  if (report.options.folds > 0) {
    line("Method", fmt::format("{}-fold cross-validation, seed {}", report.options.folds,
                               report.options.fold_seed));
  }
  line("Cases", fmt::format("{} ({} violations, {} safe) of {} records", report.cases,
                            report.positives, report.cases - report.positives, report.records));
  line("Coverage",
       fmt::format("{} decided, {} undetermined", Number(report.coverage), report.undetermined));
  for (const auto& [reason, count] : report.undetermined_reasons) {
    line("", fmt::format("{} {}", count, reason));
  }
  if (report.latency) {
    line("Time", fmt::format("{:.1f} contents/s; a content {:.2f} ms median, {:.2f} ms p95, "
                             "{:.2f} ms p99",
                             report.contents_per_second.value_or(0), report.latency->p50_ms,
                             report.latency->p95_ms, report.latency->p99_ms));
  }
  if (report.cost.prompt_tokens) {
    line("Tokens",
         fmt::format("prompt {:.0f} median ({:.0f} cached), reasoning {:.0f} median, "
                     "{:.0f} p95; {:.0f} sampled in all",
                     report.cost.prompt_tokens->p50, report.cost.cached_tokens->p50,
                     report.cost.reasoning_tokens->p50, report.cost.reasoning_tokens->p95,
                     report.cost.reasoning_tokens->total + report.cost.answer_tokens->total));
  }
  if (report.answers.parse_rate) {
    line("Answers", fmt::format("{} of {} read as a verdict ({})", report.answers.readable,
                                report.answers.asked, Text(report.answers.interval)));
  }
  return text;
}

std::string Matrix(const Report& report) {
  const Confusion& c = report.decided.confusion;
  const std::size_t undetermined_positive =
      report.with_undetermined.confusion.false_negative - c.false_negative;
  const std::size_t undetermined_negative =
      report.with_undetermined.confusion.false_positive - c.false_positive;
  TextTable table({"", "judged violation", "judged safe", "undetermined"});
  table.Add({"violation", std::to_string(c.true_positive), std::to_string(c.false_negative),
             std::to_string(undetermined_positive)});
  table.Add({"safe", std::to_string(c.false_positive), std::to_string(c.true_negative),
             std::to_string(undetermined_negative)});
  return "\nConfusion (rows: what the label says)\n" + table.Render(kIndent);
}

std::string Decisions(const Report& report) {
  TextTable table({"", "decided only", "interval", "undetermined wrong", "interval"});
  const auto add = [&table](const char* name, const Figure& a, const Figure& b) {
    table.Add({name, Number(a.value), Text(a.interval), Number(b.value), Text(b.interval)});
  };
  const DecisionFigures& a = report.decided;
  const DecisionFigures& b = report.with_undetermined;
  add("precision", a.precision, b.precision);
  add("recall", a.recall, b.recall);
  add("F1", a.f1, b.f1);
  add("false alarm rate", a.false_alarm_rate, b.false_alarm_rate);
  add("accuracy", a.accuracy, b.accuracy);
  add("balanced accuracy", a.balanced_accuracy, b.balanced_accuracy);
  add("Matthews", a.matthews, b.matthews);
  add("Cohen's kappa", a.kappa, b.kappa);
  const BootstrapOptions& bootstrap = report.options.bootstrap;
  return fmt::format("\nDecisions ({:g} % bootstrap intervals, {} resamples{}, seed {})\n",
                     bootstrap.confidence * 100, bootstrap.resamples,
                     bootstrap.stratified ? ", stratified" : "", bootstrap.seed) +
         table.Render(kIndent);
}

std::string Scores(const Report& report) {
  TextTable table({"", "value", "interval", "threshold", "precision", "recall"});
  const auto add = [&table](const std::string& name, const Figure& figure,
                            const std::optional<OperatingPoint>& point) {
    table.Add({name, Number(figure.value), Text(figure.interval),
               point ? Number(point->threshold) : "", point ? Number(point->precision) : "",
               point ? Number(point->recall) : ""});
  };
  add("ROC-AUC", report.roc_auc, std::nullopt);
  add("PR-AUC (average precision)", report.average_precision, std::nullopt);
  const RankOptions& options = report.options.ranking;
  for (std::size_t i = 0; i < report.recall_at_rates.size(); ++i) {
    add(fmt::format("recall at {:g} % false alarms", options.false_alarm_rates[i] * 100),
        report.recall_at_rates[i], report.ranking.recall_at_rates[i]);
  }
  for (std::size_t i = 0; i < report.precision_at_recall.size(); ++i) {
    add(fmt::format("precision at recall {:.2f}", options.recalls[i]),
        report.precision_at_recall[i], report.ranking.precision_at_recall[i]);
  }
  Figure best;
  best.value = report.ranking.best_f1 ? std::optional(report.ranking.best_f1->f1) : std::nullopt;
  add("best F1 (optimistic)", best, report.ranking.best_f1);
  std::string text = fmt::format("\nScores ({} cases)\n", report.scored) + table.Render(kIndent);
  if (report.calibration && report.reliability) {
    fmt::format_to(std::back_inserter(text),
                   "  calibration: Brier {:.4f}, expected error {:.4f} ({} bins of equal width), "
                   "{:.4f} ({} of equal mass; {} by chance)\n",
                   report.calibration->brier, report.calibration->expected_calibration_error,
                   kCalibrationBins, report.reliability->expected_calibration_error,
                   report.reliability->bins.size(), Number(report.calibration_error_by_chance));
  }
  return text;
}

std::string Rules(const Report& report) {
  TextTable table({"rule", "support", "detected", "found", "cited", "recall", "precision"});
  for (const RuleResult& rule : report.rules) {
    table.Add({Excerpt(rule.rule, 40), std::to_string(rule.support), std::to_string(rule.detected),
               std::to_string(rule.found), std::to_string(rule.cited), Number(rule.recall),
               Number(rule.precision)});
  }
  return table.empty() ? ""
                       : "\nRules (found: the expected rule was cited; detected: judged a "
                         "violation at all)\n" +
                             table.Render(kIndent);
}

std::string Groups(const char* title, const std::vector<GroupResult>& groups) {
  if (groups.empty()) {
    return "";
  }
  TextTable table({title, "cases", "violations", "undetermined", "precision", "recall", "F1",
                   "false alarms", "ROC-AUC"});
  for (const GroupResult& group : groups) {
    const Confusion& all = group.tally.with_undetermined;
    if (&group == &groups.front() + kGroupsShownMax) {
      break;
    }
    table.Add({Excerpt(group.name, 40), std::to_string(group.cases),
               std::to_string(all.positives()), std::to_string(group.tally.undetermined),
               Number(Precision(all)), Number(Recall(all)), Number(F1(all)),
               Number(FalseAlarmRate(all)), Number(group.roc_auc)});
  }
  std::string text = "\n" + table.Render(kIndent);
  if (groups.size() > kGroupsShownMax) {
    text += fmt::format("  ... and {} more\n", groups.size() - kGroupsShownMax);
  }
  return text;
}

std::string Cases(const char* title, const std::vector<TellingCase>& cases) {
  std::string text;
  for (const TellingCase& each : cases) {
    fmt::format_to(std::back_inserter(text), "  {:>6}  {}  expected {}, cited {}{}\n",
                   Number(each.score), each.name,
                   each.rules.empty() ? (each.label.empty() ? "-" : each.label) : Join(each.rules),
                   Join(each.cited), each.reason.empty() ? "" : "  (" + each.reason + ")");
    if (!each.excerpt.empty()) {
      text += "          " + each.excerpt + "\n";
    }
    if (!each.evidence.empty() && each.evidence != each.excerpt) {
      text += "          evidence: " + each.evidence + "\n";
    }
  }
  return text.empty() ? "" : fmt::format("\n{}\n", title) + text;
}

}  // namespace

std::string RenderText(const Report& report) {
  std::string text = Head(report) + Matrix(report) + Decisions(report) + Scores(report) +
                     Rules(report) + Groups("language", report.languages) +
                     Groups("surface", report.surfaces) + Groups("tag", report.tags) +
                     Cases("False alarms, highest score first", report.errors.false_alarms) +
                     Cases("Misses, lowest score first", report.errors.misses) +
                     Cases("Undetermined", report.errors.undetermined);
  if (!report.notes.empty()) {
    text += "\nNotes\n";
    for (const std::string& note : report.notes) {
      text += "  - " + note + "\n";
    }
  }
  return text;
}

std::string RenderText(const ExactMatch& result) {
  TextTable table({"label", "known", "violations", "undetermined", "precision", "recall", "F1"});
  for (const LabelResult& label : result.labels) {
    const Confusion& all = label.with_undetermined;
    table.Add({Excerpt(label.name, 40), std::to_string(all.total()),
               std::to_string(all.positives()), std::to_string(label.undetermined),
               Number(Precision(all)), Number(Recall(all)), Number(F1(all))});
  }
  return fmt::format("Exact match over all labels  {} ({} of {} fully labelled of {} items; {})\n",
                     Number(result.share), result.matches, result.complete, result.items,
                     Text(result.interval)) +
         table.Render(kIndent) +
         fmt::format("  mean F1 over the labels {}\n", Number(result.macro_f1));
}

}  // namespace safeguard::eval
