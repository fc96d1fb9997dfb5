// How an answer that nothing constrained kept to the format that its policy asks for.
#pragma once

#include <string_view>

#include "judges/reasoner/answer.h"
#include "judges/reasoner/labels.h"
#include "moderation/policy.h"
#include "moderation/verdict.h"

namespace safeguard::judges {

// What the policy asks for is what PlanAnswer takes from its text (answer_plan.h): one of its
// labels and nothing else, or one JSON object with the fields it names. `reading` is of the same
// answer.
moderation::Adherence CheckAdherence(const moderation::Policy& policy, const AnswerLabels& labels,
                                     std::string_view final_text, const AnswerReading& reading);

}  // namespace safeguard::judges
