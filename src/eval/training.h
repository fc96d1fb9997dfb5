// What stands between labels and a classifier that may be relied on: clean labels, parts that share
// no text, the better candidate by validation, calibrated probabilities with a threshold and an
// uncertain band from the validation side, figures on a test side that nothing was chosen by, and
// how they grow with the labels. Knows no classifier: what learns is given.
//
// Deterministic for a seed. Used by one thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/bootstrap.h"
#include "eval/dataset.h"
#include "eval/metrics.h"
#include "moderation/calibration.h"

namespace safeguard::eval {

// Of each side. Fewer do not fill five folds.
inline constexpr std::size_t kTrainingClassMin = 25;
inline constexpr std::size_t kTrainingRecordsMax = 500'000;
inline constexpr std::size_t kTrainingTextBytesMax = std::size_t{2} << 30;  // of all texts
// Above this many records one fold of five is validated on, not all five in turn, when it has so
// many of each side.
inline constexpr std::size_t kCrossValidatedMax = 5'000;
inline constexpr std::size_t kOneFoldClassMin = 100;

struct CleanedLabels {
  std::vector<Record> records;  // labelled, each normalised text (NormalText) once
  std::size_t unlabelled = 0;
  std::size_t repeated = 0;     // left out: the same text with the same label
  std::size_t conflicting = 0;  // records left out because their text has both labels
  // Names (RecordName) of the first records of the first conflicts, two of each.
  std::vector<std::pair<std::string, std::string>> conflicts;
};

CleanedLabels CleanLabels(std::vector<Record> records);

// At least kTrainingClassMin of each side, at most kTrainingRecordsMax. Errors say what there is.
Status CheckTrainable(std::span<const Record> records);

// Takes the records out whose text is among `test`; returns how many.
std::size_t RemoveTestTexts(std::span<const Record> test, std::vector<Record>& records);

struct TrainingSplit {
  std::vector<std::size_t> train;
  std::vector<std::size_t> test;      // empty when the test set is another file
  std::vector<std::size_t> fold;      // of train[i], 0..4
  std::vector<std::size_t> validate;  // the folds that are validated on: all five, or fold 0
};

// Stratified, by normalised text. `hold_out`: a fifth becomes the test side.
Result<TrainingSplit> SplitForTraining(std::span<const Record> records, bool hold_out,
                                       std::uint64_t seed);

// Something that learns from some records and scores others.
class Candidate {
 public:
  virtual ~Candidate() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  // Raw scores 0..1 of `score`, one each; nothing where there was nothing to read.
  virtual Result<std::vector<std::optional<double>>> LearnAndScore(
      std::span<const std::size_t> train, std::span<const std::size_t> score) = 0;
};

struct Validation {
  std::string name;
  std::vector<Scored> scored;  // records[scored_records[i]]; unread ones score 0
  std::optional<double> average_precision;
  std::optional<Interval> average_precision_interval;
  std::optional<double> roc_auc;
  double seconds = 0;
};

struct Selection {
  std::vector<std::size_t> validated;  // the records, in the order of Validation::scored
  std::vector<Validation> candidates;
  std::size_t winner = 0;
  // Average precision of the winner minus that of the best other one; paired bootstrap.
  std::optional<double> lead;
  std::optional<Interval> lead_interval;
};

// Every candidate learns the same folds and scores the same records. The higher average precision
// wins; a tie goes to the earlier one.
Result<Selection> SelectCandidate(std::span<Candidate* const> candidates,
                                  std::span<const Record> records, const TrainingSplit& split,
                                  const BootstrapOptions& bootstrap);

// Below `safe` at most `miss_rate` of violations, at or above `violation` at most `alarm_rate` of
// safe texts, each with `confidence` (FitMissBound, on both sides). Probabilities.
struct DecisionBand {
  double safe = 0;
  double violation = 1;
  double miss_rate = 0.05;
  double alarm_rate = 0.01;
  double confidence = 0.9;
};

struct Decision {
  moderation::ScoreMap map;
  // A probability: that of the highest F1 on the validated records.
  double threshold = 0.5;
  std::optional<DecisionBand> band;
  std::string why_no_band;
  double error_raw = 0;  // expected calibration errors, of equal mass
  double error_calibrated = 0;
  double error_by_chance = 0;
};

struct DecisionOptions {
  double miss_rate = 0.05;
  double alarm_rate = 0.01;
  double confidence = 0.9;
};

// From validated scores alone; folds[i] as in TrainingSplit, of scored[i].
Result<Decision> FitDecision(std::span<const Scored> scored, std::span<const std::size_t> folds,
                             const DecisionOptions& options);

struct Figure {
  std::optional<double> value;
  std::optional<Interval> interval;
};

struct TestFigures {
  Confusion counts;
  Figure precision;
  Figure recall;
  Figure f1;
  Figure roc_auc;
  Figure average_precision;
  Figure recall_at_1_percent;  // false alarms
  std::optional<double> calibration_error;
};

// `probabilities[i]` (nothing: unread, counts as no violation and score 0) against `positive[i]`.
TestFigures MeasureTest(std::span<const std::optional<double>> probabilities,
                        const std::vector<bool>& positive, double threshold,
                        const BootstrapOptions& bootstrap);

// F1 of the first minus F1 of the second decision on the same records, with its paired interval.
Figure F1Difference(const std::vector<bool>& first, const std::vector<bool>& second,
                    const std::vector<bool>& positive, const BootstrapOptions& bootstrap);

struct LearningPoint {
  double share = 0;  // of the training side
  std::size_t learned = 0;
  std::size_t positives = 0;
  Figure f1;
  Figure roc_auc;
};

// Learns 10, 30 and 100 % of the training side without its fold 0, takes the threshold from the
// fold 0 of that share, and measures on `test`. Shares are nested. A share with fewer than two
// records of a side on either part is left out.
Result<std::vector<LearningPoint>> LearningCurve(Candidate& candidate,
                                                 std::span<const Record> records,
                                                 const TrainingSplit& split,
                                                 std::span<const std::size_t> test,
                                                 const BootstrapOptions& bootstrap);

// Labels that came from a judge against labels of people, or of another version, over the same
// texts: 1 is a violation.
struct LabelAgreement {
  std::size_t both = 0;  // texts that have a label of both
  std::size_t same = 0;
  std::optional<double> kappa;
};
LabelAgreement AgreementOn(std::span<const Record> a, std::span<const Record> b);

}  // namespace safeguard::eval
