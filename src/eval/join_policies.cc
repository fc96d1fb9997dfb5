#include "eval/join_policies.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using moderation::Verdict;

int Gravity(Outcome outcome) {
  switch (outcome) {
    case Outcome::kViolation:
      return 2;
    case Outcome::kUndetermined:
      return 1;
    case Outcome::kSafe:
      return 0;
  }
  return 1;
}

bool Graver(const Verdict& a, const Verdict& b) {
  const int ga = Gravity(a.outcome);
  const int gb = Gravity(b.outcome);
  return ga != gb ? ga > gb : a.score.value_or(-1) > b.score.value_or(-1);
}

moderation::TokenUsage Sum(const moderation::TokenUsage& a, const moderation::TokenUsage& b) {
  return {.prompt = a.prompt + b.prompt,
          .cached = a.cached + b.cached,
          .reasoning = a.reasoning + b.reasoning,
          .answer = a.answer + b.answer};
}

// Adds what another policy said about the same record.
void Join(CaseResult& so_far, CaseResult other) {
  const std::optional<double> score = std::max(so_far.verdict.score, other.verdict.score);
  const double latency_ms = std::max(so_far.latency_ms, other.latency_ms);
  const moderation::TokenUsage tokens = Sum(so_far.verdict.tokens, other.verdict.tokens);
  so_far.seconds += other.seconds;
  if (Graver(other.verdict, so_far.verdict)) {
    so_far.verdict = std::move(other.verdict);
  }
  so_far.verdict.score = score;
  so_far.verdict.tokens = tokens;
  so_far.latency_ms = latency_ms;
  so_far.judged = so_far.judged && other.judged;
}

}  // namespace

moderation::Policy JoinPolicies(std::span<const moderation::Policy> policies) {
  CHECK(!policies.empty());
  if (policies.size() == 1) {
    return policies.front();
  }
  moderation::Policy any;
  std::string hashes;
  for (const moderation::Policy& policy : policies) {
    any.id += (any.id.empty() ? "" : "+") + policy.id;
    any.version += (any.version.empty() ? "" : "+") + policy.version;
    hashes += policy.hash + "\n";
    any.examples.insert(any.examples.end(), policy.examples.begin(), policy.examples.end());
  }
  any.name = "any of " + std::to_string(policies.size()) + " policies";
  any.hash = Blake2bHex(hashes);
  return any;
}

EvaluationRun JoinRuns(std::vector<EvaluationRun> runs) {
  CHECK(!runs.empty());
  EvaluationRun any = std::move(runs.front());
  for (std::size_t p = 1; p < runs.size(); ++p) {
    CHECK(runs[p].results.size() == any.results.size());
    any.cancelled = any.cancelled || runs[p].cancelled;
    for (std::size_t i = 0; i < any.results.size(); ++i) {
      Join(any.results[i], std::move(runs[p].results[i]));
    }
  }
  return any;  // `seconds` of each run is already the time for all policies together
}

}  // namespace safeguard::eval
