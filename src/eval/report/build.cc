#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/check.h"
#include "eval/report.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using Values = std::vector<std::optional<double>>;

constexpr std::size_t kDecisionFigures = 8;
constexpr std::size_t kCurvePoints = 200;
constexpr std::size_t kChanceResamples = 200;
constexpr std::size_t kFewCases = 30;

// In the order of Slots.
Values DecisionValues(const Confusion& c) {
  return {Precision(c), Recall(c),           F1(c),       FalseAlarmRate(c),
          Accuracy(c),  BalancedAccuracy(c), Matthews(c), Kappa(c)};
}

std::array<Figure*, kDecisionFigures> Slots(DecisionFigures& f) {
  return {&f.precision,         &f.recall,   &f.f1,   &f.false_alarm_rate, &f.accuracy,
          &f.balanced_accuracy, &f.matthews, &f.kappa};
}

// In the order of the slots in MeasureScores.
Values RankValues(const RankMetrics& metrics) {
  const auto recall = [](const std::optional<OperatingPoint>& point) {
    return point ? std::optional(point->recall) : std::nullopt;
  };
  Values values = {metrics.roc_auc, metrics.average_precision,
                   recall(metrics.recall_at_false_alarms)};
  for (const std::optional<OperatingPoint>& point : metrics.recall_at_rates) {
    values.push_back(recall(point));
  }
  for (const std::optional<OperatingPoint>& point : metrics.precision_at_recall) {
    values.push_back(point ? std::optional(point->precision) : std::nullopt);
  }
  return values;
}

void MeasureDecisions(std::span<const Judged> cases, const BootstrapOptions& options,
                      Report& report) {
  std::vector<std::uint8_t> positive;
  for (const Judged& judged : cases) {
    positive.push_back(judged.expected() ? 1 : 0);
  }
  const auto measure = [cases](std::span<const std::uint32_t> weights) {
    Tally tally;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const bool expected = cases[i].expected();
      const bool undetermined = cases[i].outcome() == Outcome::kUndetermined;
      const bool judged = undetermined ? !expected : cases[i].outcome() == Outcome::kViolation;
      tally.with_undetermined.Add(expected, judged, weights[i]);
      if (!undetermined) {
        tally.decided.Add(expected, judged, weights[i]);
      }
    }
    Values values = DecisionValues(tally.decided);
    const Values more = DecisionValues(tally.with_undetermined);
    values.insert(values.end(), more.begin(), more.end());
    return values;
  };
  const auto intervals = BootstrapIntervals(positive, 2 * kDecisionFigures, measure, options);
  const Tally tally = Count(cases);
  report.undetermined = tally.undetermined;
  const auto fill = [&intervals](const Confusion& confusion, std::size_t first,
                                 DecisionFigures& figures) {
    figures.confusion = confusion;
    const Values values = DecisionValues(confusion);
    const auto slots = Slots(figures);
    for (std::size_t i = 0; i < kDecisionFigures; ++i) {
      slots[i]->value = values[i];
      slots[i]->interval = values[i] ? intervals[first + i] : std::nullopt;
    }
  };
  fill(tally.decided, 0, report.decided);
  fill(tally.with_undetermined, kDecisionFigures, report.with_undetermined);
}

void MeasureScores(std::span<const Judged> cases, const ReportOptions& options, Report& report) {
  std::vector<Scored> scored;
  std::vector<std::uint8_t> positive;
  for (const Judged& judged : cases) {
    if (const std::optional<double> score = judged.score()) {
      scored.push_back({.score = *score, .positive = judged.expected()});
      positive.push_back(judged.expected() ? 1 : 0);
    } else if (judged.result->verdict.score) {
      ++report.invalid_scores;
    }
  }
  report.scored = scored.size();
  const Ranking ranking(scored);
  report.ranking = ranking.Measure(options.ranking);
  const auto measure = [&](std::span<const std::uint32_t> weights) {
    return RankValues(ranking.Measure(options.ranking, weights));
  };
  const Values values = RankValues(report.ranking);
  const auto intervals = BootstrapIntervals(positive, values.size(), measure, options.bootstrap);
  report.recall_at_rates.resize(report.ranking.recall_at_rates.size());
  report.precision_at_recall.resize(report.ranking.precision_at_recall.size());
  std::vector<Figure*> slots = {&report.roc_auc, &report.average_precision,
                                &report.recall_at_false_alarms};
  for (std::vector<Figure>* figures : {&report.recall_at_rates, &report.precision_at_recall}) {
    for (Figure& figure : *figures) {
      slots.push_back(&figure);
    }
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    slots[i]->value = values[i];
    slots[i]->interval = values[i] ? intervals[i] : std::nullopt;
  }
  report.curve = ThinnedCurve(ThresholdCurve(scored), kCurvePoints);
  report.histogram = ScoreHistogram(scored, kHistogramBins);
  report.calibration = MeasureCalibration(scored);
  const std::size_t bins = ReliabilityBinCount(scored.size());
  report.reliability = MeasureReliability(scored, Binning::kEqualMass, bins);
  report.calibration_error_by_chance = CalibrationErrorByChance(
      scored, Binning::kEqualMass, bins, kChanceResamples, options.bootstrap.seed);
}

void MeasureTimes(const EvaluationRun& run, Report& report) {
  report.seconds = run.seconds;
  report.cost = MeasureCost(run.results);
  report.answers = MeasureAnswers(run.results);
  if (const std::optional<Spread>& seconds = report.cost.seconds) {
    report.latency = Latency{.mean_ms = seconds->mean * 1000,
                             .p50_ms = seconds->p50 * 1000,
                             .p95_ms = seconds->p95 * 1000,
                             .p99_ms = seconds->p99 * 1000,
                             .max_ms = seconds->max * 1000};
    if (run.seconds > 0) {
      report.contents_per_second = static_cast<double>(report.cost.contents) / run.seconds;
    }
  }
}

std::vector<std::string> Models(const EvaluationRun& run) {
  std::set<std::string> models;
  for (const CaseResult& result : run.results) {
    const moderation::DecidedBy& by = result.verdict.decided_by;
    if (result.judged && !by.layer.empty()) {
      models.insert(by.layer + (by.model.empty() ? "" : " " + by.model) +
                    (by.model_hash.empty() ? "" : " " + by.model_hash));
    }
  }
  return {models.begin(), models.end()};
}

void AddNotes(const EvaluationRun& run, Report& report) {
  const auto note = [&report](bool when, std::string text) {
    if (when) {
      report.notes.push_back(std::move(text));
    }
  };
  const std::size_t negatives = report.cases - report.positives;
  const double alarms_max = report.options.ranking.false_alarm_rate_max;
  note(run.cancelled, "the run was cancelled: " + std::to_string(report.not_judged) +
                          " labelled cases were not judged");
  note(report.line_errors > 0, std::to_string(report.line_errors) +
                                   " lines of the data set could not be read and are not counted");
  note(report.unlabelled > 0,
       std::to_string(report.unlabelled) + " records have no known label and are in no figure");
  note(report.in_policy_examples > 0,
       std::to_string(report.in_policy_examples) +
           " cases stand in the policy's own examples: the judge has read their answer");
  note(report.scored < report.cases,
       std::to_string(report.cases - report.scored) +
           " cases have no usable score: rank figures leave them out");
  note(report.cases > 0 && report.positives == 0,
       "there is no violation among the cases: recall, F1 and rank figures are not defined");
  note(report.cases > 0 && negatives == 0,
       "there is no safe case: false alarms and ROC-AUC are not defined");
  note(negatives > 0 && static_cast<double>(negatives) * alarms_max < 1,
       "with " + std::to_string(negatives) +
           " safe cases the recall at few false alarms allows none at all");
  note(report.cases > 0 && report.cases < kFewCases,
       "only " + std::to_string(report.cases) + " cases: read the intervals, not the figures");
  note(report.answers.asked > report.answers.readable,
       std::to_string(report.answers.asked - report.answers.readable) +
           " answers of the model could not be read as a verdict");
  note(report.ranking.best_f1.has_value(),
       "the best-F1 threshold was chosen on these very cases: its F1 is optimistic");
}

}  // namespace

Report BuildReport(const moderation::Policy& policy, const Dataset& dataset,
                   const EvaluationRun& run, const ReportOptions& options) {
  CHECK(run.results.size() == dataset.records.size());
  Report report;
  report.policy = policy.Reference();
  report.policy_name = policy.name;
  report.policy_text = policy.text;
  report.thresholds = policy.thresholds;
  report.dataset_name = dataset.name;
  report.dataset_path = dataset.path;
  report.dataset_hash = dataset.hash;
  report.options = options;
  report.models = Models(run);
  report.records = dataset.records.size();
  report.line_errors = dataset.error_count;
  report.unlabelled = static_cast<std::size_t>(std::ranges::count_if(
      dataset.records, [](const Record& record) { return !record.expected.has_value(); }));
  report.in_policy_examples = CountInPolicyExamples(policy, dataset.records);

  const std::vector<Judged> cases = JudgedCases(dataset.records, run.results);
  report.cases = cases.size();
  report.not_judged = report.records - report.unlabelled - report.cases;
  report.positives = static_cast<std::size_t>(
      std::ranges::count_if(cases, [](const Judged& judged) { return judged.expected(); }));
  for (const Judged& judged : cases) {
    if (judged.outcome() == Outcome::kUndetermined) {
      ++report.undetermined_reasons[moderation::ToString(judged.result->verdict.reason)];
    }
  }
  MeasureDecisions(cases, options.bootstrap, report);
  if (!cases.empty()) {
    report.coverage =
        static_cast<double>(report.cases - report.undetermined) / static_cast<double>(report.cases);
  }
  MeasureScores(cases, options, report);
  report.rules = MeasureRules(cases);
  report.languages = MeasureGroups(cases, GroupKind::kLanguage);
  report.surfaces = MeasureGroups(cases, GroupKind::kSurface);
  report.tags = MeasureGroups(cases, GroupKind::kTag);
  report.errors = FindTellingErrors(cases, options.errors_max, options.excerpt_bytes_max);
  MeasureTimes(run, report);
  AddNotes(run, report);
  return report;
}

}  // namespace safeguard::eval
