// The `reversed` and `rot13` views: lines that read only the other way round, or with their letters
// moved by thirteen.
#pragma once

#include <span>

#include "moderation/cascade/mapped_text.h"

namespace safeguard::moderation {

// The ranges of the original that a right-to-left override (U+202E) shows backwards: each from the
// override to its pop, the end of the line or of the text.
std::vector<ByteRange> OverriddenRanges(std::string_view original);

// Turns round what comes from the `overridden` ranges of the original (as a reader sees it), and
// lines, or else clauses, of which more familiar words read backwards than forwards, at least two.
// The mapping of a turned part runs backwards.
std::optional<MappedText> TurnBackward(const MappedText& text,
                                       std::span<const ByteRange> overridden);

// Moves the Latin letters of lines, or else clauses, that look rotated, by thirteen places.
std::optional<MappedText> UndoRot13(const MappedText& text);

}  // namespace safeguard::moderation
