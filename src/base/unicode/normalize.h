// Unicode normalisation (UAX 15) of one code point or one cluster, so that the caller decides
// what is folded and keeps the offsets. Thread-safe; ICU's tables are opened at the first call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace safeguard::unicode {

// Why a code point has a compatibility decomposition (Decomposition_Type), as far as views care.
enum class Compatibility : std::uint8_t {
  kNone,    // no decomposition, or a canonical one
  kStyle,   // a letter in another dress: font, wide, narrow, circle, square, vertical
  kShape,   // an Arabic presentation form: initial, medial, final, isolated
  kRaised,  // superscript, subscript
  kOther,   // ligatures, digraphs, fractions, spaces, everything else
};

Compatibility CompatibilityOf(char32_t code_point);

// The full compatibility decomposition, recomposed (NFKC of the one code point).
std::u32string Nfkc(char32_t code_point);

// NFC of a short text, for example a base and its combining marks.
std::u32string Nfc(std::u32string_view cluster);

}  // namespace safeguard::unicode
