#include "base/unicode/normalize.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "base/check.h"

namespace safeguard::unicode {
namespace {

const icu::Normalizer2& NfcTable() {
  static const icu::Normalizer2* const table = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* opened = icu::Normalizer2::getNFCInstance(status);
    CHECK(U_SUCCESS(status) && opened != nullptr);
    return opened;
  }();
  return *table;
}

const icu::Normalizer2& NfkcTable() {
  static const icu::Normalizer2* const table = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* opened = icu::Normalizer2::getNFKCInstance(status);
    CHECK(U_SUCCESS(status) && opened != nullptr);
    return opened;
  }();
  return *table;
}

std::u32string Normalize(const icu::Normalizer2& table, const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString normal = table.normalize(text, status);
  CHECK(U_SUCCESS(status));
  std::u32string out;
  for (std::int32_t i = 0; i < normal.length();) {
    const UChar32 c = normal.char32At(i);
    out += static_cast<char32_t>(c);
    i += U16_LENGTH(c);
  }
  return out;
}

}  // namespace

Compatibility CompatibilityOf(char32_t code_point) {
  switch (u_getIntPropertyValue(static_cast<UChar32>(code_point), UCHAR_DECOMPOSITION_TYPE)) {
    case U_DT_NONE:
    case U_DT_CANONICAL:
      return Compatibility::kNone;
    case U_DT_FONT:
    case U_DT_WIDE:
    case U_DT_NARROW:
    case U_DT_CIRCLE:
    case U_DT_SQUARE:
    case U_DT_VERTICAL:
      return Compatibility::kStyle;
    case U_DT_INITIAL:
    case U_DT_MEDIAL:
    case U_DT_FINAL:
    case U_DT_ISOLATED:
      return Compatibility::kShape;
    case U_DT_SUPER:
    case U_DT_SUB:
      return Compatibility::kRaised;
    default:
      return Compatibility::kOther;
  }
}

std::u32string Nfkc(char32_t code_point) {
  return Normalize(NfkcTable(), icu::UnicodeString(static_cast<UChar32>(code_point)));
}

std::u32string Nfc(std::u32string_view cluster) {
  icu::UnicodeString text;
  for (const char32_t c : cluster) {
    text.append(static_cast<UChar32>(c));
  }
  return Normalize(NfcTable(), text);
}

}  // namespace safeguard::unicode
