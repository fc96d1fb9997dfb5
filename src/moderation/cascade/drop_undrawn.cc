#include "base/unicode/characters.h"
#include "base/utf8.h"
#include "moderation/cascade/normalise.h"

namespace safeguard::moderation {
namespace {

using unicode::Kind;
using unicode::Script;

bool IsControl(char32_t c) {
  const bool white = c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r' || c == 0x85;
  return (c < 0x20 || (c >= 0x7F && c <= 0x9F)) && !white;
}

bool IsBlankLetter(char32_t c) {
  return c == 0x3164 || c == 0xFFA0 || c == 0x2800;
}

bool IsTag(char32_t c) {
  return c >= 0xE0020 && c <= 0xE007F;
}

bool IsSelector(char32_t c) {
  return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

bool IsSkinTone(char32_t c) {
  return c >= 0x1F3FB && c <= 0x1F3FF;
}

// The length of the tags that make a black flag the flag of England, Texas ... (UTS 51), or 0.
std::size_t FlagTags(std::string_view text, std::size_t at) {
  constexpr std::size_t kMaxTags = 6;
  std::size_t end = at;
  for (std::size_t tags = 0; end < text.size(); ++tags) {
    const DecodedCodePoint point = DecodeUtf8(text, end);
    end += point.length;
    if (point.value == 0xE007F) {
      return tags >= 3 ? end - at : 0;
    }
    const bool letter = point.value >= 0xE0061 && point.value <= 0xE007A;
    const bool digit = point.value >= 0xE0030 && point.value <= 0xE0039;
    if ((!letter && !digit) || tags == kMaxTags) {
      return 0;
    }
  }
  return 0;
}

// Whether the undrawn `c` between `previous` (as kept) and `next` is spelling or picks a picture.
bool IsMeant(char32_t c, char32_t previous, char32_t next) {
  if (c == 0x200C || c == 0x200D) {
    if (c == 0x200D && unicode::IsPictograph(next) &&
        (unicode::IsPictograph(previous) || previous == 0xFE0F || IsSkinTone(previous))) {
      return true;
    }
    const auto joined = [](char32_t side) {
      const Kind kind = unicode::KindOf(side);
      if (kind != Kind::kLetter && kind != Kind::kMark) {
        return false;
      }
      return unicode::JoinersCarryMeaning(unicode::ScriptOf(side));
    };
    return joined(previous) && (joined(next) || unicode::KindOf(next) == Kind::kSpace);
  }
  if (c >= 0xFE00 && c <= 0xFE0F) {
    const bool keycap = next == 0x20E3 && ((previous >= '0' && previous <= '9') ||
                                           previous == '#' || previous == '*');
    return keycap || unicode::IsPictograph(previous) ||
           (previous >= 0x80 && unicode::KindOf(previous) == Kind::kSymbol) ||
           unicode::ScriptOf(previous) == Script::kHan;
  }
  if (IsSelector(c)) {
    return unicode::ScriptOf(previous) == Script::kHan;
  }
  return c >= 0x180B && c <= 0x180F && unicode::ScriptOf(previous) == Script::kMongolian;
}

}  // namespace

std::optional<MappedText> DropUndrawn(const MappedText& source) {
  const std::string_view text = source.text;
  Rewriter rewriter(source);
  char32_t previous = ' ';
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    const char32_t c = point.value;
    const std::size_t end = i + point.length;
    bool kept = true;
    if (c == 0x1F3F4) {
      i = end + FlagTags(text, end);
      previous = c;
      continue;
    }
    if (IsBlankLetter(c)) {
      rewriter.Replace(i, end, " ");
    } else if (IsControl(c) || IsTag(c) || (c >= 0xFFF9 && c <= 0xFFFB)) {
      kept = false;
    } else if (c >= 0xAD && unicode::IsIgnorable(c)) {
      const char32_t next = end < text.size() ? DecodeUtf8(text, end).value : U' ';
      kept = IsMeant(c, previous, next);
    }
    if (kept) {
      previous = c;
    } else {
      rewriter.Replace(i, end, "");
    }
    i = end;
  }
  return rewriter.Finish();
}

}  // namespace safeguard::moderation
