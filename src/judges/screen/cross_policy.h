// A policy as the trained screen sees it: its block, a logistic layer where cases were given, and
// blocks of its rules, made when first asked for.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/pair_encoder.h"
#include "judges/screen/fit_cases.h"
#include "judges/screen/logistic.h"
#include "judges/screen/pair_reader.h"
#include "judges/screen/screen.h"

namespace safeguard::judges {

// A violating rule alone.
struct RuleBlock {
  std::size_t rule = 0;  // index into Policy::rules
  std::shared_ptr<const engine::PolicyBlock> block;
};

class CrossPolicy : public ScreenPolicy {
 public:
  CrossPolicy(moderation::Policy policy, std::shared_ptr<const engine::PolicyBlock> block)
      : policy_(std::move(policy)), block_(std::move(block)) {}

  // Fits the logistic layer on states and logits; without cases of both sides it stays as it was.
  void Learn(std::span<const UnitCase> cases, std::size_t hidden);

  [[nodiscard]] const moderation::Policy& policy() const override { return policy_; }
  [[nodiscard]] const engine::PolicyBlock& block() const { return *block_; }
  [[nodiscard]] bool learned() const { return learned_.has_value(); }
  // Of a state of length 1 and the model's logit. `state` may be empty when nothing was learned.
  [[nodiscard]] double Logit(std::span<const float> state, double logit) const;

  // The violating rules' own blocks; the first call, from whichever thread, encodes them.
  const std::vector<RuleBlock>& RuleBlocks(PairReader& reader) const;

 private:
  moderation::Policy policy_;
  std::shared_ptr<const engine::PolicyBlock> block_;
  std::optional<LogisticModel> learned_;
  mutable std::once_flag rules_once_;
  mutable std::vector<RuleBlock> rules_;  // written once, under rules_once_
};

}  // namespace safeguard::judges
