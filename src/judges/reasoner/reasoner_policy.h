// A policy made ready for the reasoner: its prompt as token ids, and what an answer may be.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/bpe.h"
#include "engine/generator.h"
#include "engine/grammar.h"
#include "judges/reasoner/answer_plan.h"
#include "judges/reasoner/labels.h"
#include "judges/reasoner/reasoner_judge.h"
#include "moderation/judge.h"

namespace safeguard::judges {

// What one prompt asks: of one policy, or of several at once.
struct Question {
  std::vector<std::uint32_t> prefix;  // ids up to the content, the same for every content
  AnswerPlan plan;
  std::shared_ptr<const engine::Grammar> grammar;  // null: the answer is free
  std::string owner;  // of the policies; prefixes are not shared between owners
};

Result<Question> MakeQuestion(const engine::Bpe& bpe, const ReasonerSettings& settings,
                              std::string policy_message, AnswerPlan plan);

class ReasonerPolicy final : public moderation::PreparedPolicy {
 public:
  // `owner`: who shares the prefix in the engine's cache; empty: all whose policies are nobody's.
  static Result<std::shared_ptr<const ReasonerPolicy>> Make(const engine::Bpe& bpe,
                                                            const ReasonerSettings& settings,
                                                            const moderation::Policy& policy,
                                                            const std::string& owner = {});

  [[nodiscard]] const moderation::Policy& policy() const override { return policy_; }
  [[nodiscard]] const AnswerLabels& labels() const { return labels_; }
  [[nodiscard]] const Question& question() const { return question_; }

 private:
  explicit ReasonerPolicy(moderation::Policy policy)
      : policy_(std::move(policy)), labels_(policy_) {}

  moderation::Policy policy_;
  AnswerLabels labels_;
  Question question_;
};

// The whole prompt for one content.
std::vector<std::uint32_t> MakePrompt(const engine::Bpe& bpe, const Question& question,
                                      const moderation::Content& content, bool instant);

// `shared`: tokens that the prompts of several policies begin with, worth keeping of themselves; 0:
// none.
engine::GenerationRequest MakeRequest(const ReasonerSettings& settings, const Question& question,
                                      std::vector<std::uint32_t> prompt, std::size_t shared = 0);

// One prompt about all of `policies`. REQUIRES: at least one.
Result<Question> MakeJointQuestion(const engine::Bpe& bpe, const ReasonerSettings& settings,
                                   const std::vector<const moderation::Policy*>& policies);

}  // namespace safeguard::judges
