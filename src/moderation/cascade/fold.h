// Text folded for comparison: lower case, runs of white space as one space. Remembers only where
// the lengths differ, so that a long text costs little more than its copy.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace safeguard::moderation {

struct Folded {
  std::string text;  // valid UTF-8

  // The bytes [begin, end) of the folded text as bytes of the text it was made from, widened to
  // whole code points. REQUIRES: begin < end <= text.size().
  [[nodiscard]] std::pair<std::size_t, std::size_t> MapBack(std::size_t begin,
                                                            std::size_t end) const;

  // A piece of the source that became a piece of another length; in order. Between two of them both
  // run on byte by byte.
  struct Piece {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t source_begin = 0;
    std::size_t source_end = 0;
  };
  std::vector<Piece> pieces;
};

struct FoldOptions {
  bool keep_lines = false;  // white space with a line end in it becomes "\n"
  bool plain_signs =
      false;  // signs drawn like ASCII ones become them: quotes, brackets, bars, dashes
};

// Linear time. REQUIRES: valid UTF-8.
Folded Fold(std::string_view text, FoldOptions options = {});

// Fold(text).text without a space at its ends: for short texts whose places do not matter.
std::string FoldedTrimmed(std::string_view text);

}  // namespace safeguard::moderation
