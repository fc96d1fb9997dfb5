#include "base/unicode/characters.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

namespace safeguard::unicode {
namespace {

UChar32 Icu(char32_t code_point) {
  return static_cast<UChar32>(code_point);
}

static_assert(static_cast<int>(Script::kCommon) == USCRIPT_COMMON);
static_assert(static_cast<int>(Script::kInherited) == USCRIPT_INHERITED);
static_assert(static_cast<int>(Script::kArabic) == USCRIPT_ARABIC);
static_assert(static_cast<int>(Script::kArmenian) == USCRIPT_ARMENIAN);
static_assert(static_cast<int>(Script::kBengali) == USCRIPT_BENGALI);
static_assert(static_cast<int>(Script::kCyrillic) == USCRIPT_CYRILLIC);
static_assert(static_cast<int>(Script::kDevanagari) == USCRIPT_DEVANAGARI);
static_assert(static_cast<int>(Script::kGeorgian) == USCRIPT_GEORGIAN);
static_assert(static_cast<int>(Script::kGreek) == USCRIPT_GREEK);
static_assert(static_cast<int>(Script::kGujarati) == USCRIPT_GUJARATI);
static_assert(static_cast<int>(Script::kGurmukhi) == USCRIPT_GURMUKHI);
static_assert(static_cast<int>(Script::kHan) == USCRIPT_HAN);
static_assert(static_cast<int>(Script::kHangul) == USCRIPT_HANGUL);
static_assert(static_cast<int>(Script::kHebrew) == USCRIPT_HEBREW);
static_assert(static_cast<int>(Script::kHiragana) == USCRIPT_HIRAGANA);
static_assert(static_cast<int>(Script::kKannada) == USCRIPT_KANNADA);
static_assert(static_cast<int>(Script::kKatakana) == USCRIPT_KATAKANA);
static_assert(static_cast<int>(Script::kKhmer) == USCRIPT_KHMER);
static_assert(static_cast<int>(Script::kLao) == USCRIPT_LAO);
static_assert(static_cast<int>(Script::kLatin) == USCRIPT_LATIN);
static_assert(static_cast<int>(Script::kMalayalam) == USCRIPT_MALAYALAM);
static_assert(static_cast<int>(Script::kMongolian) == USCRIPT_MONGOLIAN);
static_assert(static_cast<int>(Script::kMyanmar) == USCRIPT_MYANMAR);
static_assert(static_cast<int>(Script::kSinhala) == USCRIPT_SINHALA);
static_assert(static_cast<int>(Script::kTamil) == USCRIPT_TAMIL);
static_assert(static_cast<int>(Script::kTelugu) == USCRIPT_TELUGU);
static_assert(static_cast<int>(Script::kThai) == USCRIPT_THAI);

}  // namespace

Kind KindOf(char32_t code_point) {
  if (u_isUWhiteSpace(Icu(code_point))) {
    return Kind::kSpace;
  }
  const std::uint32_t mask = U_MASK(u_charType(Icu(code_point)));
  if ((mask & U_GC_L_MASK) != 0) {
    return Kind::kLetter;
  }
  if ((mask & U_GC_M_MASK) != 0) {
    return Kind::kMark;
  }
  if ((mask & U_GC_ND_MASK) != 0) {
    return Kind::kDigit;
  }
  if ((mask & U_GC_N_MASK) != 0) {
    return Kind::kNumber;
  }
  if ((mask & U_GC_P_MASK) != 0) {
    return Kind::kPunctuation;
  }
  return (mask & U_GC_S_MASK) != 0 ? Kind::kSymbol : Kind::kOther;
}

Script ScriptOf(char32_t code_point) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(Icu(code_point), &status);
  return U_SUCCESS(status) ? static_cast<Script>(script) : Script::kCommon;
}

bool JoinersCarryMeaning(Script script) {
  switch (static_cast<UScriptCode>(script)) {
    case USCRIPT_ARABIC:
    case USCRIPT_SYRIAC:
    case USCRIPT_NKO:
    case USCRIPT_MONGOLIAN:
    case USCRIPT_DEVANAGARI:
    case USCRIPT_BENGALI:
    case USCRIPT_GURMUKHI:
    case USCRIPT_GUJARATI:
    case USCRIPT_ORIYA:
    case USCRIPT_TAMIL:
    case USCRIPT_TELUGU:
    case USCRIPT_KANNADA:
    case USCRIPT_MALAYALAM:
    case USCRIPT_SINHALA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_TIBETAN:
    case USCRIPT_MYANMAR:
    case USCRIPT_KHMER:
    case USCRIPT_BALINESE:
    case USCRIPT_JAVANESE:
    case USCRIPT_SUNDANESE:
      return true;
    default:
      return false;
  }
}

bool IsIgnorable(char32_t code_point) {
  return u_hasBinaryProperty(Icu(code_point), UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
}

bool IsPictograph(char32_t code_point) {
  return code_point >= 0x80 &&
         (u_hasBinaryProperty(Icu(code_point), UCHAR_EXTENDED_PICTOGRAPHIC) != 0 ||
          u_hasBinaryProperty(Icu(code_point), UCHAR_EMOJI) != 0);
}

bool IsUpper(char32_t code_point) {
  return u_isUUppercase(Icu(code_point)) != 0;
}

}  // namespace safeguard::unicode
