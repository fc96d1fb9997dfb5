#include "base/unicode/characters.h"
#include "base/unicode/normalize.h"
#include "base/utf8.h"
#include "moderation/cascade/normalise.h"

namespace safeguard::moderation {
namespace {

using unicode::Compatibility;
using unicode::Kind;

bool Within(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

bool IsAsciiLetter(char32_t c) {
  return Within(c | 0x20U, 'a', 'z') && c < 0x80;
}

// Negative circled and squared capitals: Unicode has no mapping for them.
bool IsWhiteOnBlack(char32_t c) {
  return Within(c, 0x1F150, 0x1F169) || Within(c, 0x1F170, 0x1F189);
}

// A, B, O and P of the blood types and of parking: emoji unless beside another letter.
bool IsLetterEmoji(char32_t c) {
  return c == 0x1F170 || c == 0x1F171 || c == 0x1F17E || c == 0x1F17F;
}

bool IsRegional(char32_t c) {
  return Within(c, 0x1F1E6, 0x1F1FF);
}

// A Latin letter in whatever dress.
bool IsLatin(char32_t c) {
  if (c < 0x80) {
    return IsAsciiLetter(c);
  }
  return Within(c, 0x1D400, 0x1D6A5) || Within(c, 0x249C, 0x24E9) || Within(c, 0x1F110, 0x1F129) ||
         Within(c, 0x1F130, 0x1F149) || IsWhiteOnBlack(c) || IsRegional(c) ||
         (unicode::ScriptOf(c) == unicode::Script::kLatin && unicode::KindOf(c) == Kind::kLetter);
}

// Blocks without letters in another dress, which most honest text is made of.
bool NeverDressed(char32_t c) {
  return c < 0xA0 || Within(c, 0x370, 0x1CFF) || Within(c, 0x3001, 0x3130) ||
         Within(c, 0x3400, 0x9FFF) || Within(c, 0xAC00, 0xD7FF);
}

char32_t PlainBlack(char32_t c) {
  return U'A' + (c - (c >= 0x1F170 ? 0x1F170 : 0x1F150));
}

struct Neighbours {
  char32_t previous;
  char32_t next;
  bool Any() const { return IsLatin(previous) || IsLatin(next); }
  bool Both() const { return IsLatin(previous) && IsLatin(next); }
};

std::u32string Letter(char32_t c, Neighbours beside) {
  const Compatibility dress = unicode::CompatibilityOf(c);
  if (c == 0x212A || c == 0x212B || c == 0x2126) {
    return unicode::Nfkc(c);  // Kelvin, Ångström, Ohm: letters under another number
  }
  if (c == 0x17F || Within(c, 0xFB00, 0xFB06)) {
    return unicode::Nfkc(c);
  }
  if (c == 0x2139 || c == 0xAA || c == 0xBA) {  // the information emoji and the ordinals
    return beside.Both() ? unicode::Nfkc(c) : std::u32string{};
  }
  if (dress == Compatibility::kRaised) {
    const auto raised = [](char32_t side) {
      return unicode::CompatibilityOf(side) == Compatibility::kRaised;
    };
    return raised(beside.previous) || raised(beside.next) ? unicode::Nfkc(c) : std::u32string{};
  }
  if (dress == Compatibility::kStyle) {
    return unicode::ScriptOf(c) == unicode::Script::kHangul ? std::u32string{} : unicode::Nfkc(c);
  }
  const bool single_shape = Within(c, 0xFB50, 0xFBB1) || Within(c, 0xFE80, 0xFEFC);
  return dress == Compatibility::kShape && single_shape ? unicode::Nfkc(c) : std::u32string{};
}

// `c` in plain letters, or empty when it stays as it is.
std::u32string Undress(char32_t c, Neighbours beside) {
  if (IsWhiteOnBlack(c)) {
    const bool letter = !IsLetterEmoji(c) || beside.Any();
    return letter ? std::u32string(1, PlainBlack(c)) : std::u32string{};
  }
  if (Within(c, 0x249C, 0x24B5)) {
    return std::u32string(1, U'a' + (c - 0x249C));  // NFKC would keep the parentheses
  }
  if (Within(c, 0x1F110, 0x1F129)) {
    return std::u32string(1, U'A' + (c - 0x1F110));
  }
  if (Within(c, 0x24B6, 0x24E9) || Within(c, 0x1F130, 0x1F149) || Within(c, 0x1D7CE, 0x1D7FF)) {
    return unicode::Nfkc(c);
  }
  if (Within(c, 0xFF01, 0xFF5E) && !IsLatin(c)) {  // fullwidth digits and signs
    const bool sigil = (c == 0xFF04 || c == 0xFF20) && IsLatin(beside.next);
    const bool digit = Within(c, 0xFF10, 0xFF19) && beside.Any();
    return digit || sigil || beside.Both() ? unicode::Nfkc(c) : std::u32string{};
  }
  if (c == 0x3000) {
    return beside.Both() ? U" " : U"";  // a fullwidth space between words in Latin letters
  }
  switch (unicode::KindOf(c)) {
    case Kind::kLetter:
      return Letter(c, beside);
    case Kind::kNumber:
      // Roman numerals and circled or raised digits are letters only inside a word.
      if (Within(c, 0x2160, 0x217F)) {
        return beside.Any() ? unicode::Nfkc(c) : std::u32string{};
      }
      return (Within(c, 0x2460, 0x2468) || c == 0x24EA ||
              unicode::CompatibilityOf(c) == Compatibility::kRaised) &&
                     beside.Both()
                 ? unicode::Nfkc(c)
                 : std::u32string{};
    default:
      return {};
  }
}

std::size_t RegionalEnd(std::string_view text, std::size_t at) {
  while (at < text.size() && IsRegional(DecodeUtf8(text, at).value)) {
    at += 4;
  }
  return at;
}

// The code point at `at`, past an emoji selector.
char32_t PeekLetter(std::string_view text, std::size_t at) {
  if (at >= text.size()) {
    return ' ';
  }
  const DecodedCodePoint point = DecodeUtf8(text, at);
  const bool selector = point.value == 0xFE0F || point.value == 0xFE0E;
  return selector && at + point.length < text.size() ? DecodeUtf8(text, at + point.length).value
                                                     : point.value;
}

}  // namespace

std::optional<MappedText> UndressLetters(const MappedText& source) {
  const std::string_view text = source.text;
  Rewriter rewriter(source);
  char32_t previous = ' ';
  std::string plain;
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    const char32_t c = point.value;
    std::size_t end = i + point.length;
    if (IsRegional(c)) {
      // Two are a flag; one, or three and more, spell.
      end = RegionalEnd(text, i);
      for (std::size_t k = i; end - i != 8 && k < end; k += 4) {
        const char letter = static_cast<char>('A' + (DecodeUtf8(text, k).value - 0x1F1E6));
        rewriter.Replace(k, k + 4, std::string_view(&letter, 1));
      }
    } else if (!NeverDressed(c)) {
      const std::u32string letters = Undress(c, {previous, PeekLetter(text, end)});
      if (!letters.empty()) {
        plain.clear();
        for (const char32_t letter : letters) {
          AppendUtf8(letter, plain);
        }
        rewriter.Replace(i, end, plain);
      }
    }
    if (c != 0xFE0F && c != 0xFE0E) {
      previous = c;
    }
    i = end;
  }
  return rewriter.Finish();
}

}  // namespace safeguard::moderation
