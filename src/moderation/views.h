// Canonical views: the same content as an evader's reader sees it. Content is judged as it is and
// in every view; the highest score counts, so a view can only add suspicion.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace safeguard::moderation {

struct View {
  std::string name;  // "original", "normalised", "leet", "despaced", ...
  std::string text;  // valid UTF-8
  // Byte i of `text` was made from the bytes of the original that begin at origin[i] and end before
  // origin_end[i]. Both have text.size() entries; origin is non-decreasing.
  std::vector<std::uint32_t> origin;
  std::vector<std::uint32_t> origin_end;
};

// The bytes [begin, end) of the original that the bytes [begin, end) of the view were made from,
// widened to whole code points. An empty view range maps to an empty original range.
std::pair<std::size_t, std::size_t> MapToOriginal(const View& view, std::size_t begin,
                                                  std::size_t end);

// The original first, then every view that differs from all before it. The names and what each
// does:
//   normalised  NFKC; zero-width, bidi, tag, soft-hyphen and variation characters removed; stacks
//   of
//               more than two combining marks cut; confusables of other scripts inside a word
//               written as the Latin letters they imitate (Unicode TS 39 skeleton); case kept
//   despaced    runs of single letters joined: "f r e e  m o n e y", "k.i.l.l", "b-u-y"
//   leet        digits and signs inside words read as letters: "fr33 m0n3y", "@ss", "$cam"
// Clean text gives one view, at the cost of a scan. REQUIRES: `text` valid UTF-8 of at most 16 MB.
std::vector<View> CanonicalViews(std::string_view text);

// Sentences (Unicode TR 29 and line breaks), as half-open byte ranges that cover all of `text` but
// leading and trailing white space; sentences longer than `bytes_max` are cut at word boundaries,
// and a longer word at a code point.
std::vector<std::pair<std::size_t, std::size_t>> Sentences(std::string_view text,
                                                           std::size_t bytes_max);

}  // namespace safeguard::moderation
