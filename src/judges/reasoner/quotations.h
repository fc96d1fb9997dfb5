// Evidence from a rationale: the words of the content that it quotes.
#pragma once

#include <string_view>
#include <vector>

#include "moderation/content.h"
#include "moderation/verdict.h"

namespace safeguard::judges {

// The passages in quotation marks of at least 4 bytes that stand, letter by letter, in a message;
// each once, in the order of the rationale, at most 8.
std::vector<moderation::Evidence> QuotedEvidence(std::string_view rationale,
                                                 const moderation::Content& content);

}  // namespace safeguard::judges
