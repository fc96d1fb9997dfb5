// The report of an evaluation: every figure with what it was measured on. A figure that is not
// defined is empty, null in JSON and "-" in text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/benchmark_sets.h"
#include "eval/bootstrap.h"
#include "eval/breakdown.h"
#include "eval/exact_match.h"
#include "eval/metrics.h"
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
  std::optional<Calibration> calibration;

  std::vector<RuleResult> rules;
  std::vector<GroupResult> languages;
  std::vector<GroupResult> surfaces;
  std::vector<GroupResult> tags;
  TellingErrors errors;

  std::optional<Latency> latency;
  double seconds = 0;
  std::optional<double> contents_per_second;
  std::vector<std::string> notes;  // what a reader must know before believing a figure
};

// REQUIRES: run.results[i] is of dataset.records[i].
Report BuildReport(const moderation::Policy& policy, const Dataset& dataset,
                   const EvaluationRun& run, const ReportOptions& options);

// For a terminal: aligned tables, no colour, at most about 100 columns.
std::string RenderText(const Report& report);
// One JSON object, indented by two spaces; its fields are listed in report/README.md and only grow.
std::string RenderJson(const Report& report);

// A multi-policy result, likewise.
std::string RenderText(const ExactMatch& result);
std::string RenderJson(const ExactMatch& result);

}  // namespace safeguard::eval
