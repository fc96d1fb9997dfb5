// Where the windows of a text lie: a function of the text alone, however it arrives.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "http/guard/guard_settings.h"

namespace safeguard::guard {

// The end of the window that begins at `begin`, the `ordinal`th of its channel (from 0). Nothing
// while more text could move it. Never inside a UTF-8 sequence of a valid text.
std::optional<std::size_t> WindowEnd(std::string_view text, std::size_t begin, std::size_t ordinal,
                                     const WindowSizes& sizes);

// Where the context of a window that begins at `begin` begins: at most `overlap` bytes before it,
// at the start of a sentence where that leaves half of them, else of a word.
std::size_t ContextBegin(std::string_view text, std::size_t begin, std::size_t overlap);

bool IsBlank(std::string_view text);

}  // namespace safeguard::guard
