// The `tags` view: messages in characters that no reader sees but a language model reads.
#pragma once

#include "moderation/cascade/mapped_text.h"

namespace safeguard::moderation {

// The ASCII spelled by Unicode tag characters (U+E0020 to U+E007E; flags of regions excepted) and
// the bytes spelled by runs of at least four variation selectors (VS 1 to 256 for byte 0 to 255,
// where they make printable UTF-8), in order, runs of two and more apart by a line end. Nothing
// when there is no such message.
std::optional<MappedText> HiddenText(const MappedText& text);

}  // namespace safeguard::moderation
