#include "eval/mean_cost.h"

#include <algorithm>

namespace safeguard::eval {

MeanCost MeanCostOf(std::span<const CaseResult> results) {
  MeanCost cost;
  for (const CaseResult& result : results) {
    if (!result.judged) {
      continue;
    }
    ++cost.cases;
    cost.seconds += result.seconds;
    const moderation::TokenUsage& tokens = result.verdict.tokens;
    if (tokens.prompt + tokens.reasoning + tokens.answer > 0) {
      ++cost.counted;
      cost.prompt_tokens += static_cast<double>(tokens.prompt);
      cost.cached_tokens += static_cast<double>(tokens.cached);
      cost.reasoning_tokens += static_cast<double>(tokens.reasoning);
      cost.answer_tokens += static_cast<double>(tokens.answer);
    }
  }
  const auto counted = static_cast<double>(std::max<std::size_t>(cost.counted, 1));
  cost.seconds /= static_cast<double>(std::max<std::size_t>(cost.cases, 1));
  cost.prompt_tokens /= counted;
  cost.cached_tokens /= counted;
  cost.reasoning_tokens /= counted;
  cost.answer_tokens /= counted;
  return cost;
}

}  // namespace safeguard::eval
