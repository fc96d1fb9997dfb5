#include "eval/deciders.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"

namespace safeguard::eval {
namespace {

std::string NameOf(const moderation::Verdict& verdict) {
  if (verdict.outcome == moderation::Outcome::kUndetermined) {
    return "nobody";
  }
  const auto reasoner = verdict.decided_by.settings.find("reasoner");
  return reasoner != verdict.decided_by.settings.end() ? reasoner->second
                                                       : verdict.decided_by.layer;
}

}  // namespace

std::vector<Decider> MeasureDeciders(std::span<const Record> records,
                                     std::span<const CaseResult> results) {
  CHECK(records.size() == results.size());
  std::map<std::string, Decider> by_name;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const CaseResult& result = results[i];
    if (!result.judged) {
      continue;
    }
    const moderation::Verdict& verdict = result.verdict;
    Decider& decider = by_name[NameOf(verdict)];
    ++decider.verdicts;
    decider.violations += verdict.outcome == moderation::Outcome::kViolation ? 1 : 0;
    decider.safe += verdict.outcome == moderation::Outcome::kSafe ? 1 : 0;
    decider.labelled += records[i].expected ? 1 : 0;
    decider.right += records[i].expected == verdict.outcome ? 1 : 0;
    decider.tokens += static_cast<double>(verdict.tokens.prompt + verdict.tokens.reasoning +
                                          verdict.tokens.answer);
    decider.ms += result.latency_ms;
  }
  std::vector<Decider> deciders;
  for (auto& [name, decider] : by_name) {
    decider.name = name;
    deciders.push_back(std::move(decider));
  }
  std::ranges::stable_sort(deciders, std::greater<>(), &Decider::verdicts);
  return deciders;
}

}  // namespace safeguard::eval
