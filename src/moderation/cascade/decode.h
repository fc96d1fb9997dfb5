// Encoded text inside the content, decoded where it stands.
#pragma once

#include <string>

#include "moderation/cascade/mapped_text.h"

namespace safeguard::moderation {

struct Decoded {
  MappedText text;
  // What was undone: "base64", "base32", "hex", "percent", "entities" or "escapes"; "decoded" when
  // it was more than one.
  std::string kind;
};

// Decodes, in place and once:
//   base64    runs of at least 16 characters (RFC 4648, both alphabets, padding optional, wrapped
//             lines joined), base32 likewise, and hex, also in pairs apart ("6b 69 ...", "0x6b,")
//             where the bytes are plausible text
//   percent   runs of %XX that are printable UTF-8
//   entities  &#107; &#x6b; and the named ones that hide words (&shy; &zwnj; &amp; ...)
//   escapes   \u006b \u{6b} \x6b \U0000006b
// A kind counts only when it yields a letter, a digit or a character outside ASCII somewhere:
// "&amp;" and "%20" alone are no disguise. The result is never longer than `text`. Linear time.
std::optional<Decoded> Decode(const MappedText& text);

}  // namespace safeguard::moderation
