// Multi-policy accuracy: an item counts only when the judgement agrees with the label under every
// policy (the definition of the gpt-oss-safeguard report, section 2).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/metrics.h"
#include "moderation/verdict.h"

namespace safeguard::eval {

// One item under one policy.
struct LabelJudgement {
  std::optional<bool> expected;  // empty: unknown
  moderation::Outcome judged = moderation::Outcome::kUndetermined;
};

struct LabelResult {
  std::string name;
  std::size_t unknown = 0;        // items whose label is not known: in no other figure
  std::size_t undetermined = 0;   // of the known ones
  Confusion decided{};            // over known labels that were decided
  Confusion with_undetermined{};  // undetermined counted as the wrong answer
};

struct ExactMatch {
  std::size_t items = 0;
  std::size_t complete = 0;     // items whose every label is known: only they can match
  std::size_t matches = 0;      // of those; an undetermined judgement never matches
  std::optional<double> share;  // matches / complete; not defined without complete items
  std::optional<Interval> interval;
  std::vector<LabelResult> labels;
  std::optional<double> macro_f1;  // mean over the labels whose F1 is defined; undetermined wrong
};

// items[i][l] is item i under names[l]. REQUIRES: every item has names.size() judgements.
ExactMatch MeasureExactMatch(std::span<const std::string> names,
                             std::span<const std::vector<LabelJudgement>> items,
                             const BootstrapOptions& bootstrap);

}  // namespace safeguard::eval
