#include "eval/dataset/spam_sheet.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "eval/dataset/csv_rows.h"
#include "eval/dataset/label_values.h"
#include "eval/dataset/line_reader.h"
#include "eval/severity.h"

namespace safeguard::eval {
namespace {

constexpr std::size_t kNumberColumn = 0;
constexpr std::size_t kTextColumn = 1;
constexpr std::size_t kLabelColumn = 9;

std::string Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos
             ? std::string()
             : std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin));
}

std::string Cell(const std::vector<std::string>& cells, std::size_t column) {
  return column < cells.size() ? Trim(cells[column]) : std::string();
}

// "SP0", "SP4": what both the section rows and the labels look like.
bool IsLevel(std::string_view text) {
  return text.size() == 3 && text.starts_with("SP") && text[2] >= '0' && text[2] <= '9';
}

Record MakeRecord(const CsvRow& row, const std::string& section, const std::string& label) {
  const std::vector<std::string>& cells = *row.cells;
  Record record;
  record.line = row.line;
  record.content = moderation::UserMessage(RepairUtf8(cells[kTextColumn]).text);
  record.content.id = section + "-" + Cell(cells, kNumberColumn);
  record.label = label;
  record.level = SeverityOf(label);
  record.expected =
      label.back() == '0' ? moderation::Outcome::kSafe : moderation::Outcome::kViolation;
  record.tags = {"section:" + section};
  return record;
}

}  // namespace

Status ReadSpamSheet(const std::string& path, bool label_by_section, Dataset& dataset) {
  std::ifstream file(path, std::ios::binary);
  LineReader lines(file, kLineBytesMax);
  CsvRows rows(lines, ',', kLineBytesMax);
  std::string section;
  while (std::optional<CsvRow> row = rows.Next()) {
    if (!row->cells) {
      return std::unexpected(row->cells.error());
    }
    const std::string first = Cell(*row->cells, kNumberColumn);
    const std::string text = Cell(*row->cells, kTextColumn);
    const std::string label = Cell(*row->cells, kLabelColumn);
    if (IsLevel(first) && text.empty()) {
      section = first;
    } else if (!text.empty() && IsLevel(label) && !section.empty()) {
      dataset.records.push_back(MakeRecord(*row, section, label_by_section ? section : label));
    }
  }
  return {};
}

}  // namespace safeguard::eval
