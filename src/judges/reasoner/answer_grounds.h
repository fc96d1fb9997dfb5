// The grounds of an answer: which rules of the policy it cites.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "judges/reasoner/answer.h"

namespace safeguard::judges {

// Takes `cited` (a rule, a level, either with a "D-" or "R-" before it or text after it) into the
// reading: as the policy spells it, once; what the policy does not have becomes a note.
void Cite(const moderation::Policy& policy, std::string_view cited, AnswerReading& reading);

// Rule ids of the policy that stand in `text` as words.
void CiteFromText(const moderation::Policy& policy, std::string_view text, AnswerReading& reading);

// Whether any, and whether only, rules of `side` are cited.
bool CitesSide(const moderation::Policy& policy, const AnswerReading& reading,
               moderation::Side side);

}  // namespace safeguard::judges
