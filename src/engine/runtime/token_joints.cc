#include "engine/runtime/token_joints.h"

#include <algorithm>
#include <string>

#include "base/check.h"

namespace safeguard::engine {
namespace {

bool IsAscii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsNewline(char c) {
  return c == '\n' || c == '\r';
}
bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
// What the pattern's [^\s\p{L}\p{N}] matches in ASCII: signs and control characters.
bool IsSign(char c) {
  return IsAscii(c) && !IsDigit(c) && !IsLetter(c) && !IsSpace(c);
}

// Signs before `at`, then a letter: the last sign begins the letter's piece unless it belongs to a
// piece of signs already.
bool BreaksBeforeLetter(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && IsSign(text[begin - 1])) {
    --begin;
  }
  const std::size_t signs = at - begin;
  if (begin == 0) {
    return signs >= 2;
  }
  const char before = text[begin - 1];
  if (!IsAscii(before) || IsNewline(before)) {
    return false;  // an accent may join the signs; a newline may take slashes to itself
  }
  if (before == ' ') {
    return true;  // the space and the signs are one piece
  }
  return signs >= 2 && !(IsLetter(before) && text[begin] == '\'');  // 's, 't: contractions
}

bool BreaksBetween(std::string_view text, std::size_t at, char next) {
  const char previous = text[at - 1];
  if (!IsAscii(previous) || !IsAscii(next)) {
    return false;
  }
  if (IsSpace(previous)) {
    // Of several spaces the last stands apart only when text follows; a single one always does
    // before a digit, and begins the piece of anything else.
    return previous == ' ' && IsDigit(next) && at >= 2 && IsAscii(text[at - 2]) &&
           !IsSpace(text[at - 2]);
  }
  if (IsDigit(next) || IsDigit(previous)) {
    return !(IsDigit(next) && IsDigit(previous));  // digits join nothing but digits
  }
  if (IsLetter(previous)) {
    return !IsLetter(next) && next != '\'';
  }
  if (IsSign(previous)) {
    if (IsLetter(next)) {
      return BreaksBeforeLetter(text, at);
    }
    return IsSpace(next) && !IsNewline(next);
  }
  return false;
}

}  // namespace

bool SurelyBreaks(std::string_view text, std::size_t at, const ByteSet& next) {
  CHECK(at <= text.size());
  if (at == 0) {
    return true;
  }
  if (at < text.size()) {
    return BreaksBetween(text, at, text[at]);
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (next.test(byte) && !BreaksBetween(text, at, static_cast<char>(byte))) {
      return false;
    }
  }
  return true;
}

std::vector<std::uint32_t> ForcedTokens(const Vocabulary& vocabulary, const WrittenTokens& written,
                                        std::string_view run, const ByteSet& next) {
  const std::string text = std::string(written.text) + std::string(run);
  std::size_t end = text.size();
  while (end > written.text.size() && !SurelyBreaks(text, end, next)) {
    --end;
  }
  if (end == written.text.size()) {
    return {};
  }
  // Back to the last token end that is also a sure break: from there on the written ids must be
  // the tokenizer's own.
  std::size_t kept = written.ids.size();
  while (kept > 0 && !SurelyBreaks(text, written.ends[kept - 1], next)) {
    --kept;
  }
  const std::size_t begin = kept == 0 ? 0 : written.ends[kept - 1];
  const std::string_view part = std::string_view(text).substr(begin, end - begin);
  const std::vector<std::uint32_t> ids = vocabulary.Encode(part);
  const auto since = written.ids.subspan(kept);
  if (ids.size() <= since.size() || !std::equal(since.begin(), since.end(), ids.begin())) {
    return {};
  }
  std::string spelled;
  for (const std::uint32_t id : ids) {
    spelled += vocabulary.Bytes(id);
  }
  if (spelled != part) {
    return {};  // not a byte-exact tokenizer: leave it to sampling
  }
  return {ids.begin() + static_cast<std::ptrdiff_t>(since.size()), ids.end()};
}

}  // namespace safeguard::engine
