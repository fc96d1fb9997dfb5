// Text boundaries (Unicode TR 29) over UTF-8, through ICU's break iterators for the root locale.
// Each is opened once in the process at the first call and cloned once for each thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace safeguard::unicode {

// The ends of all sentences, ascending; the last is text.size(). Empty for an empty text.
// REQUIRES: valid UTF-8.
std::vector<std::size_t> SentenceEnds(std::string_view text);

// The last word boundary in (0, limit] of `text`, or 0 when there is none. Linear in text.size(),
// so give a window. REQUIRES: valid UTF-8, limit <= text.size().
std::size_t LastWordBoundary(std::string_view text, std::size_t limit);

}  // namespace safeguard::unicode
