// Text for a terminal. Content comes from strangers: what could move the cursor, change colours or
// reorder the line is shown as its code, never sent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace safeguard::apps {

// One line: white space runs become a space; control, bidi, zero-width and tag characters become
// \x1b or \u{202e}; ill-formed UTF-8 becomes U+FFFD.
std::string Printable(std::string_view text);

// Columns that printable text takes: 0 for combining marks, 2 for wide East Asian and emoji, else
// 1. An estimate: terminals differ.
std::size_t DisplayWidth(std::string_view text);

// At most `width` columns, with "…" where something was left out. REQUIRES: width >= 1.
std::string Shorten(std::string_view text, std::size_t width);

// Lines of at most `width` columns, broken at spaces (a longer word stands alone), each after
// `indent` spaces and ended by a newline.
std::string Wrap(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace safeguard::apps
