#include "base/unicode/properties.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include <algorithm>

#include "base/check.h"

namespace safeguard::unicode {
namespace {

// Category is ICU's enumeration under names of our own.
static_assert(static_cast<int>(Category::kUnassigned) == U_UNASSIGNED);
static_assert(static_cast<int>(Category::kNonspacingMark) == U_NON_SPACING_MARK);
static_assert(static_cast<int>(Category::kSpacingMark) == U_COMBINING_SPACING_MARK);
static_assert(static_cast<int>(Category::kParagraphSeparator) == U_PARAGRAPH_SEPARATOR);
static_assert(static_cast<int>(Category::kSurrogate) == U_SURROGATE);
static_assert(static_cast<int>(Category::kOtherPunctuation) == U_OTHER_PUNCTUATION);
static_assert(static_cast<int>(Category::kFinalPunctuation) == U_FINAL_PUNCTUATION);
static_assert(static_cast<int>(Category::kFinalPunctuation) + 1 == U_CHAR_CATEGORY_COUNT);

constexpr char32_t kLastCodePoint = 0x10FFFF;

UChar32 ToIcu(char32_t code_point) {
  return code_point > kLastCodePoint ? -1 : static_cast<UChar32>(code_point);
}

const UNormalizer2* Nfd() {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* nfd = unorm2_getNFDInstance(&status);
  CHECK(U_SUCCESS(status));  // compiled into ICU
  return nfd;
}

}  // namespace

CodePoints::CodePoints(std::u32string_view values) : size_(values.size()) {
  CHECK(values.size() <= values_.size());
  std::ranges::copy(values, values_.begin());
}

Category CategoryOf(char32_t code_point) {
  return static_cast<Category>(u_charType(ToIcu(code_point)));
}

bool IsPunctuation(Category category) {
  switch (category) {
    case Category::kDashPunctuation:
    case Category::kOpenPunctuation:
    case Category::kClosePunctuation:
    case Category::kConnectorPunctuation:
    case Category::kOtherPunctuation:
    case Category::kInitialPunctuation:
    case Category::kFinalPunctuation:
      return true;
    default:
      return false;
  }
}

bool IsOther(Category category) {
  return category == Category::kControl || category == Category::kFormat ||
         category == Category::kPrivateUse || category == Category::kSurrogate;
}

bool IsWhiteSpace(char32_t code_point) {
  return u_isUWhiteSpace(ToIcu(code_point)) != 0;
}

Version AgeOf(char32_t code_point) {
  UVersionInfo version;
  u_charAge(ToIcu(code_point), version);
  return {version[0], version[1]};
}

CodePoints CanonicalDecomposition(char32_t code_point) {
  static const UNormalizer2* const nfd = Nfd();
  std::array<UChar, 8> units{};
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t size =
      unorm2_getDecomposition(nfd, ToIcu(code_point), units.data(), units.size(), &status);
  if (size <= 0 || U_FAILURE(status)) {
    return CodePoints(code_point);
  }
  std::array<char32_t, 8> values{};
  std::size_t count = 0;
  for (std::int32_t i = 0; i < size;) {
    UChar32 value = 0;
    U16_NEXT(units.data(), i, size, value);
    values[count++] = static_cast<char32_t>(value);
  }
  return CodePoints(std::u32string_view(values.data(), count));
}

std::uint8_t CombiningClass(char32_t code_point) {
  return u_getCombiningClass(ToIcu(code_point));
}

CodePoints ToLower(char32_t code_point) {
  constexpr char32_t capital_i_with_dot = 0x130;  // the only expansion without a condition
  if (code_point == capital_i_with_dot) {
    return CodePoints(U"i\u0307");
  }
  return CodePoints(code_point > kLastCodePoint
                        ? code_point
                        : static_cast<char32_t>(u_tolower(ToIcu(code_point))));
}

}  // namespace safeguard::unicode
