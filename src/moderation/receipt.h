// Receipt: one verdict with all that is needed to compute it again, as a JSON document that stands
// alone. It holds the content's hash, not the content: whoever checks it must have the content.
//
//   receipt    1
//   sequence, when
//   verdict    outcome, reason, score, category, rule_ids, layer, channel; path where there was one
//   content    hash: ContentHash(); id, surface, language
//   policy     id, version, hash
//   model      name, hash: SHA-256 of its weights
//   settings   prompt template, effort, sampling, calibration; hashes of the reasoner's token ids
//   setup      build, kernels, and the judge's options; null of a verdict from before receipts
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation {

inline constexpr std::size_t kReceiptBytesMax = std::size_t{1} << 20;

// Indented. The record's content and key are left out.
std::string ReceiptJson(const VerdictRecord& record);
// kInvalidInput: this is no receipt, or of a later form; says which field is at fault.
Result<VerdictRecord> ReceiptFromJson(std::string_view json);

// Settings and path: the setup, which many verdicts share, is left out.
std::string ProvenanceJson(const Provenance& provenance);
Result<Provenance> ProvenanceFromJson(std::string_view json);

struct ReceiptDifference {
  std::string what;  // "outcome", "score", "settings.effort", "build.commit", ...
  std::string then;
  std::string now;

  friend bool operator==(const ReceiptDifference&, const ReceiptDifference&) = default;
};

// Where the second verdict is another one than the first: everything but times, ids and setup.
// Scores are equal when they are the same number.
std::vector<ReceiptDifference> CompareVerdicts(const VerdictRecord& then, const VerdictRecord& now);
// Where the judges' setups differ, but for the options ("judge"): build and kernels.
// REQUIRES: each is a JSON object, as ReceiptFromJson() has seen to, or empty.
std::vector<ReceiptDifference> CompareSetups(const std::string& then, const std::string& now);

}  // namespace safeguard::moderation
