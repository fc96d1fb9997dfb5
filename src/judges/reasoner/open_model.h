// Opens the reasoner's model as its options ask.
#pragma once

#include <memory>

#include "base/result.h"
#include "engine/language_model.h"
#include "judges/reasoner/reasoner_judge.h"

namespace safeguard::judges {

// Sets settings.context_max.
Result<std::unique_ptr<engine::LanguageModel>> OpenModel(ReasonerSettings& settings);

}  // namespace safeguard::judges
