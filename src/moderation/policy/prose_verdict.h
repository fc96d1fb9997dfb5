// Which side of the line a clause of prose puts content on: "we remove posts that ...", "... is off
// limits", "let it be". prose.cc says what the clause is about.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moderation/policy.h"

namespace safeguard::moderation::reading {

using WordList = std::vector<std::string>;

// Of a clause; those behind are not looked at.
inline constexpr std::size_t kProseWordsMax = 96;

// kNone where nothing is said. What stands in quotation marks does not count, nor the "no," of an
// answer. Of an order the first verdict counts, of an "if" the last.
Side ProseSide(std::string_view clause);

bool InList(std::span<const std::string_view> list, std::string_view word);
bool Negates(std::string_view word);
// Whether the phrase's words, one space apart, stand at `at`; "*" ends a stem.
bool StandsAt(const WordList& words, std::size_t at, std::string_view phrase);
bool HasPhrase(const WordList& words, std::span<const std::string_view> phrases);

}  // namespace safeguard::moderation::reading
