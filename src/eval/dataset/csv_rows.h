// Rows of a CSV file (RFC 4180) over physical lines: quoted cells may hold delimiters, doubled
// quotes and newlines. A quote inside an unquoted cell is an ordinary character, as spreadsheets
// write it; anything but a delimiter after a closing quote is an error, because every guess at it
// would change somebody's words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/dataset/line_reader.h"

namespace safeguard::eval {

struct CsvRow {
  std::size_t line = 0;  // 1-based line on which the row begins
  std::uint64_t end_offset = 0;
  Result<std::vector<std::string>> cells;  // an error's message begins with "line N: "
};

class CsvRows {
 public:
  // `lines` must outlive the rows. A row has at most `row_bytes_max` bytes and kColumnsMax cells.
  CsvRows(LineReader& lines, char delimiter, std::size_t row_bytes_max);

  // The next row that is not blank; nothing at the end. After an error the reading goes on with the
  // next line.
  std::optional<CsvRow> Next();

 private:
  enum class State { kCellStart, kUnquoted, kQuoted, kQuoteInQuoted };

  Status Append(std::string_view line);
  Status Step(char byte);
  CsvRow Finish(std::size_t first_line, Status status);

  LineReader& lines_;
  char delimiter_;
  std::size_t row_bytes_max_;
  State state_ = State::kCellStart;
  std::vector<std::string> cells_;
  std::string cell_;
  std::size_t row_bytes_ = 0;
  Line line_;
};

// ',' ';' or tab, whichever stands most often outside quotes in `first_bytes` up to its first
// newline; ',' when none does.
char GuessDelimiter(std::string_view first_bytes);

}  // namespace safeguard::eval
