// FinishingJudge: the reasoners of a cascade as a judge of their own, for whoever has the cascade's
// answer and must know better: it was undetermined, and somebody waits.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "moderation/cascade.h"
#include "moderation/judge.h"

namespace safeguard::moderation {

// Judges by Cascade::Finish: without the screen, within the budget of compute, with the time that
// the route has for finishing. Takes what that cascade has prepared. Thread-safe.
class FinishingJudge final : public Judge {
 public:
  // `cascade` outlives it. REQUIRES: its route has a reasoner.
  explicit FinishingJudge(Cascade& cascade);

  Result<std::shared_ptr<const PreparedPolicy>> Prepare(
      const Policy& policy, std::span<const GoldenCase> golden) override;
  Result<std::shared_ptr<const PreparedPolicy>> PrepareFor(const Policy& policy,
                                                           std::span<const GoldenCase> golden,
                                                           const std::string& owner) override;
  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override;
  std::vector<Verdict> DecideUntil(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                                   std::span<const Content> contents,
                                   const StopSignal& stop) override;

 private:
  Cascade& cascade_;
};

}  // namespace safeguard::moderation
