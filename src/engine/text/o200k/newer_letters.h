// The letters, marks and numbers that Unicode 15, 15.1 and 16 added (UnicodeData.txt, general
// categories). A library that knows Unicode 14 takes them for symbols; o200k was defined, and its
// goldens were made, with Unicode 16 (the regex crate).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace safeguard::engine {

// `text` with each such character replaced by an old one of the same class (upper case, lower case,
// other letter, mark, number) and of the same length in bytes; nothing when there is none, which
// costs one pass. REQUIRES: valid UTF-8.
std::optional<std::string> WithoutNewerLetters(std::string_view text);

}  // namespace safeguard::engine
