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
  // origin_end[i], always whole code points. Both have text.size() entries. origin is
  // non-decreasing but for parts turned round in `reversed` and in the views made on top of it.
  std::vector<std::uint32_t> origin;
  std::vector<std::uint32_t> origin_end;
};

// The bytes [begin, end) of the original that the bytes [begin, end) of the view were made from,
// widened to whole code points: the smallest range that holds them all, with what was dropped in
// between. An empty view range maps to an empty original range. Linear in end - begin.
// REQUIRES: begin <= end <= view.text.size().
std::pair<std::size_t, std::size_t> MapToOriginal(const View& view, std::size_t begin,
                                                  std::size_t end);

// The original first, then every view that differs from all before it. Each is made on top of the
// one before (but `tags`, which stands alone), so that stacked disguises are undone together; what
// a stage changes is normalised again. In this order:
//   tags        text hidden in Unicode tag characters or in runs of variation selectors
//   normalised  undrawn characters dropped (zero-width, bidi, tags, soft hyphens, controls);
//               letters in another dress (fullwidth, mathematical, circled, small capital) in plain
//               ones (NFKC for letters; typography of honest text stays); stacks of more than two
//               combining marks taken off, the rest composed; words mixed with or made of
//               look-alikes of Latin letters in Latin letters (Unicode TS 39); case kept
//   base64, base32, hex, percent, entities, escapes, or `decoded` when it was several kinds:
//               encoded runs decoded where they stand, at most twice
//   reversed    lines and clauses that read only backwards, and those shown so by U+202E
//   rot13       lines and clauses that read only in rot13
//   despaced    runs of single letters joined: "f r e e   m o n e y", "k.i.l.l", "b-u-y"
//   leet        digits and signs inside words read as letters: "fr33 m0n3y", "@ss", "$cam"
// Honest text of any language is left alone as far as rules can tell it. Clean text gives one view,
// at the cost of a scan. At most 8 views, together at most 4 times the input and 256 bytes: beyond
// that views in the middle of the chain are left out, for its end has undone all that they have.
// Deterministic, thread-safe. REQUIRES: `text` valid UTF-8 of at most 16 MiB.
std::vector<View> CanonicalViews(std::string_view text);

// Sentences (Unicode TR 29 and line breaks), as half-open byte ranges without white space at their
// ends that together cover every character that is not white space, in order. Sentences longer than
// `bytes_max` are cut behind white space, else at word boundaries, and a longer word at a code
// point; a range exceeds `bytes_max` only by one code point that is longer than it.
// Thread-safe; linear time. REQUIRES: valid UTF-8 of less than 2 GiB, bytes_max > 0.
std::vector<std::pair<std::size_t, std::size_t>> Sentences(std::string_view text,
                                                           std::size_t bytes_max);

}  // namespace safeguard::moderation
