// The `leet` view: digits and signs inside words, read as the letters they stand for.
#pragma once

#include "moderation/cascade/mapped_text.h"

namespace safeguard::moderation {

// Inside words of Latin letters: 0 o, 1 and | i or l, 3 e, 4 a, 5 s, 7 t; between letters also 2 z,
// 6 and 9 g, 8 b; @ a, $ s, ! i, + t, ( c, and the currency signs that look like letters.
// 1 and | are i, but l in a doubled one (ki11, k11l) and before a vowel that begins a word (1ove).
// Left alone: numbers, prices ($100, $5k), ordinals and units (1st, 5pm, 10k), numbered names
// (covid19, route66), addresses of mail and pages, handles (@name) unless short or oddly spelled
// (@ss, @sshole), hashes. Linear time.
std::optional<MappedText> UndoLeet(const MappedText& text);

}  // namespace safeguard::moderation
