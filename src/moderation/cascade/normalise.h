// The `normalised` view: text as its reader sees it, in plain letters.
#pragma once

#include <optional>

#include "moderation/cascade/mapped_text.h"

namespace safeguard::moderation {

// All stages below, repeated until nothing changes (a few rounds at most), or nothing when `text`
// is in plain letters already.
std::optional<MappedText> Normalise(const MappedText& text);

// Drops what is not drawn: controls, zero-width and bidi characters, soft hyphens, tag characters,
// variation selectors. Kept where they are spelling or choose a picture: joiners in Arabic, Indic
// and like scripts and inside emoji, selectors after emoji, Han and Mongolian, tags in flags.
// Blank letters (U+3164, U+FFA0, U+2800) become a space.
std::optional<MappedText> DropUndrawn(const MappedText& text);

// Writes letters in another dress (fullwidth, mathematical, circled, squared, small capital,
// regional indicator, ligature) as plain letters, by NFKC where Unicode has a mapping. Signs,
// spaces, fractions, CJK punctuation and other typography of honest text stay.
std::optional<MappedText> UndressLetters(const MappedText& text);

// Composes letters with their marks (NFC), and takes all marks from a letter that carries more than
// two of those that fit any script, and strike-through and underlining from Latin letters.
std::optional<MappedText> ComposeMarks(const MappedText& text);

// Writes words that mix Latin letters with look-alikes of other scripts, and words of nothing but
// look-alikes, in Latin letters (Unicode TS 39). A word of look-alikes of one script stays when the
// nearest unambiguous word on either side is of that script: honest Russian keeps its "рос".
std::optional<MappedText> ResolveLookalikes(const MappedText& text);

}  // namespace safeguard::moderation
