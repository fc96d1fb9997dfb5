#include "engine/runtime/regex_parser.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "engine/grammar.h"

namespace safeguard::engine {
namespace {

CharacterSet Digits() {
  return CharacterSet::Of('0', '9');
}

CharacterSet WordCharacters() {
  CharacterSet set = Digits();
  set.Add('a', 'z');
  set.Add('A', 'Z');
  set.Add('_', '_');
  return set;
}

CharacterSet Spaces() {
  CharacterSet set = CharacterSet::Of('\t', '\r');
  set.Add(' ', ' ');
  return set;
}

// Recursive descent: alternatives > sequence > repeated > atom. After the first error the end of
// the pattern seems reached, so that every loop ends.
class RegexParser {
 public:
  RegexParser(ExpressionArena& arena, std::string_view pattern, Spelling spelling, RegexMatch match)
      : arena_(arena), pattern_(pattern), spelling_(spelling), match_(match) {}

  Result<ExpressionId> Parse() {
    if (pattern_.size() > kRegexBytesMax) {
      return Fail(ErrorCode::kLimit,
                  "regular expression of " + std::to_string(pattern_.size()) + " bytes",
                  "at most " + std::to_string(kRegexBytesMax));
    }
    if (FirstInvalidUtf8(pattern_)) {
      return Fail(ErrorCode::kInvalidInput, "the regular expression is not valid UTF-8");
    }
    const ExpressionId all = TopLevel();
    if (!error_ && !AtEnd()) {
      Refuse("unmatched )");
    }
    if (error_) {
      return std::unexpected(std::move(*error_));
    }
    if (arena_.over_limit()) {
      return Fail(ErrorCode::kLimit, "the regular expression is too large",
                  "use fewer and shorter repetitions");
    }
    return all;
  }

 private:
  [[nodiscard]] bool AtEnd() const { return error_ || at_ >= pattern_.size(); }
  [[nodiscard]] char Peek() const { return AtEnd() ? '\0' : pattern_[at_]; }
  bool Take(char c) {
    if (AtEnd() || pattern_[at_] != c) {
      return false;
    }
    ++at_;
    return true;
  }
  bool Take(std::string_view text) {
    if (AtEnd() || !pattern_.substr(at_).starts_with(text)) {
      return false;
    }
    at_ += text.size();
    return true;
  }

  ExpressionId Refuse(const std::string& what, const std::string& hint = {}) {
    if (!error_) {
      error_ = Error{ErrorCode::kInvalidInput,
                     "regular expression, byte " + std::to_string(at_) + ": " + what, hint};
    }
    return kNothing;
  }

  ExpressionId Spell(const CharacterSet& set) { return SpellCharacter(arena_, set, spelling_); }

  ExpressionId AnyText() { return arena_.Repeat(Spell(CharacterSet::All()), 0, kUnbounded); }

  // Only here may ^ and $ stand: at the ends of the alternatives of the whole expression.
  ExpressionId TopLevel() {
    std::vector<ExpressionId> parts;
    do {
      const bool from_begin = Take('^') || match_ == RegexMatch::kWhole;
      ExpressionId part = Sequence(0);
      const bool to_end = Take('$') || match_ == RegexMatch::kWhole;
      if (!from_begin) {
        part = arena_.Concat(AnyText(), part);
      }
      parts.push_back(to_end ? part : arena_.Concat(part, AnyText()));
    } while (Take('|'));
    return arena_.Alternatives(std::move(parts));
  }

  ExpressionId Alternation(std::size_t depth) {
    std::vector<ExpressionId> parts;
    do {
      parts.push_back(Sequence(depth));
    } while (Take('|'));
    return arena_.Alternatives(std::move(parts));
  }

  ExpressionId Sequence(std::size_t depth) {
    std::vector<ExpressionId> parts;
    while (!AtEnd() && Peek() != '|' && Peek() != ')') {
      if (depth == 0 && Peek() == '$' && (at_ + 1 == pattern_.size() || pattern_[at_ + 1] == '|')) {
        break;
      }
      parts.push_back(Repeated(depth));
    }
    return arena_.Concat(parts);
  }

  ExpressionId Repeated(std::size_t depth) {
    ExpressionId part = Atom(depth);
    for (int count = 0; !AtEnd(); ++count) {
      std::uint32_t min = 0;
      std::uint32_t max = kUnbounded;
      if (Take('?')) {
        max = 1;
      } else if (Take('+')) {
        min = 1;
      } else if (Peek() == '{') {
        Counts(min, max);
      } else if (!Take('*')) {
        break;
      }
      if (count > 0) {
        return Refuse("a repetition of a repetition", "put the inner one into a group: (?:x+)*");
      }
      if (Take('+')) {
        return Refuse("possessive repetition is not supported");
      }
      Take('?');  // lazy: the same texts match
      if (!error_) {
        part = arena_.Repeat(part, min, max);
      }
    }
    return part;
  }

  void Counts(std::uint32_t& min, std::uint32_t& max) {
    ++at_;
    const std::optional<std::uint32_t> low = Number();
    const bool comma = Take(',');
    const std::optional<std::uint32_t> high = comma ? Number() : low;
    if (!low || !Take('}')) {
      Refuse("expected {m}, {m,} or {m,n}", "write \\{ for the character");
      return;
    }
    min = *low;
    max = high ? *high : kUnbounded;
    if (min > max || min > kRegexRepeatMax || (high && max > kRegexRepeatMax)) {
      Refuse("repetition out of range", "{m,n} needs m <= n <= " + std::to_string(kRegexRepeatMax));
    }
  }

  std::optional<std::uint32_t> Number() {
    std::optional<std::uint32_t> value;
    while (!AtEnd() && Peek() >= '0' && Peek() <= '9') {
      value = std::min<std::uint32_t>(value.value_or(0) * 10, 100 * kRegexRepeatMax) +
              static_cast<std::uint32_t>(Peek() - '0');
      ++at_;
    }
    return value;
  }

  ExpressionId Atom(std::size_t depth) {
    switch (Peek()) {
      case '(':
        return Group(depth);
      case '[':
        return Class();
      case '.': {
        ++at_;
        return Spell(CharacterSet::Of('\n', '\n').Complement());
      }
      case '\\': {
        const CharacterSet set = Escape(/*in_class=*/false);
        return error_ ? kNothing : Spell(set);
      }
      case '*':
      case '+':
      case '?':
      case '{':
        return Refuse(std::string("nothing to repeat before ") + Peek(),
                      std::string("write \\") + Peek() + " for the character");
      case '^':
      case '$':
        return Refuse("^ and $ may stand only at the ends of the expression",
                      "write \\^ or \\$ for the character");
      default:
        return Spell(Character());
    }
  }

  CharacterSet Character() {
    const DecodedCodePoint next = DecodeUtf8(pattern_, at_);
    at_ += next.length;
    return CharacterSet::Of(next.value, next.value);
  }

  ExpressionId Group(std::size_t depth) {
    if (depth + 1 > kRegexDepthMax) {
      return Refuse("groups nested more than " + std::to_string(kRegexDepthMax) + " deep");
    }
    ++at_;
    if (!Take("?:") && Peek() == '?') {
      return Refuse("only (...) and (?:...) are supported",
                    "look-ahead, look-behind, flags and named groups are not");
    }
    const ExpressionId inner = Alternation(depth + 1);
    return Take(')') ? inner : Refuse("missing )");
  }

  ExpressionId Class() {
    ++at_;
    const bool negated = Take('^');
    CharacterSet set;
    bool first = true;
    while (!AtEnd() && (first || Peek() != ']')) {
      first = false;
      if (Peek() == '[' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] == ':') {
        return Refuse("[:names:] are not supported", "write the range: a-z");
      }
      const CharacterSet low = Peek() == '\\' ? Escape(/*in_class=*/true) : Character();
      const bool range =
          !AtEnd() && Peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']';
      if (!range || error_) {
        set.Add(low);
        continue;
      }
      ++at_;
      const CharacterSet high = Peek() == '\\' ? Escape(/*in_class=*/true) : Character();
      if (error_ || !IsOne(low) || !IsOne(high) || One(low) > One(high)) {
        return Refuse("a range in [...] must go from a lower to a higher character");
      }
      set.Add(One(low), One(high));
    }
    if (!Take(']')) {
      return Refuse("missing ]");
    }
    return Spell(negated ? set.Complement() : set);
  }

  static bool IsOne(const CharacterSet& set) {
    return set.ranges().size() == 1 && set.ranges()[0].first == set.ranges()[0].second;
  }
  static std::uint32_t One(const CharacterSet& set) { return set.ranges()[0].first; }

  CharacterSet Escape(bool in_class) {
    ++at_;
    if (AtEnd()) {
      Refuse("\\ at the end");
      return {};
    }
    const char c = pattern_[at_++];
    switch (c) {
      case 'd':
        return Digits();
      case 'D':
        return Digits().Complement();
      case 'w':
        return WordCharacters();
      case 'W':
        return WordCharacters().Complement();
      case 's':
        return Spaces();
      case 'S':
        return Spaces().Complement();
      case 'x':
        return Hex(2);
      case 'u':
        return Hex(4);
      default:
        break;
    }
    constexpr std::string_view kLetters = "nrtfv0";
    constexpr std::string_view kMeanings{"\n\r\t\f\v\0", 6};
    const std::size_t at = kLetters.find(c);
    if (at != std::string_view::npos) {
      const auto meaning = static_cast<unsigned char>(kMeanings[at]);
      return CharacterSet::Of(meaning, meaning);
    }
    const auto byte = static_cast<unsigned char>(c);
    const bool letter_or_digit =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '1' && c <= '9');
    if (letter_or_digit || byte >= 0x80) {
      Refuse(std::string("\\") + (byte < 0x80 ? c : '?') + " is not supported" +
             (in_class ? " in [...]" : ""));
      return {};
    }
    return CharacterSet::Of(byte, byte);
  }

  CharacterSet Hex(int digits) {
    std::uint32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      constexpr std::string_view kHex = "0123456789abcdef";
      const char c = static_cast<char>(Peek() >= 'A' && Peek() <= 'F' ? Peek() + 32 : Peek());
      const std::size_t digit = AtEnd() ? std::string_view::npos : kHex.find(c);
      if (digit == std::string_view::npos) {
        Refuse("expected " + std::to_string(digits) + " hexadecimal digits");
        return {};
      }
      value = value * 16 + static_cast<std::uint32_t>(digit);
      ++at_;
    }
    if (value >= 0xD800 && value <= 0xDFFF) {
      Refuse("a surrogate is not a character");
      return {};
    }
    return CharacterSet::Of(value, value);
  }

  ExpressionArena& arena_;
  std::string_view pattern_;
  Spelling spelling_;
  RegexMatch match_;
  std::size_t at_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<ExpressionId> ParseRegex(ExpressionArena& arena, std::string_view pattern, Spelling spelling,
                                RegexMatch match) {
  return RegexParser(arena, pattern, spelling, match).Parse();
}

}  // namespace safeguard::engine
