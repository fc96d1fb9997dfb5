#include "eval/cost.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "eval/intervals.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using moderation::UndeterminedReason;
using moderation::Verdict;

bool WritesAnswers(const Verdict& verdict) {
  const auto effort = verdict.decided_by.settings.find("effort");
  const bool instant = effort != verdict.decided_by.settings.end() && effort->second == "none";
  const std::string& layer = verdict.decided_by.layer;
  return (layer == "reasoner" || layer == "recorded") && !instant;
}

enum class Answer { kNone, kReadable, kUnreadable };

Answer AnswerOf(const Verdict& verdict) {
  if (!WritesAnswers(verdict)) {
    return Answer::kNone;
  }
  if (verdict.outcome != Outcome::kUndetermined) {
    return Answer::kReadable;
  }
  switch (verdict.reason) {
    case UndeterminedReason::kUncertain:  // it says that it does not know: that was read
      return Answer::kReadable;
    case UndeterminedReason::kUnreadableAnswer:
    case UndeterminedReason::kRefusal:
    case UndeterminedReason::kEchoedCue:
    case UndeterminedReason::kObeyedContent:
    case UndeterminedReason::kUnfinishedReasoning:
      return Answer::kUnreadable;
    default:
      return Answer::kNone;
  }
}

}  // namespace

std::optional<Spread> MeasureSpread(std::vector<double> values) {
  if (values.empty()) {
    return std::nullopt;
  }
  std::ranges::sort(values);
  const auto at = [&values](double share) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::max<std::size_t>(rank, 1) - 1];
  };
  Spread spread{.total = 0,
                .mean = 0,
                .p50 = at(0.5),
                .p95 = at(0.95),
                .p99 = at(0.99),
                .max = values.back()};
  for (const double value : values) {
    spread.total += value;
  }
  spread.mean = spread.total / static_cast<double>(values.size());
  return spread;
}

Cost MeasureCost(std::span<const CaseResult> results) {
  Cost cost;
  std::vector<double> seconds;
  std::vector<double> prompt;
  std::vector<double> cached;
  std::vector<double> reasoning;
  std::vector<double> answer;
  bool any_tokens = false;
  for (const CaseResult& result : results) {
    if (!result.judged) {
      continue;
    }
    const moderation::TokenUsage& tokens = result.verdict.tokens;
    any_tokens = any_tokens || tokens.prompt + tokens.reasoning + tokens.answer > 0;
    seconds.push_back(result.latency_ms / 1000);
    prompt.push_back(static_cast<double>(tokens.prompt));
    cached.push_back(static_cast<double>(tokens.cached));
    reasoning.push_back(static_cast<double>(tokens.reasoning));
    answer.push_back(static_cast<double>(tokens.answer));
  }
  cost.contents = seconds.size();
  cost.seconds = MeasureSpread(std::move(seconds));
  if (any_tokens) {
    cost.prompt_tokens = MeasureSpread(std::move(prompt));
    cost.cached_tokens = MeasureSpread(std::move(cached));
    cost.reasoning_tokens = MeasureSpread(std::move(reasoning));
    cost.answer_tokens = MeasureSpread(std::move(answer));
  }
  return cost;
}

AnswerFigures MeasureAnswers(std::span<const CaseResult> results) {
  AnswerFigures figures;
  for (const CaseResult& result : results) {
    const Answer answer = result.judged ? AnswerOf(result.verdict) : Answer::kNone;
    if (answer == Answer::kNone) {
      continue;
    }
    ++figures.asked;
    if (answer == Answer::kReadable) {
      ++figures.readable;
    } else {
      ++figures.unreadable[moderation::ToString(result.verdict.reason)];
    }
  }
  if (figures.asked > 0) {
    figures.parse_rate = static_cast<double>(figures.readable) / static_cast<double>(figures.asked);
    figures.interval = WilsonInterval(figures.readable, figures.asked);
  }
  return figures;
}

}  // namespace safeguard::eval
