#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/report.h"

namespace safeguard::eval {
namespace {

using json = nlohmann::ordered_json;

json Number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? json(*value) : json(nullptr);
}

json ToJson(const std::optional<Interval>& interval) {
  return interval ? json::array({interval->low, interval->high}) : json(nullptr);
}

json ToJson(const Figure& figure) {
  return {{"value", Number(figure.value)}, {"interval", ToJson(figure.interval)}};
}

json ToJson(const Confusion& c) {
  return {{"true_positive", c.true_positive},
          {"false_positive", c.false_positive},
          {"false_negative", c.false_negative},
          {"true_negative", c.true_negative}};
}

json ToJson(const DecisionFigures& f) {
  return {{"confusion", ToJson(f.confusion)},
          {"precision", ToJson(f.precision)},
          {"recall", ToJson(f.recall)},
          {"f1", ToJson(f.f1)},
          {"false_alarm_rate", ToJson(f.false_alarm_rate)},
          {"accuracy", ToJson(f.accuracy)},
          {"balanced_accuracy", ToJson(f.balanced_accuracy)},
          {"matthews", ToJson(f.matthews)},
          {"kappa", ToJson(f.kappa)}};
}

json ToJson(const std::optional<OperatingPoint>& point) {
  if (!point) {
    return nullptr;
  }
  return {{"threshold", Number(point->threshold)},
          {"precision", Number(point->precision)},
          {"recall", point->recall},
          {"false_alarm_rate", point->false_alarm_rate},
          {"f1", point->f1}};
}

json RankingJson(const Report& report) {
  json at_recall = json::array();
  for (std::size_t i = 0; i < report.precision_at_recall.size(); ++i) {
    at_recall.push_back({{"recall_min", report.options.ranking.recalls[i]},
                         {"point", ToJson(report.ranking.precision_at_recall[i])},
                         {"precision", ToJson(report.precision_at_recall[i])}});
  }
  json at_rates = json::array();
  for (std::size_t i = 0; i < report.recall_at_rates.size(); ++i) {
    json each = ToJson(report.recall_at_rates[i]);
    each["false_alarm_rate_max"] = report.options.ranking.false_alarm_rates[i];
    each["point"] = ToJson(report.ranking.recall_at_rates[i]);
    at_rates.push_back(std::move(each));
  }
  json recall = ToJson(report.recall_at_false_alarms);
  recall["false_alarm_rate_max"] = report.options.ranking.false_alarm_rate_max;
  recall["point"] = ToJson(report.ranking.recall_at_false_alarms);
  return {
      {"scored", report.scored},           {"invalid_scores", report.invalid_scores},
      {"roc_auc", ToJson(report.roc_auc)}, {"average_precision", ToJson(report.average_precision)},
      {"recall_at_false_alarms", recall},  {"recall_at_rates", at_rates},
      {"precision_at_recall", at_recall},  {"best_f1_optimistic", ToJson(report.ranking.best_f1)}};
}

json CalibrationJson(const std::optional<Calibration>& calibration) {
  if (!calibration) {
    return nullptr;
  }
  json bins = json::array();
  for (const CalibrationBin& bin : calibration->bins) {
    const bool empty = bin.cases == 0;
    bins.push_back({{"cases", bin.cases},
                    {"score_mean", empty ? json(nullptr) : json(bin.score_mean)},
                    {"positive_share", empty ? json(nullptr) : json(bin.positive_share)}});
  }
  return {{"brier", calibration->brier},
          {"expected_calibration_error", calibration->expected_calibration_error},
          {"bins", bins}};
}

json ReliabilityJson(const Report& report) {
  if (!report.reliability) {
    return nullptr;
  }
  json bins = json::array();
  for (const ReliabilityBin& bin : report.reliability->bins) {
    bins.push_back({{"cases", bin.cases},
                    {"positives", bin.positives},
                    {"score_low", bin.score_low},
                    {"score_high", bin.score_high},
                    {"score_mean", bin.score_mean},
                    {"positive_share", bin.positive_share},
                    {"interval", json::array({bin.interval.low, bin.interval.high})}});
  }
  return {{"expected_calibration_error", report.reliability->expected_calibration_error},
          {"maximum_calibration_error", report.reliability->maximum_calibration_error},
          {"by_chance", Number(report.calibration_error_by_chance)},
          {"bins", bins}};
}

json CurveJson(const std::vector<CurvePoint>& curve) {
  json list = json::array();
  for (const CurvePoint& point : curve) {
    list.push_back({{"threshold", Number(point.threshold)},
                    {"recall", Number(point.recall)},
                    {"false_alarm_rate", Number(point.false_alarm_rate)},
                    {"precision", Number(point.precision)}});
  }
  return list;
}

json ToJson(const std::optional<Spread>& spread) {
  if (!spread) {
    return nullptr;
  }
  return {{"total", spread->total}, {"mean", spread->mean}, {"p50", spread->p50},
          {"p95", spread->p95},     {"p99", spread->p99},   {"max", spread->max}};
}

json CostJson(const Cost& cost) {
  return {{"contents", cost.contents},
          {"seconds", ToJson(cost.seconds)},
          {"prompt_tokens", ToJson(cost.prompt_tokens)},
          {"cached_tokens", ToJson(cost.cached_tokens)},
          {"reasoning_tokens", ToJson(cost.reasoning_tokens)},
          {"answer_tokens", ToJson(cost.answer_tokens)}};
}

json AnswersJson(const AnswerFigures& answers) {
  return {{"asked", answers.asked},
          {"readable", answers.readable},
          {"unreadable", answers.unreadable},
          {"parse_rate", Number(answers.parse_rate)},
          {"interval", ToJson(answers.interval)}};
}

json RulesJson(const std::vector<RuleResult>& rules) {
  json list = json::array();
  for (const RuleResult& rule : rules) {
    list.push_back({{"rule", rule.rule},
                    {"support", rule.support},
                    {"detected", rule.detected},
                    {"found", rule.found},
                    {"cited", rule.cited},
                    {"cited_rightly", rule.cited_rightly},
                    {"recall", Number(rule.recall)},
                    {"precision", Number(rule.precision)}});
  }
  return list;
}

json GroupsJson(const std::vector<GroupResult>& groups) {
  json list = json::array();
  for (const GroupResult& group : groups) {
    const Confusion& all = group.tally.with_undetermined;
    list.push_back({{"name", group.name},
                    {"cases", group.cases},
                    {"positives", all.positives()},
                    {"undetermined", group.tally.undetermined},
                    {"decided", ToJson(group.tally.decided)},
                    {"precision", Number(Precision(all))},
                    {"recall", Number(Recall(all))},
                    {"f1", Number(F1(all))},
                    {"false_alarm_rate", Number(FalseAlarmRate(all))},
                    {"roc_auc", Number(group.roc_auc)}});
  }
  return list;
}

json CasesJson(const std::vector<TellingCase>& cases) {
  json list = json::array();
  for (const TellingCase& each : cases) {
    list.push_back({{"name", each.name},
                    {"line", each.line},
                    {"score", Number(each.score)},
                    {"label", each.label},
                    {"rules", each.rules},
                    {"cited", each.cited},
                    {"reason", each.reason},
                    {"excerpt", each.excerpt},
                    {"evidence", each.evidence}});
  }
  return list;
}

json LatencyJson(const std::optional<Latency>& latency) {
  if (!latency) {
    return nullptr;
  }
  return {{"mean", latency->mean_ms},
          {"p50", latency->p50_ms},
          {"p95", latency->p95_ms},
          {"p99", latency->p99_ms},
          {"max", latency->max_ms}};
}

json SettingsJson(const Report& report) {
  const ReportOptions& options = report.options;
  json settings = {{"bootstrap_resamples", options.bootstrap.resamples},
                   {"bootstrap_confidence", options.bootstrap.confidence},
                   {"bootstrap_seed", options.bootstrap.seed},
                   {"bootstrap_stratified", options.bootstrap.stratified},
                   {"calibration_bins", kCalibrationBins},
                   {"folds", options.folds == 0 ? json(nullptr) : json(options.folds)},
                   {"fold_seed", options.folds == 0 ? json(nullptr) : json(options.fold_seed)}};
  settings["threshold_violation"] =
      report.thresholds ? json(report.thresholds->violation) : json(nullptr);
  settings["threshold_safe"] = report.thresholds ? json(report.thresholds->safe) : json(nullptr);
  return settings;
}

json CountsJson(const Report& report) {
  return {{"records", report.records},
          {"line_errors", report.line_errors},
          {"unlabelled", report.unlabelled},
          {"not_judged", report.not_judged},
          {"cases", report.cases},
          {"positives", report.positives},
          {"negatives", report.cases - report.positives},
          {"undetermined", report.undetermined},
          {"undetermined_reasons", report.undetermined_reasons},
          {"in_policy_examples", report.in_policy_examples},
          {"coverage", Number(report.coverage)}};
}

std::string Dump(const json& object) {
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string RenderJson(const Report& report) {
  json object;
  object["policy"] = {{"id", report.policy.id},
                      {"name", report.policy_name},
                      {"version", report.policy.version},
                      {"hash", report.policy.hash},
                      {"text", report.policy_text}};
  object["date"] = report.options.date;
  object["dataset"] = {
      {"name", report.dataset_name}, {"path", report.dataset_path}, {"hash", report.dataset_hash}};
  object["models"] = report.models;
  object["settings"] = SettingsJson(report);
  object["counts"] = CountsJson(report);
  object["decided"] = ToJson(report.decided);
  object["with_undetermined_as_errors"] = ToJson(report.with_undetermined);
  object["ranking"] = RankingJson(report);
  object["calibration"] = CalibrationJson(report.calibration);
  object["reliability"] = ReliabilityJson(report);
  object["curve"] = CurveJson(report.curve);
  object["histogram"] = {{"positives", report.histogram.positives},
                         {"negatives", report.histogram.negatives}};
  object["rules"] = RulesJson(report.rules);
  object["languages"] = GroupsJson(report.languages);
  object["surfaces"] = GroupsJson(report.surfaces);
  object["tags"] = GroupsJson(report.tags);
  object["errors"] = {{"false_alarms", CasesJson(report.errors.false_alarms)},
                      {"misses", CasesJson(report.errors.misses)},
                      {"undetermined", CasesJson(report.errors.undetermined)}};
  object["latency_ms"] = LatencyJson(report.latency);
  object["cost"] = CostJson(report.cost);
  object["answers"] = AnswersJson(report.answers);
  object["seconds"] = report.seconds;
  object["contents_per_second"] = Number(report.contents_per_second);
  object["notes"] = report.notes;
  return Dump(object);
}

std::string RenderJson(const ExactMatch& result) {
  json labels = json::array();
  for (const LabelResult& label : result.labels) {
    labels.push_back({{"name", label.name},
                      {"unknown", label.unknown},
                      {"undetermined", label.undetermined},
                      {"decided", ToJson(label.decided)},
                      {"precision", Number(Precision(label.with_undetermined))},
                      {"recall", Number(Recall(label.with_undetermined))},
                      {"f1", Number(F1(label.with_undetermined))}});
  }
  return Dump({{"items", result.items},
               {"complete", result.complete},
               {"matches", result.matches},
               {"exact_match", Number(result.share)},
               {"interval", ToJson(result.interval)},
               {"macro_f1", Number(result.macro_f1)},
               {"labels", labels}});
}

}  // namespace safeguard::eval
