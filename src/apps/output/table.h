// A table for people: columns as wide as their content, one of them giving way when the line would
// be too long, and a style for each cell where colours are wanted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace safeguard::apps {

enum class Style { kPlain, kBold, kDim, kRed, kGreen, kYellow };

// `text` between the escape codes of `style`; as it is when `color` is false.
std::string Styled(std::string_view text, Style style, bool color);

struct Column {
  std::string title;
  bool align_right = false;
  bool flexible = false;  // shortened when the line is too long
};

struct Cell {
  std::string text;  // printable (display_text.h)
  Style style = Style::kPlain;
};

// REQUIRES: each row has one cell for each column.
std::string RenderTable(const std::vector<Column>& columns,
                        const std::vector<std::vector<Cell>>& rows, std::size_t width, bool color);

}  // namespace safeguard::apps
