#include "apps/output/training_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/output/display_text.h"

namespace safeguard::apps {
namespace {

using eval::Figure;
using Json = nlohmann::ordered_json;

constexpr std::size_t kConflictsShown = 5;

std::string Shown(const std::optional<double>& value,
                  const std::optional<eval::Interval>& interval) {
  if (!value) {
    return "not defined";
  }
  return interval ? fmt::format("{:.3f} [{:.3f}, {:.3f}]", *value, interval->low, interval->high)
                  : fmt::format("{:.3f}", *value);
}

std::string Shown(const Figure& figure) {
  return Shown(figure.value, figure.interval);
}

std::string Agreement(const char* with, const eval::LabelAgreement& agreement) {
  if (agreement.both == 0) {
    return {};
  }
  return fmt::format("            {} of {} the same as {}{}\n", agreement.same, agreement.both,
                     with, agreement.kappa ? fmt::format(" (kappa {:.2f})", *agreement.kappa) : "");
}

std::string LabelLines(const TrainingReport& report) {
  std::string out = fmt::format("Labels      {} texts for {}: {} violations, {} safe; from {}\n",
                                report.positives + report.negatives, Printable(report.policy.id),
                                report.positives, report.negatives, Printable(report.origin));
  const eval::CleanedLabels& cleaned = report.cleaned;
  out += fmt::format(
      "            left out: {} repeated, {} of texts with both labels, {} without a label, {} "
      "unreadable\n",
      cleaned.repeated, cleaned.conflicting, cleaned.unlabelled, report.unreadable);
  for (std::size_t i = 0; i < std::min(cleaned.conflicts.size(), kConflictsShown); ++i) {
    out +=
        fmt::format("            both labels: {} and {}\n", Printable(cleaned.conflicts[i].first),
                    Printable(cleaned.conflicts[i].second));
  }
  if (report.log) {
    out += fmt::format(
        "Log         {} decided verdicts with their text; left out: {} undecided, {} under another "
        "text of the policy, {} of a dedicated classifier\n",
        report.log->records, report.log->undecided, report.log->other_text, report.log->own);
    out += Agreement("the golden set", report.log->with_golden);
    out += Agreement("the labels of --data", report.log->with_data);
    out += Agreement("an earlier model or version said of them", report.log->between_versions);
  }
  return out;
}

std::string ValidationLines(const TrainingReport& report) {
  std::string out;
  for (const eval::Validation& candidate : report.selection.candidates) {
    out += fmt::format("{:<12}{:<6} average precision {}, ROC-AUC {}, {:.1f} s\n",
                       out.empty() ? "Validation" : "", candidate.name,
                       Shown(candidate.average_precision, candidate.average_precision_interval),
                       Shown(candidate.roc_auc, std::nullopt), candidate.seconds);
  }
  const std::string winner = report.selection.candidates[report.selection.winner].name;
  if (report.selection.lead) {
    const auto& interval = report.selection.lead_interval;
    out +=
        fmt::format("            {} wins by {}{}\n", winner, Shown(report.selection.lead, interval),
                    interval && interval->low <= 0 ? ": no difference that the data prove" : "");
  }
  for (const std::string& why : report.not_tried) {
    out += "            " + why + "\n";
  }
  const eval::Decision& decision = report.decision;
  out += fmt::format(
      "Decision    a violation from probability {:.3f} on; calibration error {:.3f}, by chance "
      "{:.3f} (raw {:.3f})\n",
      decision.threshold, decision.error_calibrated, decision.error_by_chance, decision.error_raw);
  out += decision.band ? fmt::format(
                             "            uncertain from {:.3f} to {:.3f}: at most {:g} % of "
                             "violations below, {:g} % of safe texts above\n",
                             decision.band->safe, decision.band->violation,
                             decision.band->miss_rate * 100, decision.band->alarm_rate * 100)
                       : "            no uncertain band: " + decision.why_no_band + "\n";
  return out;
}

std::string TestLines(const TrainingReport& report) {
  const eval::TestFigures& test = report.test;
  std::string out = fmt::format(
      "Test        F1 {}   precision {}   recall {}\n"
      "            ROC-AUC {}   recall at 1 % false alarms {}\n"
      "            {} of {} violations found, {} false alarms on {} safe texts{}\n",
      Shown(test.f1), Shown(test.precision), Shown(test.recall), Shown(test.roc_auc),
      Shown(test.recall_at_1_percent), test.counts.true_positive, test.counts.positives(),
      test.counts.false_positive, test.counts.negatives(),
      report.test_kappa ? fmt::format("; kappa {:.2f}", *report.test_kappa) : "");
  if (report.baseline_f1) {
    out += fmt::format(
        "Screen      as it is, with {} golden cases: F1 {}; the classifier's is {} higher\n",
        report.baseline_golden, Shown(*report.baseline_f1), Shown(report.lead_f1));
  }
  bool first = true;
  for (const eval::LearningPoint& point : report.curve) {
    out +=
        fmt::format("{:<12}{:>3.0f} % of the labels ({} texts, {} violations): F1 {}, ROC-AUC {}\n",
                    first ? "More labels" : "", point.share * 100, point.learned, point.positives,
                    Shown(point.f1), Shown(point.roc_auc));
    first = false;
  }
  if (report.curve.size() > 1 && report.curve.back().f1.value &&
      report.curve[report.curve.size() - 2].f1.value) {
    const double gain =
        *report.curve.back().f1.value - *report.curve[report.curve.size() - 2].f1.value;
    out += fmt::format("            the last step brought {:+.3f}: {}\n", gain,
                       gain >= 0.01 ? "more labels are likely to pay"
                                    : "more labels of this kind will hardly pay");
  }
  return out;
}

Json FigureJson(const Figure& figure) {
  if (!figure.value) {
    return nullptr;
  }
  Json json = {{"value", *figure.value}, {"interval", nullptr}};
  if (figure.interval) {
    json["interval"] = {figure.interval->low, figure.interval->high};
  }
  return json;
}

Json AgreementJson(const eval::LabelAgreement& agreement) {
  return {{"texts", agreement.both},
          {"same", agreement.same},
          {"kappa", agreement.kappa ? Json(*agreement.kappa) : Json(nullptr)}};
}

Json ValidationJson(const TrainingReport& report) {
  Json candidates = Json::array();
  for (const eval::Validation& one : report.selection.candidates) {
    candidates.push_back(
        {{"kind", one.name},
         {"average_precision", FigureJson({one.average_precision, one.average_precision_interval})},
         {"roc_auc", one.roc_auc ? Json(*one.roc_auc) : Json(nullptr)},
         {"seconds", one.seconds}});
  }
  return {{"folds", report.folds},
          {"candidates", std::move(candidates)},
          {"winner", report.selection.candidates[report.selection.winner].name},
          {"lead", FigureJson({report.selection.lead, report.selection.lead_interval})},
          {"not_tried", report.not_tried}};
}

Json LabelsJson(const TrainingReport& report) {
  Json conflicts = Json::array();
  for (const auto& [a, b] : report.cleaned.conflicts) {
    conflicts.push_back({a, b});
  }
  Json json = {{"from", report.origin},
               {"violations", report.positives},
               {"safe", report.negatives},
               {"repeated", report.cleaned.repeated},
               {"conflicting", report.cleaned.conflicting},
               {"conflicts", std::move(conflicts)},
               {"unlabelled", report.cleaned.unlabelled},
               {"unreadable", report.unreadable}};
  if (report.log) {
    json["log"] = {{"records", report.log->records},
                   {"undecided", report.log->undecided},
                   {"other_text", report.log->other_text},
                   {"own", report.log->own},
                   {"with_golden", AgreementJson(report.log->with_golden)},
                   {"with_data", AgreementJson(report.log->with_data)},
                   {"between_versions", AgreementJson(report.log->between_versions)}};
  }
  return json;
}

Json TestJson(const TrainingReport& report) {
  const eval::TestFigures& test = report.test;
  Json json = {{"from", report.test_origin.empty() ? Json("held out") : Json(report.test_origin)},
               {"violations", test.counts.positives()},
               {"safe", test.counts.negatives()},
               {"true_positive", test.counts.true_positive},
               {"false_positive", test.counts.false_positive},
               {"f1", FigureJson(test.f1)},
               {"precision", FigureJson(test.precision)},
               {"recall", FigureJson(test.recall)},
               {"roc_auc", FigureJson(test.roc_auc)},
               {"average_precision", FigureJson(test.average_precision)},
               {"recall_at_1_percent_false_alarms", FigureJson(test.recall_at_1_percent)},
               {"kappa", report.test_kappa ? Json(*report.test_kappa) : Json(nullptr)}};
  if (report.baseline_f1) {
    json["screen_f1"] = FigureJson(*report.baseline_f1);
    json["f1_lead_over_screen"] = FigureJson(report.lead_f1);
  }
  return json;
}

}  // namespace

std::string TrainingText(const TrainingReport& report, std::size_t) {
  std::string out = LabelLines(report);
  out += fmt::format(
      "Split       {} texts to learn and validate ({}), {} with {} violations to test{}; no text "
      "in "
      "two parts{}\n",
      report.positives + report.negatives - (report.test_origin.empty() ? report.test_texts : 0),
      report.folds == 5 ? "5 folds in turn" : "1 fold of 5", report.test_texts,
      report.test_positives,
      report.test_origin.empty() ? ", held out" : " in " + Printable(report.test_origin),
      report.shared_with_test > 0
          ? fmt::format(", {} of the test taken out", report.shared_with_test)
          : "");
  out += ValidationLines(report) + TestLines(report);
  out +=
      fmt::format("Time        {:.1f} s in all: {:.1f} s reading, {:.1f} s for the last training\n",
                  report.total_seconds, report.read_seconds, report.train_seconds);
  out += fmt::format("Installed   {} for the policy {}{}{}\n", report.installed,
                     Printable(report.policy.id),
                     report.used ? ": it answers under --judge dedicated"
                                 : "; what answered before still does (safeguard screen use)",
                     report.used && report.band ? ", its band left undecided" : "");
  return out;
}

Json TrainingJson(const TrainingReport& report) {
  Json json = {{"policy", report.policy.id},
               {"policy_hash", report.policy.hash},
               {"labels", LabelsJson(report)},
               {"validation", ValidationJson(report)},
               {"threshold", report.decision.threshold},
               {"band", nullptr},
               {"why_no_band", report.decision.why_no_band},
               {"calibration_error",
                {{"raw", report.decision.error_raw},
                 {"calibrated", report.decision.error_calibrated},
                 {"by_chance", report.decision.error_by_chance}}},
               {"test", TestJson(report)},
               {"shared_with_test", report.shared_with_test},
               {"learning_curve", Json::array()},
               {"seconds", report.total_seconds}};
  if (report.decision.band) {
    json["band"] = {report.decision.band->safe, report.decision.band->violation};
  }
  for (const eval::LearningPoint& point : report.curve) {
    json["learning_curve"].push_back({{"share", point.share},
                                      {"texts", point.learned},
                                      {"violations", point.positives},
                                      {"f1", FigureJson(point.f1)},
                                      {"roc_auc", FigureJson(point.roc_auc)}});
  }
  if (!report.installed.empty()) {
    json["installed"] = report.installed;
    json["used"] = report.used;
  }
  return json;
}

std::string TrainingSummary(const TrainingReport& report) {
  return fmt::format("F1 {} on {} texts, ROC-AUC {}; from {} labels", Shown(report.test.f1),
                     report.test_texts, Shown(report.test.roc_auc.value, std::nullopt),
                     report.positives + report.negatives);
}

}  // namespace safeguard::apps
