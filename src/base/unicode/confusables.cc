#include "base/unicode/confusables.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "base/unicode/characters.h"

namespace safeguard::unicode {
namespace {

struct Imitation {
  char32_t code_point;
  char letter;
};

// Sorted by code point: the search is binary.
constexpr std::array kLoose = std::to_array<Imitation>({
    {U'\u0394', 'A'}, {U'\u0398', 'O'}, {U'\u039B', 'A'}, {U'\u03A3', 'E'}, {U'\u03B2', 'b'},
    {U'\u03B5', 'e'}, {U'\u03B7', 'n'}, {U'\u03B8', 'o'}, {U'\u03BA', 'k'}, {U'\u03BC', 'u'},
    {U'\u03C0', 'n'}, {U'\u03C4', 't'}, {U'\u03C9', 'w'}, {U'\u0404', 'E'}, {U'\u0418', 'N'},
    {U'\u042F', 'R'}, {U'\u0432', 'b'}, {U'\u0433', 'r'}, {U'\u0438', 'n'}, {U'\u043A', 'k'},
    {U'\u043C', 'm'}, {U'\u043D', 'h'}, {U'\u043F', 'n'}, {U'\u0442', 't'}, {U'\u0448', 'w'},
    {U'\u044F', 'r'}, {U'\u0454', 'e'},
});

constexpr std::array kStyled = std::to_array<Imitation>({
    {U'\u0250', 'a'}, {U'\u0251', 'a'}, {U'\u0261', 'g'}, {U'\u0262', 'g'}, {U'\u0265', 'h'},
    {U'\u026A', 'i'}, {U'\u026F', 'm'}, {U'\u0274', 'n'}, {U'\u0279', 'r'}, {U'\u0280', 'r'},
    {U'\u0287', 't'}, {U'\u028D', 'w'}, {U'\u028E', 'y'}, {U'\u028F', 'y'}, {U'\u0299', 'b'},
    {U'\u029C', 'h'}, {U'\u029E', 'k'}, {U'\u029F', 'l'}, {U'\u1D00', 'a'}, {U'\u1D04', 'c'},
    {U'\u1D05', 'd'}, {U'\u1D07', 'e'}, {U'\u1D09', 'i'}, {U'\u1D0A', 'j'}, {U'\u1D0B', 'k'},
    {U'\u1D0D', 'm'}, {U'\u1D0F', 'o'}, {U'\u1D18', 'p'}, {U'\u1D1B', 't'}, {U'\u1D1C', 'u'},
    {U'\u1D20', 'v'}, {U'\u1D21', 'w'}, {U'\u1D22', 'z'}, {U'\uA730', 'f'}, {U'\uA731', 's'},
    {U'\uA7AF', 'q'},
});

template <std::size_t kSize>
char Find(const std::array<Imitation, kSize>& table, char32_t code_point) {
  const auto at = std::ranges::lower_bound(table, code_point, {}, &Imitation::code_point);
  return at != table.end() && at->code_point == code_point ? at->letter : '\0';
}

bool Imitates(Script script) {
  switch (static_cast<UScriptCode>(script)) {
    case USCRIPT_ARMENIAN:
    case USCRIPT_CANADIAN_ABORIGINAL:
    case USCRIPT_CHEROKEE:
    case USCRIPT_COPTIC:
    case USCRIPT_CYRILLIC:
    case USCRIPT_DESERET:
    case USCRIPT_GEORGIAN:
    case USCRIPT_GREEK:
    case USCRIPT_LISU:
    case USCRIPT_OSAGE:
    case USCRIPT_TIFINAGH:
    case USCRIPT_VAI:
    case USCRIPT_OLD_ITALIC:
    case USCRIPT_LYCIAN:
    case USCRIPT_CARIAN:
    case USCRIPT_LYDIAN:
    case USCRIPT_GOTHIC:
      return true;
    default:
      return false;
  }
}

const USpoofChecker* Checker() {
  static const USpoofChecker* const checker = [] {
    UErrorCode status = U_ZERO_ERROR;
    const USpoofChecker* opened = uspoof_open(&status);
    CHECK(U_SUCCESS(status));
    return opened;
  }();
  return checker;
}

bool IsAsciiLetter(UChar unit) {
  return (unit >= 'A' && unit <= 'Z') || (unit >= 'a' && unit <= 'z');
}

char AskIcu(char32_t code_point) {
  if (KindOf(code_point) != Kind::kLetter || !Imitates(ScriptOf(code_point))) {
    return '\0';
  }
  std::array<UChar, 2> source{};
  std::int32_t length = 0;
  U16_APPEND_UNSAFE(source.data(), length, static_cast<UChar32>(code_point));
  std::array<UChar, 32> skeleton{};
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t size = uspoof_getSkeleton(Checker(), 0, source.data(), length, skeleton.data(),
                                               static_cast<std::int32_t>(skeleton.size()), &status);
  if (U_FAILURE(status)) {
    return '\0';
  }
  if (size == 2 && skeleton[0] == 'r' && skeleton[1] == 'n') {
    return 'm';  // TS 39 writes every m as rn
  }
  if (size != 1 || !IsAsciiLetter(skeleton[0])) {
    return '\0';
  }
  // TS 39 has one prototype, l, for l and the capital I.
  return skeleton[0] == 'l' && IsUpper(code_point) ? 'I' : static_cast<char>(skeleton[0]);
}

}  // namespace

char LatinLookalike(char32_t code_point) {
  if (code_point < 0x370) {
    return '\0';
  }
  // A skeleton costs a third of a microsecond, and a text asks for the same few letters again.
  struct Entry {
    char32_t code_point = 0;
    char letter = '\0';
  };
  thread_local std::array<Entry, 1024> memo{};
  Entry& entry = memo[code_point % memo.size()];
  if (entry.code_point != code_point) {
    entry = {code_point, AskIcu(code_point)};
  }
  return entry.letter;
}

char LooseLatinLookalike(char32_t code_point) {
  const char strict = LatinLookalike(code_point);
  return strict != '\0' ? strict : Find(kLoose, code_point);
}

char PlainLatin(char32_t code_point) {
  return Find(kStyled, code_point);
}

}  // namespace safeguard::unicode
