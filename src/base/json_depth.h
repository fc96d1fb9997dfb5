// How deep the brackets of a JSON text nest: what a recursive walk over it would cost, known before
// anything is built of it.
#pragma once

#include <cstddef>
#include <string_view>

namespace safeguard {

// Brackets inside strings do not count. Any bytes may be given; what is no JSON gets some depth
// that is at least that of any JSON text it begins with. O(text.size()), allocates nothing.
std::size_t JsonDepth(std::string_view text);

}  // namespace safeguard
