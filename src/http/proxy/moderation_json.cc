#include "http/proxy/moderation_json.h"

#include <algorithm>
#include <utility>

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Outcome;
using moderation::Verdict;

int Rank(Outcome outcome) {
  return outcome == Outcome::kViolation ? 2 : outcome == Outcome::kUndetermined ? 1 : 0;
}

}  // namespace

void SideVerdicts::Add(const JudgeAnswer& answer) {
  for (const Verdict& verdict : answer.verdicts) {
    const auto seen = std::ranges::find_if(
        verdicts_, [&](const Verdict& other) { return other.policy.id == verdict.policy.id; });
    if (seen == verdicts_.end()) {
      verdicts_.push_back(verdict);
    } else if (std::pair(Rank(verdict.outcome), verdict.score.value_or(0)) >
               std::pair(Rank(seen->outcome), seen->score.value_or(0))) {
      *seen = verdict;
    }
  }
}

Outcome SideVerdicts::outcome() const {
  if (verdicts_.empty()) {
    return Outcome::kUndetermined;
  }
  Outcome worst = failed_ ? Outcome::kUndetermined : Outcome::kSafe;
  for (const Verdict& verdict : verdicts_) {
    worst = Rank(verdict.outcome) > Rank(worst) ? verdict.outcome : worst;
  }
  return worst;
}

std::string SideVerdicts::Word() const {
  return empty() ? "not-judged" : moderation::ToString(outcome());
}

Json SideVerdicts::ToJson(guard::WireFormat format, const std::string& model) const {
  if (outcome() == Outcome::kUndetermined) {
    std::string why = failed_.value_or(empty() ? "nothing was judged" : "");
    for (const Verdict& verdict : verdicts_) {
      if (verdict.outcome == Outcome::kUndetermined && why.empty()) {
        why = verdict.policy.id + ": " + verdict.detail;
      }
    }
    return {{"type", "error"}, {"code", "undetermined"}, {"message", why}};
  }
  Json result = {{"flagged", outcome() == Outcome::kViolation}};
  result["categories"] = Json::object();
  result["category_scores"] = Json::object();
  result["category_applied_input_types"] = Json::object();
  for (const Verdict& verdict : verdicts_) {
    const bool flagged = verdict.outcome == Outcome::kViolation;
    result["categories"][verdict.policy.id] = flagged;
    result["category_scores"][verdict.policy.id] = verdict.score.value_or(flagged ? 1.0 : 0.0);
    result["category_applied_input_types"][verdict.policy.id] = Json::array({"text"});
  }
  if (format == guard::WireFormat::kOpenAiResponses) {
    Json json = {{"type", "moderation_result"}, {"model", model}};
    json.update(result);
    return json;
  }
  return {{"type", "moderation_results"}, {"model", model}, {"results", Json::array({result})}};
}

}  // namespace safeguard::http
