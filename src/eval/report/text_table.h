// Tables for a terminal: columns as wide as their widest cell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace safeguard::eval {

class TextTable {
 public:
  // The first column is aligned to the left, all others to the right.
  explicit TextTable(std::vector<std::string> header);

  // REQUIRES: as many cells as the header.
  void Add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }
  // Each line begins with `indent` and ends with a newline; no trailing white space.
  [[nodiscard]] std::string Render(std::string_view indent) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Columns that valid UTF-8 text takes in a terminal: two for East Asian wide characters and emoji,
// none for combining marks (an approximation of Unicode TR 11).
std::size_t DisplayWidth(std::string_view text);

}  // namespace safeguard::eval
