// What a run cost, by case.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "eval/runner.h"

namespace safeguard::eval {

struct MeanCost {
  std::size_t cases = 0;     // that were judged
  std::size_t counted = 0;   // of these, whose verdict says how many tokens it took
  double prompt_tokens = 0;  // each: mean over the counted cases, 0 without any
  double cached_tokens = 0;  // of the prompt's, taken from a shared prefix
  double reasoning_tokens = 0;
  double answer_tokens = 0;
  double seconds = 0;  // of the judge's wall time, mean over all judged cases
};

MeanCost MeanCostOf(std::span<const CaseResult> results);

}  // namespace safeguard::eval
