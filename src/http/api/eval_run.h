// An evaluation that was asked for over HTTP, as the job queue keeps it: what the routes write and
// whoever works on it reads, and the other way round.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/verdict.h"

namespace safeguard::http {

inline constexpr const char* kEvalJob = "eval-run";
// Datasets and reports are shared by all who may write policies.
inline constexpr const char* kSharedOwner = "shared";
inline constexpr const char* kDatasetPurpose = "dataset";
inline constexpr const char* kReportPurpose = "eval_report";

struct EvalPolicy {
  moderation::PolicyReference policy;  // what its name meant when it was asked
  std::string text;                    // of one that is in no store
};

struct EvalRun {
  std::string dataset;  // a file's id
  std::string dataset_name;
  std::string asked_by;
  std::vector<EvalPolicy> policies;  // at least one
  std::size_t sample = 0;            // 0: all records
  std::uint64_t seed = 1;            // of the sample and of the intervals
};

// The payload of its job, and back (kCorruptFile).
std::string PayloadOf(const EvalRun& run);
Result<EvalRun> EvalRunOf(std::string_view payload);

// How far it is.
std::string EvalProgress(std::size_t done, std::size_t total);

// What came of it under one policy.
struct EvalReport {
  moderation::PolicyReference policy;
  std::size_t cases = 0;
  std::size_t undetermined = 0;
  std::optional<double> precision;
  std::optional<double> recall;
  std::optional<double> f1;
  std::string json_file;  // ids
  std::string html_file;
};

// The result of its job: the run, without texts, and its reports.
std::string ResultOf(const EvalRun& run, const std::vector<EvalReport>& reports);
// That of one that was cancelled when it was as far as `progress` says (EvalProgress(), or empty).
std::string CancelledResultOf(const EvalRun& run, const std::string& progress);

}  // namespace safeguard::http
