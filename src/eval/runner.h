// Runs a judge over labelled records: one policy, several at once, or by cross-validation.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/dataset.h"
#include "moderation/judge.h"

namespace safeguard::eval {

struct Progress {
  std::size_t done = 0;
  std::size_t total = 0;
};

// What became of one record. `judged` is false for what cancellation left out. Together with the
// Record this is all that figures are made of; tokens are in verdict.tokens, the severity answered
// is SeverityOf(verdict.category). A run file (run_file.h) keeps both.
struct CaseResult {
  bool judged = false;
  moderation::Verdict verdict;
  // The verdict's own "total" time where it gives one, else its share of the batch's wall time.
  double latency_ms = 0;
  // Its share of the judge's wall time: of all cases together the time that the run took.
  double seconds = 0;
};

// One record with what was judged of it under each policy, in the order of the policies.
struct JudgedRecord {
  std::size_t index = 0;  // of the record
  std::vector<CaseResult> results;
};

// Remembers what was judged, so that a run that was stopped goes on where it was.
class RunJournal {
 public:
  virtual ~RunJournal() = default;
  // What is kept of record `index`; null when it is not judged yet.
  [[nodiscard]] virtual const JudgedRecord* Find(std::size_t index) const = 0;
  // After each batch, from the calling thread. A failure ends the run.
  virtual Status Keep(std::span<const JudgedRecord> batch) = 0;
};

struct RunOptions {
  std::size_t batch_size = 32;                    // contents given to the judge at once; at least 1
  std::function<void(const Progress&)> progress;  // after each batch, from the calling thread
  const std::atomic<bool>* cancel = nullptr;      // looked at between batches
  RunJournal* journal = nullptr;                  // none: nothing is kept
};

struct EvaluationRun {
  std::vector<CaseResult> results;  // results[i] is of records[i]
  bool cancelled = false;
  std::optional<Error> error;  // why the journal ended the run
  double seconds = 0;          // wall time in the judge, without preparation
};

// Judges every record, labelled or not. A judge that returns the wrong number of verdicts gives
// undetermined (internal_error) ones for that batch.
EvaluationRun RunEvaluation(moderation::Judge& judge,
                            const std::shared_ptr<const moderation::PreparedPolicy>& policy,
                            std::span<const Record> records, const RunOptions& options);

// The same for several policies at once: runs[p] is of policies[p]. All see the same batches.
// `seconds` is the time for all policies together.
std::vector<EvaluationRun> RunPolicies(
    moderation::Judge& judge,
    std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
    std::span<const Record> records, const RunOptions& options);

struct CrossValidationOptions {
  std::size_t folds = 5;  // at least 2
  std::uint64_t seed = 1;
};

struct CrossValidation {
  EvaluationRun run;               // each record judged by the judge that had not seen it
  std::vector<std::size_t> folds;  // folds[i]: the fold in which records[i] was scored
  std::size_t fold_count = 0;
};

// For each record its fold, 0 <= fold < options.folds. Records whose normalised text is the same
// share a fold; the folds have nearly as many violations, safe and unlabelled records each.
// Deterministic. Fails with fewer than 2 folds, or fewer different texts among the labelled records
// than folds.
Result<std::vector<std::size_t>> AssignFolds(std::span<const Record> records,
                                             const CrossValidationOptions& options);

// For each fold: prepares the policy with the labelled records of all other folds, then judges the
// fold. No verdict rests on the label of its own record or of a duplicate.
Result<CrossValidation> CrossValidate(moderation::Judge& judge, const moderation::Policy& policy,
                                      std::span<const Record> records,
                                      const CrossValidationOptions& options,
                                      const RunOptions& run_options);

// What makes two texts the same when data are split: letters without case (Latin, Greek, Cyrillic),
// digits and all other non-ASCII characters; ASCII punctuation and white space do not count. A text
// without any of them is itself.
std::string NormalText(const moderation::Content& content);

// Labelled records that stand, normalised, among the policy's own examples: a judge that reads the
// policy has seen their answer.
std::size_t CountInPolicyExamples(const moderation::Policy& policy,
                                  std::span<const Record> records);

}  // namespace safeguard::eval
