#include "judges/screen/plain_text.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace safeguard::judges {
namespace {

constexpr std::size_t kTagBytesMax = 40;
constexpr std::size_t kLinkBytesMax = 2000;
constexpr std::size_t kBracketBytesMax = 80;

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0;
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// "SP2.a", "#SP", "AR3": one that the policy uses, or of such a shape.
bool IsId(std::string_view word, const moderation::Policy& policy) {
  if (policy.FindRule(word) != nullptr || policy.FindLevel(word) != nullptr) {
    return true;
  }
  const bool hash = word.starts_with('#');
  if (hash) {
    word.remove_prefix(1);
  }
  std::size_t at = 0;
  while (at < word.size() && std::isupper(static_cast<unsigned char>(word[at])) != 0) {
    ++at;
  }
  if (at == 0 || at > 6) {
    return false;
  }
  const std::string_view rest = word.substr(at);
  const bool digit = !rest.empty() && std::isdigit(static_cast<unsigned char>(rest[0])) != 0;
  return (hash || digit) && std::all_of(rest.begin(), rest.end(), [](char c) {
           return c == '.' || std::isalnum(static_cast<unsigned char>(c)) != 0;
         });
}

bool HoldsOnlyIds(std::string_view inside, const moderation::Policy& policy) {
  bool any = false;
  for (std::size_t at = 0; at < inside.size();) {
    if (IsSpace(inside[at]) || inside[at] == ',' || inside[at] == ';' || inside[at] == '/') {
      ++at;
      continue;
    }
    const std::size_t end = std::min(inside.find_first_of(" \t\r\n,;/", at), inside.size());
    const std::string_view word = inside.substr(at, end - at);
    if (word != "and" && word != "or") {
      if (!IsId(word, policy)) {
        return false;
      }
      any = true;
    }
    at = end;
  }
  return any;
}

// The end of a bracket that opens at `at`, behind it; 0: it does not close soon.
std::size_t BehindBracket(std::string_view text, std::size_t at, char close, std::size_t bytes) {
  const std::size_t end = text.substr(0, std::min(text.size(), at + bytes)).find(close, at + 1);
  return end == std::string_view::npos ? 0 : end + 1;
}

// How many bytes at `at` are dress; 0: none, the byte is text.
std::size_t DressAt(std::string_view text, std::size_t at, const moderation::Policy& policy) {
  const char c = text[at];
  const char before = at == 0 ? ' ' : text[at - 1];
  const char after = at + 1 < text.size() ? text[at + 1] : ' ';
  if (c == '`' || c == '|') {
    return 1;
  }
  if ((c == '*' || c == '_' || c == '~') && after == c) {
    return 2;
  }
  if (c == '*' || c == '_') {  // inside a word it is a letter someone hid, or a name
    return IsWordByte(before) && IsWordByte(after) ? 0 : 1;
  }
  if (c == '\\' && std::ispunct(static_cast<unsigned char>(after)) != 0) {
    return 1;
  }
  if (c == '#' && (after == '#' || after == ' ')) {
    return 1;
  }
  if (c == '<' && (std::isalpha(static_cast<unsigned char>(after)) != 0 || after == '/')) {
    const std::size_t end = BehindBracket(text, at, '>', kTagBytesMax);
    return end == 0 ? 0 : end - at;
  }
  if (c == '(' || c == '[') {
    const std::size_t end = BehindBracket(text, at, c == '(' ? ')' : ']', kBracketBytesMax);
    const bool ids = end != 0 && HoldsOnlyIds(text.substr(at + 1, end - at - 2), policy);
    if (ids) {
      return end - at;
    }
  }
  return 0;
}

}  // namespace

std::string PlainText(std::string_view text, const moderation::Policy& policy) {
  std::string plain;
  const auto append = [&plain](char c) {
    if (!IsSpace(c)) {
      plain += c;
    } else if (!plain.empty() && plain.back() != ' ') {
      plain += ' ';
    }
  };
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t dress = DressAt(text, at, policy); dress > 0) {
      if (text[at] == '|' || text[at] == '<') {
        append(' ');
      }
      at += dress;
      if (text[at - 1] == '\\' && at < text.size()) {
        append(text[at++]);
      }
      continue;
    }
    // A link's text stays, its target goes.
    const std::size_t inside = text[at] == '[' ? BehindBracket(text, at, ']', kLinkBytesMax) : 0;
    if (inside > 0 && text.substr(inside).starts_with('(')) {
      if (const std::size_t end = BehindBracket(text, inside, ')', kLinkBytesMax); end > 0) {
        plain += PlainText(text.substr(at + 1, inside - at - 2), policy);
        at = end;
        continue;
      }
    }
    append(text[at++]);
  }
  const std::size_t last = plain.find_last_not_of(" .,;:");
  plain.resize(last == std::string::npos ? 0 : last + 1);
  return plain;
}

}  // namespace safeguard::judges
