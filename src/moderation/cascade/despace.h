// The `despaced` view: letters set apart are put together again.
#pragma once

#include "moderation/cascade/mapped_text.h"

namespace safeguard::moderation {

// Joins runs of at least three single letters (digits and @ $ ! among them stand for letters) that
// stand apart by the same separator, of one to three characters that are neither letters nor
// digits: "f r e e", "k.i.l.l", "b - u - y". Two and more separators in a row are a gap between
// words and become one space. "a, b, c" stays. Nothing when there is no such run. Linear time.
std::optional<MappedText> Despace(const MappedText& text);

}  // namespace safeguard::moderation
