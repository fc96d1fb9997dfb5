// UTF-8 at the edge of the system: content that is not valid is reported with its offset and
// repaired once, here, so that everything behind may rely on valid text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace safeguard {

// The byte offset of the first ill-formed sequence (Unicode 15, table 3-7: no overlongs, surrogates
// or values above U+10FFFF), or nothing when all of `text` is valid.
std::optional<std::size_t> FirstInvalidUtf8(std::string_view text);

struct RepairedText {
  std::string text;                      // valid UTF-8
  std::vector<std::size_t> replaced_at;  // offsets in the input of each replaced sequence
  // origin[i] is the input offset that byte i of `text` came from; size text.size() + 1.
  std::vector<std::uint32_t> origin;
};

// Each maximal ill-formed part becomes one U+FFFD (the Unicode standard's and WHATWG's practice).
// REQUIRES: text.size() < 4 GiB.
RepairedText RepairUtf8(std::string_view text);

struct DecodedCodePoint {
  char32_t value;        // U+FFFD for an ill-formed sequence
  std::uint32_t length;  // bytes taken, at least 1
  bool valid;
};

// The code point that starts at `offset`. REQUIRES: offset < text.size().
DecodedCodePoint DecodeUtf8(std::string_view text, std::size_t offset);

// REQUIRES: a Unicode scalar value.
void AppendUtf8(char32_t code_point, std::string& out);

}  // namespace safeguard
