// Run files: an evaluation as it was judged, one JSON object a line, so that it goes on after being
// killed, is scored again without judging again, and is compared with another.
//
// The first line is the header: what fixes every answer (hashes of the policies, the data, the
// model and its settings, the seed, the program's version). Then one line for each record, written
// whole and brought to the disk batch by batch: what the data say of it (labels, never the content:
// its hash stands for it), and one verdict for each policy. A last line cut short by a kill is cut
// off and its record judged again; nothing is judged twice and nothing is lost.
//
// docs/evaluation.md lists the fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/benchmark_sets.h"
#include "eval/runner.h"
#include "moderation/policy.h"

namespace safeguard::eval {

inline constexpr int kRunFormat = 1;

struct RunPolicy {
  std::string id;
  std::string name;
  std::string version;
  std::string hash;
  std::string label;   // of the data, in a multi-label run; else empty
  std::string golden;  // hash of the labelled cases that the judge learned from; empty: none
  std::optional<moderation::Thresholds> thresholds;
};

struct RunHeader {
  std::string tool;  // "safeguard 0.1.0 (...)"
  std::string dataset_name;
  std::string dataset_path;  // where it was: not compared when a run goes on
  std::string dataset_hash;
  std::string dataset_mapping;      // how fields and labels were read, as one text
  std::size_t records = 0;          // in the run, after sampling
  std::size_t line_errors = 0;      // lines that could not be read
  std::size_t sample = 0;           // 0: all records
  std::uint64_t seed = 1;           // of sampling, folds and bootstrap
  std::size_t folds = 0;            // 0: no cross-validation
  std::string judge;                // "screen", "reasoner", "recorded"
  std::string judge_identity;       // hash of model, template and settings
  std::string prompting;            // "separate", "joint"
  std::vector<RunPolicy> policies;  // at least one
  std::vector<std::string> notes;   // what a reader must know, e.g. what the judge learned from
};

// The header of a run over these. `judge*`, `prompting`, `tool` and the notes are the caller's.
RunHeader MakeHeader(const Dataset& dataset, std::span<const moderation::Policy> policies);

// BLAKE2b of kind, roles and texts.
std::string ContentHash(const moderation::Content& content);

// A line of the file. The record's content holds id, surface and language, but no message.
struct RunCase {
  Record record;
  std::string content_hash;
  JudgedRecord judged;
};

struct RecordedRun {
  std::string path;
  RunHeader header;
  std::vector<RunCase> cases;  // in order of their index in the data

  // All judged: as many as the header says.
  [[nodiscard]] bool complete() const { return cases.size() == header.records; }
};

// Fails when it is no run file, of a newer format, or damaged before its last line (the message
// names the line). A last line cut short is left out.
Result<RecordedRun> ReadRun(const std::string& path);

// Writes while a run goes on. Not thread-safe.
class RunWriter : public RunJournal {
 public:
  // Begins the file, or goes on with one of the same header. Fails when another process writes it,
  // when something else is there, and when the header differs (the message names what does);
  // `restart` begins again over a run file. `records` are those of the run and must outlive it;
  // what is kept of a record that is not this one any more is an error.
  static Result<std::unique_ptr<RunWriter>> Open(const std::string& path, const RunHeader& header,
                                                 std::span<const Record> records, bool restart);
  // Of these records, judged before.
  [[nodiscard]] virtual std::size_t restored() const = 0;
};

// A recorded run as the parts that reports are made of: the data without their contents, and the
// results of policy `policy`.
struct RestoredRun {
  moderation::Policy policy;  // id, name, version, hash and thresholds alone
  Dataset dataset;
  EvaluationRun run;
};
// REQUIRES: policy < run.header.policies.size().
RestoredRun Restore(const RecordedRun& run, std::size_t policy);

// The outcomes as they are at another threshold: with a score a violation at or above it, else safe
// and then without category and rules; verdicts without a score stay as they are.
// REQUIRES: 0 <= threshold <= 1.
void ApplyThreshold(double threshold, RecordedRun& run);

}  // namespace safeguard::eval
