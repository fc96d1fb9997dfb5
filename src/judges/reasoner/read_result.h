// What a generator gave back, as a verdict.
#pragma once

#include "engine/bpe.h"
#include "engine/generator.h"
#include "judges/reasoner/answer_plan.h"
#include "judges/reasoner/labels.h"
#include "moderation/content.h"
#include "moderation/policy.h"
#include "moderation/verdict.h"

namespace safeguard::judges {

// The text of an answer, in its channels.
struct AnswerText {
  std::string reasoning;  // everything before the final message
  std::string final;
};
AnswerText ReadChannels(const engine::Bpe& bpe, const engine::GenerationResult& result);

struct ResultReader {
  const engine::Bpe& bpe;
  const moderation::Policy& policy;
  const AnswerLabels& labels;
  const AnswerPlan& plan;
  bool joint = false;  // the answer is about several policies

  // An answer that did not come to its end is undetermined, whatever stands in it so far.
  [[nodiscard]] moderation::Verdict Read(const engine::GenerationResult& result,
                                         const moderation::Content& content) const;
};

}  // namespace safeguard::judges
