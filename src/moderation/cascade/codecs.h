// The decoders behind Decode, each over one run of characters.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace safeguard::moderation {

int HexValue(char c);  // or -1

bool IsBase64Char(char c);  // both alphabets of RFC 4648, without padding

// The bytes of the whole of `digits`, or nothing when a character or the length is wrong. Line ends
// and padding must be removed before.
std::optional<std::string> FromBase64(std::string_view digits);
std::optional<std::string> FromBase32(std::string_view digits);
std::optional<std::string> FromHex(std::string_view digits);

struct Reference {
  std::string text;    // UTF-8; may be empty (&shy;)
  std::size_t length;  // bytes of the source taken
};

// One HTML character reference that starts at text[at] == '&'.
std::optional<Reference> ReadEntity(std::string_view text, std::size_t at);

// A run of percent-encoded bytes that starts at text[at] == '%', when they are printable UTF-8.
std::optional<Reference> ReadPercent(std::string_view text, std::size_t at);

// A run of backslash escapes that starts at text[at] == '\\'.
std::optional<Reference> ReadEscapes(std::string_view text, std::size_t at);

}  // namespace safeguard::moderation
