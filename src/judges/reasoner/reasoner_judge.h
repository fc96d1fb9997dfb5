// The reasoner over any generator: renders prompts, runs them in one batch, reads the answers.
#pragma once

#include <memory>
#include <string>

#include "engine/bpe.h"
#include "engine/generator.h"
#include "engine/harmony.h"
#include "engine/model_precision.h"
#include "judges/reasoner/answer_plan.h"
#include "judges/reasoner_judge.h"
#include "moderation/judge.h"

namespace safeguard::judges {

// ReasonerOptions with its words understood.
struct ReasonerSettings {
  ReasonerOptions options;
  engine::ReasoningEffort effort = engine::ReasoningEffort::kLow;
  AnswerForm form = AnswerForm::kPolicy;
  engine::PolicyPlacement placement = engine::PolicyPlacement::kDeveloper;
  engine::DraftSettings::Mode drafts = engine::DraftSettings::Mode::kAuto;
  engine::ModelPrecision precision = engine::ModelPrecision::kInt16;  // definite
  std::size_t context_max = 131'072;                                  // positions of the model
};

// kInvalidInput, naming the option and its choices.
Result<ReasonerSettings> UnderstandOptions(const ReasonerOptions& options);

// `generator` and `bpe` must outlive the judge. `model` goes into every verdict. Thread-safe as
// the generator is.
std::unique_ptr<moderation::Judge> MakeReasonerJudge(engine::Generator& generator,
                                                     const engine::Bpe& bpe,
                                                     moderation::DecidedBy model,
                                                     const ReasonerSettings& settings);

}  // namespace safeguard::judges
