#include "moderation/finishing_judge.h"

#include "base/check.h"

namespace safeguard::moderation {

FinishingJudge::FinishingJudge(Cascade& cascade) : cascade_(cascade) {
  CHECK(!cascade.route().reasoners.empty());
}

Result<std::shared_ptr<const PreparedPolicy>> FinishingJudge::Prepare(
    const Policy& policy, std::span<const GoldenCase> golden) {
  return cascade_.Prepare(policy, golden);
}

Result<std::shared_ptr<const PreparedPolicy>> FinishingJudge::PrepareFor(
    const Policy& policy, std::span<const GoldenCase> golden, const std::string& owner) {
  return cascade_.PrepareFor(policy, golden, owner);
}

std::vector<Verdict> FinishingJudge::Decide(
    std::span<const std::shared_ptr<const PreparedPolicy>> policies,
    std::span<const Content> contents) {
  return DecideUntil(policies, contents, [] { return false; });
}

std::vector<Verdict> FinishingJudge::DecideUntil(
    std::span<const std::shared_ptr<const PreparedPolicy>> policies,
    std::span<const Content> contents, const StopSignal& stop) {
  std::vector<Verdict> verdicts;
  for (const Content& content : contents) {
    for (const auto& policy : policies) {
      const PolicyReference reference = policy->policy().Reference();
      if (stop()) {
        verdicts.push_back(Undetermined(reference, UndeterminedReason::kTimeout,
                                        "nobody waits for the reasoner any more"));
        continue;
      }
      DeferredItem item;
      item.route = cascade_.route().name;
      item.content = content;
      item.policy = reference;
      item.provisional =
          Undetermined(reference, UndeterminedReason::kTimeout, "the cascade has not decided");
      item.reason = DeferReason::kLatency;
      verdicts.push_back(cascade_.Finish(policy, item));
    }
  }
  return verdicts;
}

}  // namespace safeguard::moderation
