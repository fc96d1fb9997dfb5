#include "http/guard/judge_scorer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"

namespace safeguard::guard {
namespace {

using moderation::Outcome;
using moderation::Verdict;

int Rank(Outcome outcome) {
  return outcome == Outcome::kViolation ? 2 : outcome == Outcome::kUndetermined ? 1 : 0;
}

}  // namespace

const char* ToString(AskKind kind) {
  switch (kind) {
    case AskKind::kWindow:
      return "window";
    case AskKind::kPrefix:
      return "prefix";
    case AskKind::kWhole:
      break;
  }
  return "whole";
}

WindowScore Combine(const std::vector<Verdict>& verdicts) {
  WindowScore combined;
  if (verdicts.empty()) {
    return combined;
  }
  const auto worst = std::ranges::max_element(
      verdicts, {}, [](const Verdict& verdict) { return Rank(verdict.outcome); });
  combined.outcome = worst->outcome;
  combined.reason = worst->reason;
  combined.by = worst->decided_by.layer;  // nobody, where it was not judged
  combined.by += worst->decided_by.model.empty() ? "" : " " + worst->decided_by.model;
  combined.detail = worst->outcome == Outcome::kUndetermined ? worst->detail : worst->policy.id;
  for (const std::string& rule : worst->rule_ids) {
    combined.detail += " " + rule;
  }
  for (const Verdict& verdict : verdicts) {
    if (verdict.score) {
      combined.score = std::max(combined.score.value_or(0), *verdict.score);
    }
  }
  return combined;
}

JudgeScorer::JudgeScorer(moderation::Judge& judge, std::vector<Prepared> policies)
    : judge_(judge), policies_(std::move(policies)) {
  CHECK(!policies_.empty());
}

void JudgeScorer::Score(ScoreRequest request, Done done) {
  const moderation::Content content = moderation::Completion(std::move(request.text));
  done(request.id, Combine(judge_.Decide(policies_, std::span(&content, 1))));
}

}  // namespace safeguard::guard
