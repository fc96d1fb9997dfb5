// The report of an evaluation: every figure with what it was measured on. A figure that is not
// defined is empty, null in JSON and "-" in text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/benchmark_sets.h"
#include "eval/bootstrap.h"
#include "eval/breakdown.h"
#include "eval/cost.h"
#include "eval/curves.h"
#include "eval/exact_match.h"
#include "eval/metrics.h"
#include "eval/reliability.h"
#include "eval/runner.h"
#include "moderation/policy.h"

namespace safeguard::eval {

struct ReportOptions {
  BootstrapOptions bootstrap{};
  RankOptions ranking{};
  std::size_t errors_max = 10;  // of each kind
  // Longest excerpt of a content, in bytes; 0 keeps content out of the report.
  std::size_t excerpt_bytes_max = 160;
  // Folds of a cross-validation, with its seed; 0: the policy was prepared once.
  std::size_t folds = 0;
  std::uint64_t fold_seed = 0;
  std::string date;  // stands in the report; given by the caller, which has a clock
};

struct Figure {
  std::optional<double> value;
  std::optional<Interval> interval;  // bootstrap
};

// The figures of one confusion matrix.
struct DecisionFigures {
  Confusion confusion{};
  Figure precision;
  Figure recall;
  Figure f1;
  Figure false_alarm_rate;
  Figure accuracy;
  Figure balanced_accuracy;
  Figure matthews;
  Figure kappa;
};

struct Latency {
  double mean_ms = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

struct Report {
  moderation::PolicyReference policy;
  std::string policy_name;
  std::string policy_text;                           // its body
  std::optional<moderation::Thresholds> thresholds;  // as the policy states them
  std::string dataset_name;
  std::string dataset_path;
  std::string dataset_hash;
  std::vector<std::string> models;  // "layer model hash" of the verdicts, each once
  ReportOptions options{};

  std::size_t records = 0;
  std::size_t line_errors = 0;   // lines of the data set that could not be read
  std::size_t unlabelled = 0;    // records with an unknown label: in no figure
  std::size_t not_judged = 0;    // labelled, but left out by cancellation
  std::size_t cases = 0;         // labelled and judged
  std::size_t positives = 0;     // of the cases
  std::size_t undetermined = 0;  // of the cases
  std::map<std::string, std::size_t> undetermined_reasons;
  std::size_t scored = 0;          // cases whose verdict has a score: the rank figures are of these
  std::size_t invalid_scores = 0;  // scores that are not a number from 0 to 1: left out
  std::size_t in_policy_examples = 0;  // labelled records that the policy shows as examples
  std::optional<double> coverage;      // decided / cases

  DecisionFigures decided;            // over the cases that were decided
  DecisionFigures with_undetermined;  // over all cases, undetermined counted as wrong
  RankMetrics ranking;                // thresholds of operating points
  Figure roc_auc;
  Figure average_precision;
  Figure recall_at_false_alarms;
  std::vector<Figure> recall_at_rates;      // as many as ranking.recall_at_rates
  std::vector<Figure> precision_at_recall;  // as many as ranking.precision_at_recall
  std::vector<CurvePoint> curve;            // thinned, for drawing
  Histogram histogram;                      // of kHistogramBins
  std::optional<Calibration> calibration;
  std::optional<Reliability> reliability;             // bins of equal mass
  std::optional<double> calibration_error_by_chance;  // of it, were the scores perfect

  std::vector<RuleResult> rules;
  std::vector<GroupResult> languages;
  std::vector<GroupResult> surfaces;
  std::vector<GroupResult> tags;
  TellingErrors errors;

  std::optional<Latency> latency;
  Cost cost;
  AnswerFigures answers;
  double seconds = 0;
  std::optional<double> contents_per_second;
  std::vector<std::string> notes;  // what a reader must know before believing a figure
};

// REQUIRES: run.results[i] is of dataset.records[i].
Report BuildReport(const moderation::Policy& policy, const Dataset& dataset,
                   const EvaluationRun& run, const ReportOptions& options);

inline constexpr std::size_t kHistogramBins = 20;

// For a terminal: aligned tables, no colour, at most about 100 columns.
std::string RenderText(const Report& report);
// One JSON object, indented by two spaces; its fields are listed in report/README.md and only grow.
std::string RenderJson(const Report& report);

// For a wiki, a ticket or a pull request: GitHub's dialect. Content is shown as text, never as
// markup.
std::string RenderMarkdown(const Report& report);

// A run among others in the plot of cost against quality.
struct QualityPoint {
  std::string name;          // the judge and what else tells it apart
  std::optional<double> f1;  // undetermined counted as errors
  std::optional<Interval> interval;
  std::optional<double> seconds;  // median of a content
  std::optional<double> tokens;   // mean of a content, cached ones not counted
};
QualityPoint QualityOf(const Report& report);
// Of a report that RenderJson wrote. Fails, naming `name`, when it is none.
Result<QualityPoint> ReadQualityPoint(std::string_view json, const std::string& name);

// One HTML page that needs nothing else: no script, no request, light and dark, A4 in print.
// `others` stand beside it in the plot of cost against quality.
std::string RenderHtml(const Report& report, std::span<const QualityPoint> others);

// A multi-policy result, likewise.
std::string RenderText(const ExactMatch& result);
std::string RenderJson(const ExactMatch& result);

}  // namespace safeguard::eval
