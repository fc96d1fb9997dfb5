#include "eval/dataset/csv_rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "eval/dataset.h"

namespace safeguard::eval {
namespace {

bool IsBlankRow(const std::vector<std::string>& cells) {
  return std::ranges::all_of(cells, [](const std::string& cell) {
    return cell.find_first_not_of(" \t\r\v\f") == std::string::npos;
  });
}

Error AtLine(std::size_t line, Error error) {
  error.message = "line " + std::to_string(line) + ": " + error.message;
  return error;
}

}  // namespace

CsvRows::CsvRows(LineReader& lines, char delimiter, std::size_t row_bytes_max)
    : lines_(lines), delimiter_(delimiter), row_bytes_max_(row_bytes_max) {}

std::optional<CsvRow> CsvRows::Next() {
  while (lines_.Next(line_)) {
    const std::size_t first_line = line_.number;
    state_ = State::kCellStart;
    cells_.clear();
    cell_.clear();
    row_bytes_ = 0;
    Status status = Append(line_.text);
    while (status && state_ == State::kQuoted) {
      if (!lines_.Next(line_)) {
        status = Fail(ErrorCode::kInvalidInput,
                      "a quote opens here and never closes; the " +
                          std::to_string(line_.number - first_line) +
                          " lines after it could not be read",
                      "close the quote, or write a quote inside a quoted cell twice");
        break;
      }
      cell_ += '\n';
      status = Append(line_.text);
    }
    CsvRow row = Finish(first_line, std::move(status));
    if (!row.cells || !IsBlankRow(*row.cells)) {
      return row;
    }
  }
  return std::nullopt;
}

Status CsvRows::Append(std::string_view line) {
  row_bytes_ += line.size() + 1;
  if (line_.too_long || row_bytes_ > row_bytes_max_) {
    return Fail(ErrorCode::kLimit,
                "the row is longer than " + std::to_string(row_bytes_max_) + " bytes at line " +
                    std::to_string(line_.number),
                "look for a quote that is never closed, or split the text");
  }
  for (const char byte : line) {
    if (Status status = Step(byte); !status) {
      return status;
    }
  }
  return {};
}

Status CsvRows::Step(char byte) {
  const bool delimiter = byte == delimiter_;
  if (state_ == State::kQuoted) {
    if (byte == '"') {
      state_ = State::kQuoteInQuoted;
    } else {
      cell_ += byte;
    }
    return {};
  }
  if (delimiter) {
    if (cells_.size() + 1 >= kColumnsMax) {
      return Fail(ErrorCode::kLimit,
                  "the row has more than " + std::to_string(kColumnsMax) + " cells",
                  "check the delimiter");
    }
    cells_.push_back(std::exchange(cell_, {}));
    state_ = State::kCellStart;
    return {};
  }
  if (byte == '"' && state_ != State::kUnquoted) {
    if (state_ == State::kQuoteInQuoted) {
      cell_ += '"';
    }
    state_ = State::kQuoted;
    return {};
  }
  if (state_ == State::kQuoteInQuoted) {
    return Fail(ErrorCode::kInvalidInput,
                "text follows the closing quote of cell " + std::to_string(cells_.size() + 1) +
                    " at line " + std::to_string(line_.number),
                "write a quote inside a quoted cell twice");
  }
  cell_ += byte;
  state_ = State::kUnquoted;
  return {};
}

CsvRow CsvRows::Finish(std::size_t first_line, Status status) {
  if (!status) {
    return {.line = first_line,
            .end_offset = line_.end_offset,
            .cells = std::unexpected(AtLine(first_line, std::move(status.error())))};
  }
  cells_.push_back(std::exchange(cell_, {}));
  return {.line = first_line, .end_offset = line_.end_offset, .cells = std::exchange(cells_, {})};
}

char GuessDelimiter(std::string_view first_bytes) {
  constexpr std::array<char, 3> kCandidates = {',', ';', '\t'};
  std::array<std::size_t, 3> counts{};
  bool quoted = false;
  for (const char byte : first_bytes) {
    if (byte == '"') {
      quoted = !quoted;
    } else if (byte == '\n' && !quoted) {
      break;
    } else if (!quoted) {
      for (std::size_t i = 0; i < kCandidates.size(); ++i) {
        counts[i] += byte == kCandidates[i] ? 1 : 0;
      }
    }
  }
  const auto best = std::ranges::max_element(counts);  // the first of equals: ','
  return kCandidates[static_cast<std::size_t>(best - counts.begin())];
}

}  // namespace safeguard::eval
