#include "moderation/cascade/codecs.h"

#include <array>
#include <cstdint>
#include <utility>

#include "base/utf8.h"
#include "moderation/cascade/plausible.h"

namespace safeguard::moderation {
namespace {

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') {
    return c - 'A';
  }
  if (c >= 'a' && c <= 'z') {
    return c - 'a' + 26;
  }
  if (c >= '0' && c <= '9') {
    return c - '0' + 52;
  }
  if (c == '+' || c == '-') {
    return 62;
  }
  return c == '/' || c == '_' ? 63 : -1;
}

int Base32Value(char c) {
  if (c >= 'A' && c <= 'Z') {
    return c - 'A';
  }
  return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

// Digits of `bits` bits each, most significant first; the last bits that fill no byte are dropped.
std::optional<std::string> FromDigits(std::string_view digits, unsigned bits, int (*value)(char)) {
  std::string bytes;
  bytes.reserve(digits.size() * bits / 8);
  std::uint32_t held = 0;
  unsigned count = 0;
  for (const char c : digits) {
    const int digit = value(c);
    if (digit < 0) {
      return std::nullopt;
    }
    held = (held << bits) | static_cast<std::uint32_t>(digit);
    count += bits;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((held >> count) & 0xFFU);
      held &= (1U << count) - 1;
    }
  }
  if (count >= bits) {
    return std::nullopt;  // a whole digit too many: cut or no encoding at all
  }
  return bytes;
}

bool IsScalar(std::uint32_t c) {
  return c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

struct Number {
  std::uint32_t value = 0;
  std::size_t digits = 0;
};

// Up to `most` digits to the base 10 or 16.
Number ReadNumber(std::string_view text, std::size_t at, std::uint32_t base, std::size_t most) {
  Number number;
  while (number.digits < most && at + number.digits < text.size()) {
    const int digit = HexValue(text[at + number.digits]);
    if (digit < 0 || static_cast<std::uint32_t>(digit) >= base) {
      break;
    }
    number.value = number.value * base + static_cast<std::uint32_t>(digit);
    ++number.digits;
  }
  return number;
}

std::string Printable(std::uint32_t c) {
  std::string text;
  AppendUtf8(static_cast<char32_t>(c), text);
  return text;
}

// A number as the text it stands for, or nothing for controls and non-characters.
std::optional<std::string> TextOf(std::uint32_t c) {
  const bool line = c == '\t' || c == '\n' || c == '\r';
  if (!IsScalar(c) || (c < 0x20 && !line) || (c >= 0x7F && c < 0xA0)) {
    return std::nullopt;
  }
  return Printable(c);
}

// \uD83D\uDE00: the number of the pair, or of the half alone.
Number ReadUtf16(std::string_view text, std::size_t at) {
  Number high = ReadNumber(text, at, 16, 4);
  if (high.digits != 4 || high.value < 0xD800 || high.value > 0xDBFF ||
      text.substr(at + 4, 2) != "\\u") {
    return high;
  }
  const Number low = ReadNumber(text, at + 6, 16, 4);
  if (low.digits != 4 || low.value < 0xDC00 || low.value > 0xDFFF) {
    return high;
  }
  return {0x10000 + ((high.value - 0xD800) << 10) + (low.value - 0xDC00), 10};
}

// One escape other than \x, that starts at text[at] == '\\'.
std::optional<Reference> ReadUnicodeEscape(std::string_view text, std::size_t at) {
  const char kind = at + 1 < text.size() ? text[at + 1] : '\0';
  Number number;
  std::size_t around = 2;
  if (kind == 'u' && text.substr(at + 2, 1) == "{") {
    number = ReadNumber(text, at + 3, 16, 6);
    if (text.substr(at + 3 + number.digits, 1) != "}") {
      return std::nullopt;
    }
    around = 4;
  } else if (kind == 'u') {
    number = ReadUtf16(text, at + 2);
    if (number.digits < 4) {
      return std::nullopt;
    }
  } else if (kind == 'U') {
    number = ReadNumber(text, at + 2, 16, 8);
    if (number.digits < 8) {
      return std::nullopt;
    }
  }
  if (number.digits == 0) {
    return std::nullopt;
  }
  std::optional<std::string> decoded = TextOf(number.value);
  if (!decoded) {
    return std::nullopt;
  }
  return Reference{std::move(*decoded), number.digits + around};
}

// The printable UTF-8 at the start of a run of bytes, each written as `prefix` and two hex digits.
// Stops at the first code point that is none, so that the caller's walk stays linear.
std::optional<Reference> ReadByteRun(std::string_view text, std::size_t at,
                                     std::string_view prefix) {
  constexpr std::size_t kLongestCodePoint = 4;
  Reference run{{}, 0};
  std::string point;
  std::size_t next = at;
  while (point.size() < kLongestCodePoint && next < text.size() &&
         text.substr(next, prefix.size()) == prefix) {
    const Number number = ReadNumber(text, next + prefix.size(), 16, 2);
    if (number.digits != 2) {
      break;
    }
    point += static_cast<char>(number.value);
    next += prefix.size() + 2;
    if (IsPrintable(point)) {
      run.text += point;
      run.length = next - at;
      point.clear();
    }
  }
  return run.length == 0 ? std::nullopt : std::optional(std::move(run));
}

}  // namespace

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool IsBase64Char(char c) {
  return Base64Value(c) >= 0;
}

std::optional<std::string> FromBase64(std::string_view digits) {
  return FromDigits(digits, 6, Base64Value);
}

std::optional<std::string> FromBase32(std::string_view digits) {
  return FromDigits(digits, 5, Base32Value);
}

std::optional<std::string> FromHex(std::string_view digits) {
  return FromDigits(digits, 4, HexValue);
}

std::optional<Reference> ReadEntity(std::string_view text, std::size_t at) {
  static constexpr auto kNamed = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"&amp;", "&"},
      {"&lt;", "<"},
      {"&gt;", ">"},
      {"&quot;", "\""},
      {"&apos;", "'"},
      {"&nbsp;", " "},
      {"&shy;", ""},
      {"&zwnj;", ""},
      {"&zwj;", ""},
      {"&ZeroWidthSpace;", ""},
      {"&NoBreak;", ""},
  });
  if (text.substr(at, 2) != "&#") {
    for (const auto& [name, meaning] : kNamed) {
      if (text.substr(at, name.size()) == name) {
        return Reference{std::string(meaning), name.size()};
      }
    }
    return std::nullopt;
  }
  const bool hex = at + 2 < text.size() && (text[at + 2] | 0x20) == 'x';
  const std::size_t digits_at = at + (hex ? 3 : 2);
  constexpr std::size_t kMostDigits = 7;  // leading zeros allowed: &#0000107;
  const Number number = ReadNumber(text, digits_at, hex ? 16 : 10, kMostDigits);
  if (number.digits == 0) {
    return std::nullopt;
  }
  std::optional<std::string> decoded = TextOf(number.value);
  // Browsers read a reference without its semicolon too.
  const std::size_t end = digits_at + number.digits;
  const std::size_t semicolon = text.substr(end, 1) == ";" ? 1 : 0;
  if (!decoded) {
    return std::nullopt;
  }
  return Reference{std::move(*decoded), end + semicolon - at};
}

std::optional<Reference> ReadPercent(std::string_view text, std::size_t at) {
  return ReadByteRun(text, at, "%");
}

std::optional<Reference> ReadEscapes(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) == "\\x") {
    return ReadByteRun(text, at, "\\x");
  }
  return ReadUnicodeEscape(text, at);
}

}  // namespace safeguard::moderation
