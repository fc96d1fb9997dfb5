#include "judges/screen/cross_policy.h"

#include "judges/screen_text.h"

namespace safeguard::judges {
namespace {

// A policy of more rules names the best of the first so many.
constexpr std::size_t kRuleBlocksMax = 200;
// The model's logit knows more than a few dozen cases can say: the layer bends it, and may move the
// line, but hardly turns it.
constexpr LogisticOptions kFit = {.weight_penalty = 0.3, .slope_penalty = 4.0, .bias_penalty = 0.1};

}  // namespace

void CrossPolicy::Learn(std::span<const UnitCase> cases, std::size_t hidden) {
  learned_ = FitCases(cases, hidden, kFit);
}

double CrossPolicy::Logit(std::span<const float> state, double logit) const {
  return learned_ ? judges::Logit(*learned_, state, logit) : logit;
}

const std::vector<RuleBlock>& CrossPolicy::RuleBlocks(PairReader& reader) const {
  std::call_once(rules_once_, [&] {
    const TokenCounter count_tokens = reader.token_counter();
    for (std::size_t r = 0; r < policy_.rules.size() && rules_.size() < kRuleBlocksMax; ++r) {
      if (policy_.rules[r].side == moderation::Side::kViolating) {
        rules_.push_back({r, reader.EncodePolicy(RuleScreenText(policy_, r, count_tokens,
                                                                reader.policy_tokens_max()))});
      }
    }
  });
  return rules_;
}

}  // namespace safeguard::judges
