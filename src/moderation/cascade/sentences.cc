#include <algorithm>

#include "base/check.h"
#include "base/unicode/breaks.h"
#include "base/unicode/characters.h"
#include "base/utf8.h"
#include "moderation/views.h"

namespace safeguard::moderation {
namespace {

using ByteRange = std::pair<std::size_t, std::size_t>;

bool IsAsciiSpace(unsigned char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool IsSpaceAt(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte < 0x80 ? IsAsciiSpace(byte)
                     : unicode::KindOf(DecodeUtf8(text, at).value) == unicode::Kind::kSpace;
}

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

// The start of the code point that `at` lies in.
std::size_t PointStart(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && IsContinuation(text[at])) {
    --at;
  }
  return at;
}

ByteRange Trim(std::string_view text, ByteRange range) {
  auto [begin, end] = range;
  while (begin < end && IsSpaceAt(text, begin)) {
    begin += DecodeUtf8(text, begin).length;
  }
  while (begin < end) {
    const std::size_t last = PointStart(text, end - 1);
    if (!IsSpaceAt(text, last)) {
      break;
    }
    end = last;
  }
  return {begin, end};
}

// Where to cut a range of more than `bytes_max` bytes that starts at `begin`: behind the last white
// space of the second half, else at a word boundary, else at a code point.
std::size_t CutAt(std::string_view text, std::size_t begin, std::size_t bytes_max) {
  const std::size_t limit = begin + bytes_max;
  for (std::size_t i = limit; i > begin + bytes_max / 2; --i) {
    if (IsAsciiSpace(static_cast<unsigned char>(text[i - 1]))) {
      return i;
    }
  }
  // A little more than fits, so that a boundary at the very end is seen as one.
  constexpr std::size_t kBeyond = 32;
  const std::size_t window = PointStart(text, std::min(limit + kBeyond, text.size()));
  const std::size_t word =
      unicode::LastWordBoundary(text.substr(begin, window - begin), limit - begin);
  if (word > 0) {
    return begin + word;
  }
  const std::size_t point = PointStart(text, limit);
  return point > begin ? point : begin + DecodeUtf8(text, begin).length;
}

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> Sentences(std::string_view text,
                                                           std::size_t bytes_max) {
  CHECK(bytes_max > 0);
  std::vector<ByteRange> sentences;
  std::size_t from = 0;
  for (const std::size_t stop : unicode::SentenceEnds(text)) {
    auto [begin, end] = Trim(text, {from, stop});
    from = stop;
    while (begin < end) {
      const bool fits = end - begin <= bytes_max;
      const std::size_t cut =
          fits ? end : std::min(end, CutAt(text.substr(0, end), begin, bytes_max));
      const ByteRange piece = Trim(text, {begin, cut});
      if (piece.first < piece.second) {
        sentences.push_back(piece);
      }
      begin = Trim(text, {cut, end}).first;
    }
  }
  return sentences;
}

}  // namespace safeguard::moderation
