// Properties of one code point, from the Unicode Character Database (through ICU, whose version
// decides which characters are known). Every function is total: surrogates and values above
// U+10FFFF are unassigned characters without mappings. Thread-safe; no allocation.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

namespace safeguard::unicode {

// The general category (Unicode 15, section 4.5), in the order of ICU's u_charType.
enum class Category : std::uint8_t {
  kUnassigned,
  kUppercaseLetter,
  kLowercaseLetter,
  kTitlecaseLetter,
  kModifierLetter,
  kOtherLetter,
  kNonspacingMark,
  kEnclosingMark,
  kSpacingMark,
  kDecimalNumber,
  kLetterNumber,
  kOtherNumber,
  kSpaceSeparator,
  kLineSeparator,
  kParagraphSeparator,
  kControl,
  kFormat,
  kPrivateUse,
  kSurrogate,
  kDashPunctuation,
  kOpenPunctuation,
  kClosePunctuation,
  kConnectorPunctuation,
  kOtherPunctuation,
  kMathSymbol,
  kCurrencySymbol,
  kModifierSymbol,
  kOtherSymbol,
  kInitialPunctuation,
  kFinalPunctuation,
};

Category CategoryOf(char32_t code_point);
bool IsPunctuation(Category category);  // P*
bool IsOther(Category category);        // Cc, Cf, Co, Cs; not Cn

// The property White_Space.
bool IsWhiteSpace(char32_t code_point);

// The Unicode version that first assigned a character; {0, 0} for what is not assigned.
struct Version {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  auto operator<=>(const Version&) const = default;
};
Version AgeOf(char32_t code_point);

// A mapping of one code point. No canonical decomposition or lower-casing is longer than four.
class CodePoints {
 public:
  explicit CodePoints(char32_t only) : values_{only}, size_(1) {}
  explicit CodePoints(std::u32string_view values);  // REQUIRES: at most four

  [[nodiscard]] const char32_t* begin() const { return values_.data(); }
  [[nodiscard]] const char32_t* end() const { return values_.data() + size_; }
  [[nodiscard]] std::u32string_view view() const { return {values_.data(), size_}; }

 private:
  std::array<char32_t, 4> values_{};
  std::size_t size_;
};

// The full canonical decomposition (UAX 15, NFD) of one code point: itself where it has none.
CodePoints CanonicalDecomposition(char32_t code_point);

// The canonical combining class: 0 for starters.
std::uint8_t CombiningClass(char32_t code_point);

// The full lower-casing without context or language (SpecialCasing.txt, unconditional part):
// U+0130 becomes two code points, U+03A3 always becomes U+03C3.
CodePoints ToLower(char32_t code_point);

}  // namespace safeguard::unicode
