#include "engine/text/o200k/newer_letters.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "base/utf8.h"

namespace safeguard::engine {
namespace {

enum Class : std::uint8_t { kUpper, kLower, kLetter, kMark, kNumber };

struct Range {
  char32_t first;
  char32_t last;
  Class kind;
};

// clang-format off
constexpr Range kNewer[] = {
    {0x00897, 0x00897, kMark}, {0x00CF3, 0x00CF3, kMark}, {0x00ECE, 0x00ECE, kMark},
    {0x01C89, 0x01C89, kUpper}, {0x01C8A, 0x01C8A, kLower}, {0x0A7CB, 0x0A7CC, kUpper},
    {0x0A7CD, 0x0A7CD, kLower}, {0x0A7DA, 0x0A7DA, kUpper}, {0x0A7DB, 0x0A7DB, kLower},
    {0x0A7DC, 0x0A7DC, kUpper}, {0x105C0, 0x105F3, kLetter}, {0x10D40, 0x10D49, kNumber},
    {0x10D4A, 0x10D4F, kLetter}, {0x10D50, 0x10D65, kUpper}, {0x10D69, 0x10D6D, kMark},
    {0x10D6F, 0x10D6F, kLetter}, {0x10D70, 0x10D85, kLower}, {0x10EC2, 0x10EC4, kLetter},
    {0x10EFC, 0x10EFF, kMark}, {0x1123F, 0x11240, kLetter}, {0x11241, 0x11241, kMark},
    {0x11380, 0x11389, kLetter}, {0x1138B, 0x1138B, kLetter}, {0x1138E, 0x1138E, kLetter},
    {0x11390, 0x113B5, kLetter}, {0x113B7, 0x113B7, kLetter}, {0x113B8, 0x113C0, kMark},
    {0x113C2, 0x113C2, kMark}, {0x113C5, 0x113C5, kMark}, {0x113C7, 0x113CA, kMark},
    {0x113CC, 0x113D0, kMark}, {0x113D1, 0x113D1, kLetter}, {0x113D2, 0x113D2, kMark},
    {0x113D3, 0x113D3, kLetter}, {0x113E1, 0x113E2, kMark}, {0x116D0, 0x116E3, kNumber},
    {0x11BC0, 0x11BE0, kLetter}, {0x11BF0, 0x11BF9, kNumber}, {0x11F00, 0x11F01, kMark},
    {0x11F02, 0x11F02, kLetter}, {0x11F03, 0x11F03, kMark}, {0x11F04, 0x11F10, kLetter},
    {0x11F12, 0x11F33, kLetter}, {0x11F34, 0x11F3A, kMark}, {0x11F3E, 0x11F42, kMark},
    {0x11F50, 0x11F59, kNumber}, {0x11F5A, 0x11F5A, kMark}, {0x1342F, 0x1342F, kLetter},
    {0x13440, 0x13440, kMark}, {0x13441, 0x13446, kLetter}, {0x13447, 0x13455, kMark},
    {0x13460, 0x143FA, kLetter}, {0x16100, 0x1611D, kLetter}, {0x1611E, 0x1612F, kMark},
    {0x16130, 0x16139, kNumber}, {0x16D40, 0x16D6C, kLetter}, {0x16D70, 0x16D79, kNumber},
    {0x18CFF, 0x18CFF, kLetter}, {0x1B132, 0x1B132, kLetter}, {0x1B155, 0x1B155, kLetter},
    {0x1CCF0, 0x1CCF9, kNumber}, {0x1D2C0, 0x1D2D3, kNumber}, {0x1DF25, 0x1DF2A, kLower},
    {0x1E030, 0x1E06D, kLetter}, {0x1E08F, 0x1E08F, kMark}, {0x1E4D0, 0x1E4EB, kLetter},
    {0x1E4EC, 0x1E4EF, kMark}, {0x1E4F0, 0x1E4F9, kNumber}, {0x1E5D0, 0x1E5ED, kLetter},
    {0x1E5EE, 0x1E5EF, kMark}, {0x1E5F0, 0x1E5F0, kLetter}, {0x1E5F1, 0x1E5FA, kNumber},
    {0x2B739, 0x2B739, kLetter}, {0x2EBF0, 0x2EE5D, kLetter}, {0x31350, 0x323AF, kLetter},
};
// clang-format on

constexpr char32_t kAstral = 0x10000;  // from here on four bytes; all newer ones below have three

// Of the same class and length, and in Unicode since long before 14.
constexpr char32_t kThreeBytes[] = {U'\u1E00', U'\u1E01', U'\u4E00', U'\u302A', U'\u0966'};
constexpr char32_t kFourBytes[] = {U'\U00010400', U'\U00010428', U'\U00020000', U'\U0001D165',
                                   U'\U0001D7CE'};

const Range* RangeOf(char32_t code_point) {
  const auto* range = std::ranges::lower_bound(kNewer, code_point, {}, &Range::last);
  return range != std::end(kNewer) && code_point >= range->first ? range : nullptr;
}

}  // namespace

std::optional<std::string> WithoutNewerLetters(std::string_view text) {
  std::optional<std::string> changed;
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0xE0) {
      ++at;  // no newer letter is below U+0800
      continue;
    }
    const DecodedCodePoint point = DecodeUtf8(text, at);
    if (const Range* range = RangeOf(point.value); range != nullptr) {
      if (!changed) {
        changed.emplace(text);
      }
      std::string stand_in;
      AppendUtf8((point.value < kAstral ? kThreeBytes : kFourBytes)[range->kind], stand_in);
      changed->replace(at, point.length, stand_in);
    }
    at += point.length;
  }
  return changed;
}

}  // namespace safeguard::engine
