#include "apps/output/table.h"

#include <algorithm>

#include "apps/output/display_text.h"
#include "base/check.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kFlexibleMin = 12;

std::vector<std::size_t> Widths(const std::vector<Column>& columns,
                                const std::vector<std::vector<Cell>>& rows, std::size_t width) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    widths.push_back(DisplayWidth(columns[c].title));
    for (const std::vector<Cell>& row : rows) {
      CHECK(row.size() == columns.size());
      widths[c] = std::max(widths[c], DisplayWidth(row[c].text));
    }
  }
  std::size_t total = kGap * (columns.size() - 1);
  for (const std::size_t w : widths) {
    total += w;
  }
  for (std::size_t c = 0; c < columns.size() && total > width; ++c) {
    if (columns[c].flexible) {
      const std::size_t spare = widths[c] - std::min(widths[c], kFlexibleMin);
      const std::size_t cut = std::min(spare, total - width);
      widths[c] -= cut;
      total -= cut;
    }
  }
  return widths;
}

std::string RenderRow(const std::vector<Column>& columns, const std::vector<Cell>& cells,
                      const std::vector<std::size_t>& widths, bool color) {
  std::string line;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::string text = Shorten(cells[c].text, std::max<std::size_t>(widths[c], 1));
    const std::string padding(widths[c] - std::min(widths[c], DisplayWidth(text)), ' ');
    const bool last = c + 1 == columns.size();
    if (columns[c].align_right) {
      line += padding;
    }
    line += Styled(text, cells[c].style, color);
    if (!last) {
      line += columns[c].align_right ? "" : padding;
      line.append(kGap, ' ');
    }
  }
  while (!line.empty() && line.back() == ' ') {
    line.pop_back();
  }
  return line + "\n";
}

}  // namespace

std::string Styled(std::string_view text, Style style, bool color) {
  if (!color || style == Style::kPlain || text.empty()) {
    return std::string(text);
  }
  const char* code = "";
  switch (style) {
    case Style::kPlain:
      break;
    case Style::kBold:
      code = "1";
      break;
    case Style::kDim:
      code = "2";
      break;
    case Style::kRed:
      code = "1;31";
      break;
    case Style::kGreen:
      code = "32";
      break;
    case Style::kYellow:
      code = "33";
      break;
  }
  return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
}

std::string RenderTable(const std::vector<Column>& columns,
                        const std::vector<std::vector<Cell>>& rows, std::size_t width, bool color) {
  CHECK(!columns.empty());
  const std::vector<std::size_t> widths = Widths(columns, rows, width);
  std::vector<Cell> titles;
  titles.reserve(columns.size());
  for (const Column& column : columns) {
    titles.push_back({column.title, Style::kBold});
  }
  std::string out = RenderRow(columns, titles, widths, color);
  for (const std::vector<Cell>& row : rows) {
    out += RenderRow(columns, row, widths, color);
  }
  return out;
}

}  // namespace safeguard::apps
