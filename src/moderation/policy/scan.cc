#include "moderation/policy/scan.h"

#include <array>
#include <span>
#include <utility>

#include "base/utf8.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool IsSpace(char32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || (c >= 0x2000 && c <= 0x200F) ||
         c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF || c == 0x2028 || c == 0x2029;
}

char32_t LowerPoint(char32_t c) {
  if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) ||
      (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F)) {
    return c + 0x20;
  }
  return c >= 0x400 && c <= 0x40F ? c + 0x50 : c;
}

// Letters and digits of any script, and the zero-width non-joiner that Persian writes inside words.
bool IsWordPoint(char32_t c) {
  if (c < 0x80) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }
  const bool punctuation =
      (c >= 0xA0 && c <= 0xBF) || c == 0xD7 || c == 0xF7 || c == 0x60C || c == 0x61B ||
      c == 0x61F || c == 0x66A || c == 0x6D4 || (c >= 0x2000 && c <= 0x2BFF && c != 0x200C) ||
      (c >= 0x3000 && c <= 0x301F) || c == 0xFEFF || c == 0xFE0F || (c >= 0xFF00 && c <= 0xFF0F) ||
      (c >= 0xFF1A && c <= 0xFF20) || c >= 0x1F000;
  return !punctuation;
}

// Nearly all of a policy is ASCII, and decoding is what reading costs most of.
DecodedCodePoint PointAt(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte < 0x80 ? DecodedCodePoint{byte, 1, true} : DecodeUtf8(text, at);
}

bool IsApostrophe(char32_t c) {
  return c == '\'' || c == 0x2019;
}

bool IsPictograph(char32_t c) {
  return c >= 0x1F000 || (c >= 0x2600 && c <= 0x2793) || (c >= 0x2795 && c <= 0x2797) ||
         (c >= 0x2B00 && c <= 0x2BFF) || c == 0x203C || c == 0x2049 || c == 0x274C;
}

Side PictographSide(char32_t c) {
  switch (c) {
    case 0x2705:   // white heavy check mark
    case 0x2714:   // heavy check mark
    case 0x2713:   // check mark
    case 0x2611:   // ballot box with check
    case 0x1F7E2:  // green circle
    case 0x1F44D:  // thumbs up
    case 0x1F197:  // squared OK
    case 0x1F49A:  // green heart
      return Side::kSafe;
    case 0x274C:   // cross mark
    case 0x274E:   // negative squared cross mark
    case 0x2716:   // heavy multiplication
    case 0x2717:   // ballot x
    case 0x2718:   // heavy ballot x
    case 0x26D4:   // no entry
    case 0x1F6AB:  // prohibited
    case 0x1F6D1:  // stop sign
    case 0x1F534:  // red circle
    case 0x1F44E:  // thumbs down
    case 0x1F6A8:  // police light
      return Side::kViolating;
    default:
      return Side::kNone;
  }
}

std::size_t MatchAny(std::string_view text, std::span<const std::string_view> choices) {
  for (const std::string_view choice : choices) {
    if (text.starts_with(choice)) {
      return choice.size();
    }
  }
  return 0;
}

constexpr std::array<std::string_view, 14> kQuotes = {"\"", "“", "”",  "„",  "«",  "»",  "‘",
                                                      "’",  "'", "「", "」", "『", "』", "‟"};
constexpr std::array<std::string_view, 5> kDashes = {"-", "–", "—", "‑", "−"};
constexpr std::array<std::string_view, 8> kArrows = {"-->", "->", "=>", "→", "⇒", "➔", "➜", "⟶"};

// "Política" -> "politica": Latin-1 letters without their marks, in lower case.
std::string PlainLatin(std::string_view text) {
  constexpr std::string_view plain = "aaaaaaaceeeeiiiidnooooo/ouuuuyts";  // from U+00E0
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = PointAt(text, i);
    const char32_t lower = LowerPoint(point.value);
    if (lower == 0xDF) {
      out += "ss";
    } else if (lower >= 0xE0 && lower < 0x100 && lower != 0xF7) {
      out += plain[lower - 0xE0];
    } else {
      AppendUtf8(point.value, out);
    }
    i += point.length;
  }
  return out;
}

// "[text](address)" at `at`: the bytes of the whole link, with the text; 0 when it is none.
std::size_t LinkAt(std::string_view text, std::size_t at, std::string_view* inner) {
  const std::size_t window = 512;  // keeps a line of brackets linear
  const std::size_t close = text.substr(at, window).find("](");
  if (close == kNone) {
    return 0;
  }
  const std::size_t end = text.substr(at + close, 2 * window).find(')');
  if (end == kNone) {
    return 0;
  }
  *inner = text.substr(at + 1, close - 1);
  return inner->find('[') == kNone ? close + end + 1 : 0;
}

}  // namespace

bool IsAsciiUpper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool IsAsciiDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsAsciiAlpha(char c) {
  return IsAsciiUpper(c) || (c >= 'a' && c <= 'z');
}

std::string_view TrimLeft(std::string_view text) {
  while (!text.empty()) {
    const DecodedCodePoint point = PointAt(text, 0);
    if (!IsSpace(point.value)) {
      break;
    }
    text.remove_prefix(point.length);
  }
  return text;
}

std::string_view TrimRight(std::string_view text) {
  while (!text.empty()) {
    std::size_t at = text.size() - 1;
    while (at > 0 && text.size() - at < 4 &&
           (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) {
      --at;
    }
    if (!IsSpace(PointAt(text, at).value)) {
      break;
    }
    text.remove_suffix(text.size() - at);
  }
  return text;
}

std::string_view Trim(std::string_view text) {
  return TrimRight(TrimLeft(text));
}

std::string Lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = PointAt(text, i);
    AppendUtf8(LowerPoint(point.value), out);
    i += point.length;
  }
  return out;
}

std::vector<std::string> Words(std::string_view text, std::size_t limit) {
  std::vector<std::string> words;
  std::string word;
  for (std::size_t i = 0; i < text.size() && words.size() < limit;) {
    const DecodedCodePoint point = PointAt(text, i);
    i += point.length;
    if (IsWordPoint(point.value)) {
      AppendUtf8(LowerPoint(point.value), word);
    } else if (IsApostrophe(point.value) && !word.empty() && i < text.size() &&
               (IsAsciiAlpha(text[i]) || static_cast<unsigned char>(text[i]) >= 0x80)) {
      if (word == "n") {
        words.emplace_back("ne");  // French: n'est -> ne, est
        word.clear();
      } else if (word.size() == 1 || word == "qu") {
        word.clear();  // l', d', qu'
      } else {
        word += '\'';
      }
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty() && words.size() < limit) {
    words.push_back(std::move(word));
  }
  return words;
}

std::string StripMarkup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    std::string_view inner;
    if (c == '\\' && next > ' ' && next < 0x7F && !IsAsciiAlpha(next) && !IsAsciiDigit(next)) {
      out += next;
      i += 2;
    } else if ((c == '*' && next == '*') || (c == '_' && next == '_')) {
      i += 2;
    } else if (c == '`') {
      ++i;
    } else if (c == '[') {
      const std::size_t bytes = LinkAt(text, i, &inner);
      out.append(bytes > 0 ? inner : text.substr(i, 1));
      i += bytes > 0 ? bytes : 1;
    } else {
      out += c;
      ++i;
    }
  }
  // A line that is emphasised as a whole: *text* or _text_.
  const std::string_view all = Trim(out);
  if (all.size() > 2 && (all.front() == '*' || all.front() == '_') && all.back() == all.front() &&
      all.find(all.front(), 1) == all.size() - 1) {
    return std::string(Trim(all.substr(1, all.size() - 2)));
  }
  return std::string(all);
}

Mark LeadingMark(std::string_view text) {
  Mark mark;
  if (text.empty() || static_cast<unsigned char>(text.front()) < 0x80) {
    return mark;
  }
  const std::string_view start = text;
  while (!text.empty()) {
    const DecodedCodePoint point = PointAt(text, 0);
    const bool joiner = mark.bytes > 0 && (point.value == 0xFE0F || point.value == 0x200D);
    if (!IsPictograph(point.value) && point.value != 0x2713 && !joiner) {
      break;
    }
    if (mark.side == Side::kNone) {
      mark.side = PictographSide(point.value);
    }
    text = TrimLeft(text.substr(point.length));
    mark.bytes = start.size() - text.size();
  }
  return mark;
}

std::size_t QuoteBytes(std::string_view text) {
  return MatchAny(text, kQuotes);
}
std::size_t DashBytes(std::string_view text) {
  return MatchAny(text, kDashes);
}
std::size_t ArrowBytes(std::string_view text) {
  return MatchAny(text, kArrows);
}

Span LastArrow(std::string_view text) {
  Span found;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '"' && c != '-' && c != '=' && c != '\xE2') {
      continue;  // no other byte begins a quotation mark or an arrow
    }
    const std::string_view rest = text.substr(i);
    if (c == '"') {
      quoted = !quoted;
    } else if (rest.starts_with("“")) {
      quoted = true;
    } else if (rest.starts_with("”")) {
      quoted = false;
    } else if (const std::size_t bytes = ArrowBytes(rest); bytes > 0) {
      found = quoted ? found : Span{i, bytes};
      i += bytes - 1;
    }
  }
  return found;
}

std::string_view Unquote(std::string_view text) {
  text = Trim(text);
  const std::size_t open = QuoteBytes(text);
  if (open == 0 || text.size() < 2 * open) {
    return text;
  }
  // “text" with marks of two kinds
  const std::string_view first = text.substr(0, open);
  const std::string_view other = first == "\"" ? "”" : first == "“" ? "\"" : std::string_view{};
  if (!other.empty() && text.size() >= open + other.size() && text.ends_with(other)) {
    return Trim(text.substr(open, text.size() - open - other.size()));
  }
  for (const std::string_view close : kQuotes) {
    if (text.size() >= open + close.size() && text.ends_with(close) && close.size() == open) {
      return Trim(text.substr(open, text.size() - open - close.size()));
    }
  }
  return text;
}

bool IsAllCaps(std::string_view text) {
  text = text.substr(0, text.find('('));
  int letters = 0;
  for (const char c : text) {
    if (c >= 'a' && c <= 'z') {
      return false;
    }
    letters += IsAsciiUpper(c) ? 1 : 0;
  }
  return letters >= 2;
}

std::string AsciiDigits(std::string_view text) {
  std::string out;
  constexpr std::array<char32_t, 5> zeros = {0x660, 0x6F0, 0x966, 0x9E6, 0xFF10};
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = PointAt(text, i);
    char32_t value = point.value;
    for (const char32_t zero : zeros) {
      if (value >= zero && value <= zero + 9) {
        value = U'0' + (value - zero);
      }
    }
    AppendUtf8(value, out);
    i += point.length;
  }
  return out;
}

bool EqualsNoCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && Lower(a) == Lower(b);
}

std::size_t FindNoCase(std::string_view text, std::string_view lower_needle) {
  return Lower(text).find(lower_needle);
}

std::string Slug(std::string_view text) {
  std::string out;
  for (const char c : PlainLatin(text)) {
    if (IsAsciiAlpha(c) || IsAsciiDigit(c)) {
      out += IsAsciiUpper(c) ? static_cast<char>(c + 0x20) : c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') {
    out.pop_back();
  }
  return out;
}

}  // namespace safeguard::moderation::reading
