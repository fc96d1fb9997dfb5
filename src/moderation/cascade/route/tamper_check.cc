// Content that addresses the judge: judged as it is, fenced, and with a known violation appended.
#include "moderation/cascade/route/fence.h"
#include "moderation/cascade/route/request.h"

namespace safeguard::moderation::route {

// The first known violation that this reasoner flags when it stands alone; found once a policy and
// reasoner. Empty when there is none, or when the time was too short to find out.
std::optional<std::string> Request::CanaryFor(const Case& each, std::size_t rung) {
  if (std::optional<std::string> known = each.policy->Canary(rung)) {
    return known;
  }
  const std::vector<std::string>& candidates = each.policy->known_violations();
  if (candidates.empty()) {
    return std::nullopt;
  }
  CallRequest request;
  request.judge = core_.parts.reasoners[rung];
  request.policies = {each.policy->reasoners[rung]};
  for (const std::string& text : candidates) {
    request.contents.push_back(UserMessage(text));
  }
  EffortGrant spent{EffortGrant::Answer::kGranted, 0, 0};
  const double expected = core_.governor->CostOf(rung, core_.route.reasoners[rung].tokens);
  request.on_end = [spent, rung, expected, governor = core_.governor](
                       const std::vector<std::vector<Verdict>>& draws, Duration) {
    double tokens = 0;
    for (const std::vector<Verdict>& draw : draws) {
      for (const Verdict& verdict : draw) {
        tokens += TokensOf(verdict, expected);
      }
    }
    governor->Settle(spent, rung, tokens, Duration{-1});
  };
  const Call call = CallWithin(core_, LeftForReasoner(candidates.size()), std::move(request));
  for (std::size_t i = 0; i < call.verdicts.size(); ++i) {
    if (call.verdicts[i].outcome == Outcome::kViolation) {
      each.policy->KeepCanary(rung, candidates[i]);
      return candidates[i];
    }
  }
  return std::nullopt;
}

// verdicts: of the content as it is, fenced, and forked with a known violation.
Verdict Request::StandUp(const Case& each, std::vector<Verdict> verdicts, bool forked) const {
  Verdict& plain = verdicts[0];
  Verdict& fenced = verdicts[1];
  TokenUsage tokens;
  for (const Verdict& verdict : verdicts) {
    tokens.prompt += verdict.tokens.prompt;
    tokens.cached += verdict.tokens.cached;
    tokens.reasoning += verdict.tokens.reasoning;
    tokens.answer += verdict.tokens.answer;
  }
  const auto tampered = [&](const std::string& detail) {
    core_.Count("judge_tampering");
    Verdict verdict = Undetermined(plain.policy, UndeterminedReason::kJudgeTampering, detail);
    verdict.decided_by = plain.decided_by;
    verdict.tokens = tokens;
    return verdict;
  };
  Unfence(*each.content, fenced);
  if (forked && verdicts[2].outcome != Outcome::kViolation) {
    // A violation found all the same is not what the content wanted to hear.
    if (plain.outcome == Outcome::kViolation && fenced.outcome == Outcome::kViolation) {
      plain.tokens = tokens;
      return plain;
    }
    return tampered(
        "the content addresses the judge, and with a known violation appended the judge let it "
        "pass; let a person decide");
  }
  if (plain.outcome == Outcome::kViolation && fenced.outcome == Outcome::kViolation) {
    plain.tokens = tokens;
    return plain;
  }
  if (fenced.outcome == Outcome::kViolation) {
    fenced.tokens = tokens;
    fenced.notes.push_back("judged fenced: the content addresses the judge");
    return fenced;
  }
  if (plain.outcome != Outcome::kSafe || fenced.outcome != Outcome::kSafe) {
    return tampered(
        "the content addresses the judge, who answers otherwise when it is fenced; let a person "
        "decide");
  }
  if (!forked && core_.route.need_canary) {
    return tampered(
        "the content addresses the judge, and the policy shows no violation that the judge could "
        "be checked with; add an example that violates it");
  }
  plain.tokens = tokens;
  plain.notes.push_back(
      forked ? "the content addresses the judge; fenced and with a known violation appended it was "
               "judged as it should"
             : "the content addresses the judge; fenced it was judged alike");
  return plain;
}

}  // namespace safeguard::moderation::route
