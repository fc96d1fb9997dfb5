// What a change of a policy does: which contents get another verdict under the new version than
// under the old one, how many there are of each kind, and which tell most. Over all contents, or
// over a stratified sample with intervals (stratified_sample.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/dataset.h"
#include "eval/runner.h"
#include "eval/stratified_sample.h"
#include "moderation/judge.h"

namespace safeguard::eval {

// Strata for contents: the band of an earlier score under the old version, where there is one,
// crossed with language and surface, as far as `sample` judgements can fill them (about twenty
// each). Small languages and surfaces share a stratum. REQUIRES: scores is empty or one for each
// record.
std::vector<std::uint32_t> StratifyContents(std::span<const Record> records,
                                            std::span<const std::optional<double>> scores,
                                            std::size_t sample);

struct BlastOptions {
  std::size_t sample = 0;  // contents to judge; 0: all
  double confidence = 0.95;
  std::uint64_t seed = 1;
  std::size_t flips_max = 20;           // most telling ones
  std::size_t excerpt_bytes_max = 160;  // of their contents; 0: none
  RunOptions run{};
};

struct Flip {
  std::string name;  // of the record
  std::string language;
  std::string surface;
  std::string excerpt;
  moderation::Verdict before;
  moderation::Verdict after;
};

// Flips of one kind, or of one clause, language or surface.
struct FlipCount {
  std::string name;          // "safe to violation", "SP2.a", "en", "comment"
  std::size_t contents = 0;  // of a language or surface: how many there are; else of all
  std::size_t seen = 0;      // among those judged
  TotalEstimate flips{};     // among all
};

struct BlastRadius {
  std::size_t contents = 0;
  std::size_t judged = 0;  // under both versions
  std::size_t strata = 0;
  bool cancelled = false;  // the figures are not of a whole sample then
  double confidence = 0.95;
  FlipCount all;
  std::vector<FlipCount> kinds;      // those seen; most frequent first
  std::vector<FlipCount> clauses;    // cited by the verdict that is the violation
  std::vector<FlipCount> languages;  // all there are, most contents first
  std::vector<FlipCount> surfaces;
  std::vector<Flip> telling;
  double seconds = 0;  // in the judge
  moderation::TokenUsage tokens{};
};

// `policies` are the old and the new version, made ready by `judge`. `scores` as above.
Result<BlastRadius> MeasureBlastRadius(
    moderation::Judge& judge,
    std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
    std::span<const Record> records, std::span<const std::optional<double>> scores,
    const BlastOptions& options);

}  // namespace safeguard::eval
