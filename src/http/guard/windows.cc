#include "http/guard/windows.h"

#include <algorithm>

namespace safeguard::guard {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool ContinuesCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// Bytes of the sentence end at `at`, 0 when there is none: .!? before white space, a line's end,
// or a full-width mark.
std::size_t SentenceEnd(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (c == '\n') {
    return 1;
  }
  if (c == '.' || c == '!' || c == '?') {
    return at + 1 < text.size() && IsSpace(text[at + 1]) ? 1 : 0;
  }
  for (const std::string_view mark : {"\u3002", "\uFF01", "\uFF1F", "\u0964"}) {
    if (text.substr(at).starts_with(mark)) {
      return mark.size();
    }
  }
  return 0;
}

}  // namespace

std::optional<std::size_t> WindowEnd(std::string_view text, std::size_t begin, std::size_t ordinal,
                                     const WindowSizes& sizes) {
  const std::size_t part = ordinal == 0 ? 4 : ordinal == 1 ? 2 : 1;
  const std::size_t least = sizes.bytes_min / part;
  const std::size_t soft = sizes.bytes_soft / part;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const std::size_t size = at - begin;
    if (size >= sizes.bytes_max) {
      std::size_t cut = at;
      while (cut > begin + 1 && ContinuesCharacter(text[cut])) {
        --cut;
      }
      return cut;
    }
    const std::size_t ends = SentenceEnd(text, at);
    if (ends > 0 && size + ends >= least) {
      return at + ends;
    }
    if (IsSpace(text[at]) && size + 1 >= soft) {
      return at + 1;
    }
  }
  return std::nullopt;
}

std::size_t ContextBegin(std::string_view text, std::size_t begin, std::size_t overlap) {
  const std::size_t least = begin - std::min(begin, overlap);
  if (least == 0) {
    return 0;
  }
  std::size_t word = begin;
  for (std::size_t at = least; at < begin; ++at) {
    const std::size_t ends = SentenceEnd(text, at);
    if (ends > 0 && at + ends + overlap / 2 <= begin) {
      return at + ends;
    }
    word = word == begin && IsSpace(text[at]) ? at + 1 : word;
  }
  if (word < begin) {
    return word;
  }
  std::size_t at = least;
  while (at < begin && ContinuesCharacter(text[at])) {
    ++at;
  }
  return at;
}

bool IsBlank(std::string_view text) {
  return std::ranges::all_of(text, IsSpace);
}

}  // namespace safeguard::guard
