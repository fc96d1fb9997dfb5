#include "moderation/cascade/leet.h"

#include <algorithm>
#include <array>

#include "base/unicode/characters.h"
#include "base/utf8.h"

namespace safeguard::moderation {
namespace {

enum class Role : std::uint8_t { kLetter, kDigit, kSign };

struct Glyph {
  std::size_t begin;
  std::size_t end;
  char32_t value;
  Role role;
};

// Longer runs without a gap are no words.
constexpr std::size_t kLongestWord = 48;

bool IsAsciiLetter(char32_t c) {
  return (c | 0x20U) >= 'a' && (c | 0x20U) <= 'z' && c < 0x80;
}

bool IsDigit(char32_t c) {
  return c >= '0' && c <= '9';
}

bool IsCurrency(char32_t c) {
  return c == 0x20AC || c == 0xA3 || c == 0xA5 || c == 0xA2;
}

bool IsSign(char32_t c) {
  return c == '@' || c == '$' || c == '!' || c == '|' || c == '+' || c == '(' || IsCurrency(c);
}

bool IsVowel(char32_t c) {
  const char32_t lower = c | 0x20U;
  return lower == 'a' || lower == 'e' || lower == 'i' || lower == 'o' || lower == 'u';
}

bool IsUpper(char32_t c) {
  return c >= 'A' && c <= 'Z';
}

bool IsLetter(char32_t c) {
  if (c < 0x80) {
    return IsAsciiLetter(c);
  }
  const unicode::Kind kind = unicode::KindOf(c);
  return kind == unicode::Kind::kLetter || kind == unicode::Kind::kMark;
}

// What follows one digit without making a word of it: ordinals, units, counts.
bool IsUnit(std::string_view tail) {
  static constexpr auto kUnits = std::to_array<std::string_view>(
      {"am",  "bit",  "bits",  "byte", "cal",    "cm",     "d",    "day",   "days",
       "dl",  "eur",  "ft",    "fps",  "gb",     "gbp",    "ghz",  "hour",  "hours",
       "hp",  "hr",   "hrs",   "hz",   "inch",   "kb",     "kcal", "kg",    "km",
       "kmh", "kw",   "kwh",   "lb",   "lbs",    "mb",     "mbps", "mg",    "mhz",
       "min", "mins", "ml",    "mm",   "month",  "months", "mph",  "ms",    "nd",
       "ns",  "oz",   "pack",  "pcs",  "people", "person", "pm",   "px",    "rd",
       "sec", "secs", "st",    "star", "stars",  "tb",     "th",   "times", "usd",
       "way", "week", "weeks", "yd",   "year",   "years",  "yo",   "yr",    "yrs"});
  std::string lower;
  for (const char c : tail) {
    lower += static_cast<char>(c | 0x20);
  }
  return std::ranges::find(kUnits, lower) != kUnits.end();
}

// One word: letters, digits and signs without a gap.
class Word {
 public:
  Word(std::string_view text, std::vector<Glyph> glyphs, bool closes)
      : text_(text), glyphs_(std::move(glyphs)), closes_(closes) {
    Trim();
    for (const Glyph& glyph : glyphs_) {
      letters_ += glyph.role == Role::kLetter ? 1 : 0;
      digits_ += glyph.role == Role::kDigit ? 1 : 0;
    }
  }

  void Translate(Rewriter& rewriter) {
    if (letters_ == 0 || (glyphs_.size() - letters_) > 2 * letters_ || IsHash()) {
      return;
    }
    letters_for_.assign(glyphs_.size(), '\0');
    ReadDigits();
    ReadSigns();
    for (std::size_t i = 0; i < glyphs_.size(); ++i) {
      if (letters_for_[i] != '\0') {
        rewriter.Replace(glyphs_[i].begin, glyphs_[i].end, std::string_view(&letters_for_[i], 1));
      }
    }
  }

 private:
  char32_t At(std::size_t i) const { return i < glyphs_.size() ? glyphs_[i].value : U' '; }
  char32_t Before(std::size_t i) const { return i > 0 ? glyphs_[i - 1].value : U' '; }
  bool Is(std::size_t i, Role role) const { return i < glyphs_.size() && glyphs_[i].role == role; }
  bool Within(std::size_t i) const { return i > 0 && i + 1 < glyphs_.size(); }

  // Signs at the ends that are punctuation, not letters: "wow!", "(see", "+1".
  void Trim() {
    const auto keeps_end = [](char32_t c) { return c == '@' || c == '$' || IsCurrency(c); };
    while (!glyphs_.empty() && glyphs_.back().role == Role::kSign &&
           !keeps_end(glyphs_.back().value)) {
      glyphs_.pop_back();
    }
    const auto first = std::ranges::find_if(glyphs_, [](const Glyph& glyph) {
      return glyph.role != Role::kSign || glyph.value == '@' || glyph.value == '$';
    });
    glyphs_.erase(glyphs_.begin(), first);
  }

  // A hash, a key or an id: eight and more hex digits, many of them numbers.
  bool IsHash() const {
    return glyphs_.size() >= 8 && digits_ >= 4 && std::ranges::all_of(glyphs_, [](const Glyph& g) {
             return g.role == Role::kDigit ||
                    (g.value < 0x80 && (g.value | 0x20U) >= 'a' && (g.value | 0x20U) <= 'f');
           });
  }

  char Letter(std::size_t i) const {
    switch (At(i)) {
      case '0':
        return 'o';
      case '1':
      case '|':
        return OneLetter(i);
      case '3':
        return 'e';
      case '4':
        return 'a';
      case '5':
        return 's';
      case '7':
        return 't';
      default:
        return '\0';
    }
  }

  // Digits that stand for a letter only between letters of a word long enough.
  char RareLetter(std::size_t i) const {
    if (letters_ < 3 || !Within(i)) {
      return '\0';
    }
    switch (At(i)) {
      case '2':
        return 'z';
      case '6':
      case '9':
        return 'g';
      case '8':
        return 'b';
      default:
        return '\0';
    }
  }

  char OneLetter(std::size_t i) const {
    std::size_t first = i;
    while (first > 0 && At(first - 1) == At(i)) {
      --first;
    }
    const bool several = first < i || At(i + 1) == At(i);
    if (several) {
      return first == i && !IsVowel(Before(first)) && At(i + 2) != ' ' ? 'i' : 'l';
    }
    return i == 0 && IsVowel(At(1)) ? 'l' : 'i';
  }

  void ReadDigits() {
    for (std::size_t i = 0; i < glyphs_.size();) {
      std::size_t end = i;
      while (Is(end, Role::kDigit)) {
        ++end;
      }
      if (end == i) {
        ++i;
        continue;
      }
      const bool leading = i == 0;
      const bool trailing = end == glyphs_.size();
      if (IsAmount(i, end)) {
        i = end;
        continue;
      }
      if (leading ? MayLead(end) : (trailing ? MayTrail(i, end) : end - i <= 3)) {
        for (std::size_t k = i; k < end; ++k) {
          const char letter = Letter(k);
          letters_for_[k] = letter != '\0' || leading || trailing ? letter : RareLetter(k);
          told_ |= letters_for_[k] != '\0' && !leading;
        }
        if (leading && At(0) == '8') {
          letters_for_[0] = letters_ >= 4 ? 'b' : '\0';
        }
      }
      i = end;
    }
  }

  // "$5k", "US$5"
  bool IsAmount(std::size_t begin, std::size_t end) const {
    const char32_t before = Before(begin);
    return (before == '$' || IsCurrency(before)) && (begin == 1 || end == glyphs_.size());
  }

  bool MayLead(std::size_t end) const {
    const std::size_t begin = glyphs_[end - 1].end;
    return end == 1 && letters_ >= 2 && !IsUnit(text_.substr(begin, glyphs_.back().end - begin));
  }

  // "shi7", "fr33" and "l33t0", but not "covid19" or "route66".
  bool MayTrail(std::size_t begin, std::size_t end) const {
    const std::size_t length = end - begin;
    if (told_) {
      return length <= 2;
    }
    const bool doubled = length == 2 && At(begin) == At(begin + 1);
    return letters_ >= 2 && (length == 1 || doubled);
  }

  void ReadSigns() {
    for (std::size_t i = 0; i < glyphs_.size(); ++i) {
      if (glyphs_[i].role == Role::kSign) {
        letters_for_[i] = SignLetter(i);
      }
    }
  }

  char SignLetter(std::size_t i) const {
    const char32_t sign = At(i);
    switch (sign) {
      case '@':
        return i > 0 || IsOddHandle() ? 'a' : '\0';
      case '$':
        return MoneyLetter(i, 's');
      case '!': {
        const bool sentence = IsUpper(At(i + 1)) && !IsUpper(Before(i));
        const bool several = At(i + 1) == '!' || Before(i) == '!';
        return Within(i) && !sentence && !several ? 'i' : '\0';
      }
      case '|':
        return Within(i) ? OneLetter(i) : '\0';
      case '+':
        return Within(i) && letters_ >= 3 ? 't' : '\0';
      case '(':
        return Within(i) && !closes_ ? 'c' : '\0';
      case 0x20AC:
        return MoneyLetter(i, 'e');
      case 0xA3:
        return MoneyLetter(i, 'l');
      case 0xA5:
        return MoneyLetter(i, 'y');
      case 0xA2:
        return MoneyLetter(i, 'c');
      default:
        return '\0';
    }
  }

  // Next to an amount it is money: "$100", "US$5", "5€".
  char MoneyLetter(std::size_t i, char letter) const {
    std::size_t first = i;
    while (first > 0 && At(first - 1) == At(i)) {
      --first;
    }
    std::size_t last = i;
    while (At(last + 1) == At(i)) {
      ++last;
    }
    const bool amount =
        IsDigit(At(last + 1)) || (IsDigit(Before(first)) && last + 1 == glyphs_.size());
    const bool word = Is(last + 1, Role::kLetter) || (first > 0 && Is(first - 1, Role::kLetter)) ||
                      (first > 0 && letters_for_[first - 1] != '\0');
    return word && !amount ? letter : '\0';
  }

  // "@ss", "@sshole", "@bus3": no name begins so, or it is spelled with more signs.
  bool IsOddHandle() const {
    const bool doubled = At(1) == At(2) && !IsVowel(At(1)) && Is(1, Role::kLetter);
    const bool signs = digits_ + letters_ + 1 < glyphs_.size();
    return glyphs_.size() <= 4 || doubled || told_ || signs;
  }

  std::string_view text_;
  std::vector<Glyph> glyphs_;
  std::vector<char> letters_for_;
  std::size_t letters_ = 0;
  std::size_t digits_ = 0;
  bool closes_;        // a ')' stands behind it
  bool told_ = false;  // a digit inside was a letter
};

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Mail and page addresses, whose digits and signs mean what they are.
bool IsAddress(std::string_view chunk) {
  if (chunk.find("://") != std::string_view::npos || chunk.starts_with("www.")) {
    return true;
  }
  const std::size_t at = chunk.find('@');
  if (at == std::string_view::npos || at == 0) {
    return false;
  }
  const std::size_t dot = chunk.find('.', at);
  return dot != std::string_view::npos && dot > at + 1 && dot + 2 < chunk.size() &&
         IsAsciiLetter(static_cast<unsigned char>(chunk[dot + 1])) &&
         IsAsciiLetter(static_cast<unsigned char>(chunk[dot + 2]));
}

// Translates the words of the chunk [begin, end), which has no white space.
void ReadChunk(std::string_view text, std::size_t begin, std::size_t end, Rewriter& rewriter) {
  if (IsAddress(text.substr(begin, end - begin))) {
    return;
  }
  std::vector<Glyph> glyphs;
  bool plain = true;
  const auto finish = [&](std::size_t at) {
    if (!plain && glyphs.size() <= kLongestWord) {
      Word(text, std::move(glyphs), at < end && text[at] == ')').Translate(rewriter);
    }
    glyphs.clear();
    plain = true;
  };
  for (std::size_t i = begin; i < end;) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    // A mark is part of the letter before it; behind a digit it makes a keycap.
    const bool letter =
        IsLetter(point.value) &&
        (point.value < 0x300 || unicode::KindOf(point.value) != unicode::Kind::kMark ||
         (!glyphs.empty() && glyphs.back().role == Role::kLetter));
    const bool digit = IsDigit(point.value);
    if (letter || digit || IsSign(point.value)) {
      plain &= letter;
      if (glyphs.size() <= kLongestWord) {
        glyphs.push_back({i, i + point.length, point.value,
                          letter ? Role::kLetter : (digit ? Role::kDigit : Role::kSign)});
      }
    } else {
      finish(i);
    }
    i += point.length;
  }
  finish(end);
}

}  // namespace

std::optional<MappedText> UndoLeet(const MappedText& source) {
  const std::string_view text = source.text;
  Rewriter rewriter(source);
  for (std::size_t i = 0; i < text.size();) {
    if (IsSpace(text[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    bool telling = false;
    for (; i < text.size() && !IsSpace(text[i]); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      telling |= byte >= 0x80 || IsDigit(byte) || IsSign(byte);
    }
    if (telling) {
      ReadChunk(text, begin, i, rewriter);
    }
  }
  return rewriter.Finish();
}

}  // namespace safeguard::moderation
