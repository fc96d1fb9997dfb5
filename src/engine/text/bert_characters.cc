#include "engine/text/bert_characters.h"

#include <array>

namespace safeguard::engine {
namespace {

using unicode::Category;
using unicode::Version;

constexpr Version kCategoriesFrom{8, 0};
constexpr Version kNormalizationFrom{9, 0};

struct Changed {
  char32_t code_point;
  Category in_unicode_8;
};
// Characters of Unicode 8.0 that moved into or out of Mn and P* in a later version.
constexpr std::array kChangedSince{
    Changed{0x166D, Category::kOtherPunctuation}, Changed{0x1734, Category::kNonspacingMark},
    Changed{0x1885, Category::kOtherLetter},      Changed{0x1886, Category::kOtherLetter},
    Changed{0xA9BD, Category::kSpacingMark},      Changed{0x111C9, Category::kOtherPunctuation},
};

bool Knows(Version version, char32_t c) {
  const Version age = unicode::AgeOf(c);
  return age.major != 0 && age <= version;
}

Category CategoryInUnicode8(char32_t c) {
  for (const Changed& changed : kChangedSince) {
    if (changed.code_point == c) {
      return changed.in_unicode_8;
    }
  }
  return Knows(kCategoriesFrom, c) ? unicode::CategoryOf(c) : Category::kUnassigned;
}

struct LowerRange {
  char32_t first;
  char32_t last;
  char32_t lower;  // of first; the others follow in step
};
// Capital letters of Unicode 16 and 17, which Debian 12's ICU (Unicode 15) does not know.
constexpr std::array kNewCapitals{
    LowerRange{0x1C89, 0x1C89, 0x1C8A},    LowerRange{0xA7CB, 0xA7CB, 0x0264},
    LowerRange{0xA7CC, 0xA7CC, 0xA7CD},    LowerRange{0xA7CE, 0xA7CE, 0xA7CF},
    LowerRange{0xA7D2, 0xA7D2, 0xA7D3},    LowerRange{0xA7D4, 0xA7D4, 0xA7D5},
    LowerRange{0xA7DA, 0xA7DA, 0xA7DB},    LowerRange{0xA7DC, 0xA7DC, 0x019B},
    LowerRange{0x10D50, 0x10D65, 0x10D70}, LowerRange{0x16EA0, 0x16EB8, 0x16EBB},
};

bool IsAsciiPunctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

}  // namespace

bool IsBertControl(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') {
    return false;
  }
  return c == 0xFFFD || unicode::IsOther(CategoryInUnicode8(c));
}

bool IsBertPunctuation(char32_t c) {
  return c < 0x80 ? IsAsciiPunctuation(c) : unicode::IsPunctuation(CategoryInUnicode8(c));
}

bool IsBertAccent(char32_t c) {
  return CategoryInUnicode8(c) == Category::kNonspacingMark;
}

bool IsBertIdeograph(char32_t c) {
  return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

unicode::CodePoints BertDecomposition(char32_t c) {
  return Knows(kNormalizationFrom, c) ? unicode::CanonicalDecomposition(c) : unicode::CodePoints(c);
}

std::uint8_t BertCombiningClass(char32_t c) {
  const std::uint8_t combining_class = unicode::CombiningClass(c);
  return combining_class != 0 && Knows(kNormalizationFrom, c) ? combining_class : 0;
}

unicode::CodePoints BertLower(char32_t c) {
  if (c < 0x80) {
    return unicode::CodePoints(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  for (const LowerRange& range : kNewCapitals) {
    if (c >= range.first && c <= range.last) {
      return unicode::CodePoints(range.lower + (c - range.first));
    }
  }
  return unicode::ToLower(c);
}

}  // namespace safeguard::engine
