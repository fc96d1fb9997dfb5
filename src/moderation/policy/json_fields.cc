#include "moderation/policy/json_fields.h"

#include <algorithm>

#include "base/utf8.h"
#include "moderation/policy/scan.h"
#include "moderation/policy/words.h"

namespace safeguard::moderation::reading {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

int HexDigit(char c) {
  const std::size_t at = std::string_view("0123456789abcdef").find(Lower({&c, 1}));
  return at == kNone ? -1 : static_cast<int>(at);
}

// "\u00e9" at `at` (of the u): its code point, or U+FFFD for what is none by itself.
char32_t HexPoint(std::string_view text, std::size_t at) {
  char32_t value = 0;
  for (std::size_t i = at + 1; i <= at + 4; ++i) {
    const int digit = i < text.size() ? HexDigit(text[i]) : -1;
    if (digit < 0) {
      return 0xFFFD;
    }
    value = value * 16 + static_cast<char32_t>(digit);
  }
  return value == 0 || (value >= 0xD800 && value <= 0xDFFF) ? 0xFFFD : value;
}

// The string that begins with the quotation mark at `at`; moves `at` behind it.
std::optional<std::string> ReadString(std::string_view text, std::size_t& at) {
  std::string out;
  for (++at; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      ++at;
      return out;
    }
    if (c != '\\') {
      out += c;
      continue;
    }
    if (++at >= text.size()) {
      break;
    }
    if (text[at] == 'u') {
      AppendUtf8(HexPoint(text, at), out);
      at = std::min(at + 4, text.size());
    } else {
      out += text[at] == 'n' ? '\n' : text[at] == 't' ? '\t' : text[at];
    }
  }
  return std::nullopt;
}

void SkipSpace(std::string_view text, std::size_t& at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) {
    ++at;
  }
}

// A value: a string without its marks, or the text of anything else, brackets and all.
std::optional<std::string> ReadValue(std::string_view text, std::size_t& at) {
  if (at < text.size() && text[at] == '"') {
    return ReadString(text, at);
  }
  const std::size_t begin = at;
  int depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      if (!ReadString(text, at)) {
        return std::nullopt;
      }
      --at;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']' || c == ',') {
      if (depth == 0) {
        break;
      }
      depth -= c == ',' ? 0 : 1;
    }
  }
  return std::string(Trim(text.substr(begin, at - begin)));
}

}  // namespace

std::optional<JsonExample> ReadJsonExample(std::string_view line) {
  line = Trim(line);
  if (!line.starts_with('{')) {
    return std::nullopt;
  }
  JsonExample example;
  std::size_t at = 1;
  bool content = false;
  while (at < line.size() && line[at] != '}') {
    SkipSpace(line, at);
    if (at >= line.size() || line[at] != '"') {
      return std::nullopt;
    }
    const std::optional<std::string> name = ReadString(line, at);
    SkipSpace(line, at);
    if (!name || at >= line.size() || line[at] != ':') {
      return std::nullopt;
    }
    SkipSpace(line, ++at);
    std::optional<std::string> value = ReadValue(line, at);
    if (!value) {
      return std::nullopt;
    }
    const std::string key = Lower(*name);
    if (!content && Contains(ContentFields(), key)) {
      example.text = *std::move(value);
      content = true;
    } else if (example.label.empty() && Contains(LabelFields(), key)) {
      example.label = *std::move(value);
    }
    SkipSpace(line, at);
    at += at < line.size() && line[at] == ',' ? 1 : 0;
    SkipSpace(line, at);
  }
  const bool closed = at < line.size();
  return closed && content && !example.text.empty() ? std::optional(example) : std::nullopt;
}

}  // namespace safeguard::moderation::reading
