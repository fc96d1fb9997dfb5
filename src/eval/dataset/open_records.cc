#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/gzip.h"
#include "base/utf8.h"
#include "eval/dataset.h"
#include "eval/dataset/csv_rows.h"
#include "eval/dataset/encoding.h"
#include "eval/dataset/field_names.h"
#include "eval/dataset/json_line.h"
#include "eval/dataset/line_reader.h"
#include "eval/dataset/record_builder.h"

namespace safeguard::eval {
namespace {

using nlohmann::json;

// Valid UTF-8 in place; a note for each text that was not, with the first offset.
void Repair(std::string& text, const std::string& where, std::vector<std::string>& notes) {
  const std::optional<std::size_t> first = FirstInvalidUtf8(text);
  if (!first) {
    return;
  }
  RepairedText repaired = RepairUtf8(text);
  const std::size_t count = repaired.replaced_at.size();
  const std::string encoding = GuessEncoding(text);
  notes.push_back(kInvalidUtf8Note + std::to_string(*first) + " of " + where + " was replaced" +
                  (count > 1 ? " (" + std::to_string(count) + " places in all)" : "") +
                  (encoding.empty() ? "" : "; it looks like " + encoding));
  text = std::move(repaired.text);
}

std::unexpected<Error> CannotRead(const std::string& name) {
  return Fail(ErrorCode::kUnavailable, "cannot read on in " + name,
              "check the disk; a compressed file may be damaged or cut short");
}

class JsonlReader final : public RecordReader {
 public:
  JsonlReader(std::unique_ptr<std::istream> owned, std::unique_ptr<LineReader> lines,
              std::string name, const ColumnMapping& mapping)
      : owned_(std::move(owned)),
        lines_(std::move(lines)),
        name_(std::move(name)),
        builder_(mapping) {}

  std::optional<Entry> Next() override {
    while (lines_->Next(line_)) {
      if (line_.too_long || line_.text.find_first_not_of(" \t\r\v\f") != std::string::npos) {
        return Entry{.line = line_.number, .end_offset = line_.end_offset, .record = ReadLine()};
      }
    }
    if (lines_->failed() && !std::exchange(failed_, true)) {
      return Entry{
          .line = line_.number + 1, .end_offset = line_.end_offset, .record = CannotRead(name_)};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string fields() const override { return fields_; }

 private:
  Result<Record> ReadLine() {
    const auto fail = [this](Error error) {
      return std::unexpected(AtLine(line_.number, std::move(error)));
    };
    if (line_.too_long) {
      return fail({.code = ErrorCode::kLimit,
                   .message = "longer than " + std::to_string(kLineBytesMax) + " bytes",
                   .hint = "split the content"});
    }
    std::vector<std::string> notes;
    Repair(line_.text, "the line", notes);
    Result<json> object = ParseJson(line_.text);
    if (!object) {
      return fail(object.error());
    }
    if (!object->is_object()) {
      return fail({.code = ErrorCode::kInvalidInput,
                   .message = std::string("this is ") + object->type_name() + ", not an object",
                   .hint = "write one JSON object on each line"});
    }
    if (fields_.empty()) {
      fields_ = Fields(*object).Describe();
    }
    Result<Record> record = builder_.Build(*object, line_.number);
    if (record) {
      record->notes = std::move(notes);
    }
    return record;
  }

  std::unique_ptr<std::istream> owned_;
  std::unique_ptr<LineReader> lines_;
  std::string name_;
  RecordBuilder builder_;
  Line line_;
  std::string fields_;
  bool failed_ = false;
};

class CsvReader final : public RecordReader {
 public:
  CsvReader(std::unique_ptr<std::istream> owned, std::unique_ptr<LineReader> lines,
            std::string name, const ReadOptions& options)
      : owned_(std::move(owned)),
        lines_(std::move(lines)),
        name_(std::move(name)),
        rows_(*lines_,
              options.delimiter == '\0' ? GuessDelimiter(lines_->FirstBytes()) : options.delimiter,
              kLineBytesMax),
        builder_(options.mapping),
        has_header_(options.has_header) {}

  // Skips what stands before the header and reads it. Checks that it has a column for the content.
  Status ReadHeader(std::size_t skip_rows) {
    for (std::size_t i = 0; i < skip_rows; ++i) {
      rows_.Next();
    }
    if (!has_header_) {
      return {};
    }
    std::optional<CsvRow> row = rows_.Next();
    if (!row) {
      return {};  // an empty file has no records
    }
    if (!row->cells) {
      return std::unexpected(row->cells.error());
    }
    std::vector<std::string> ignored;
    for (std::string& cell : *row->cells) {
      Repair(cell, "the header", ignored);
      columns_.push_back(std::move(cell));
    }
    return builder_.CheckColumns(columns_, row->line);
  }

  std::optional<Entry> Next() override {
    std::optional<CsvRow> row = rows_.Next();
    if (row) {
      last_line_ = row->line;
      last_offset_ = row->end_offset;
      return Entry{.line = row->line,
                   .end_offset = row->end_offset,
                   .record = row->cells ? ReadRow(*row) : std::unexpected(row->cells.error())};
    }
    if (lines_->failed() && !std::exchange(failed_, true)) {
      return Entry{.line = last_line_ + 1, .end_offset = last_offset_, .record = CannotRead(name_)};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string fields() const override {
    json header = json::object();
    for (const std::string& column : columns_) {
      header[column] = "";
    }
    return Fields(header).Describe();
  }

 private:
  Result<Record> ReadRow(CsvRow& row) {
    std::vector<std::string>& cells = *row.cells;
    json object = json::object();
    std::vector<std::string> notes;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (has_header_ && i >= columns_.size()) {
        if (cells[i].find_first_not_of(" \t\r\n") == std::string::npos) {
          continue;
        }
        return std::unexpected(AtLine(
            row.line, {.code = ErrorCode::kInvalidInput,
                       .message = "the row has " + std::to_string(cells.size()) +
                                  " cells where the header has " + std::to_string(columns_.size()),
                       .hint = "put quotes around a text that holds the delimiter"}));
      }
      const std::string column = has_header_ ? columns_[i] : std::to_string(i + 1);
      Repair(cells[i], "column \"" + column + "\"", notes);
      if (!object.contains(column)) {  // of two columns with one name the first counts
        object[column] = std::move(cells[i]);
      }
    }
    Result<Record> record = builder_.Build(object, row.line);
    if (record) {
      record->notes = std::move(notes);
    }
    return record;
  }

  std::unique_ptr<std::istream> owned_;
  std::unique_ptr<LineReader> lines_;
  std::string name_;
  CsvRows rows_;
  RecordBuilder builder_;
  bool has_header_;
  std::vector<std::string> columns_;
  std::size_t last_line_ = 0;
  std::uint64_t last_offset_ = 0;
  bool failed_ = false;
};

Status CheckFirstBytes(std::string_view bytes, const std::string& name) {
  if (bytes.starts_with("\x1F\x8B") || bytes.starts_with("PK\x03\x04")) {
    return Fail(ErrorCode::kInvalidInput, name + " is compressed",
                "unpack it first, for example with zcat or unzip -p");
  }
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    return Fail(ErrorCode::kInvalidInput, name + " is UTF-16",
                "save it as UTF-8, for example with: iconv -f UTF-16 -t UTF-8");
  }
  if (const std::string encoding = GuessWideEncoding(bytes); !encoding.empty()) {
    return Fail(ErrorCode::kInvalidInput, name + " looks like " + encoding + " without a mark",
                "save it as UTF-8, for example with: iconv -f " + encoding + " -t UTF-8");
  }
  if (bytes.substr(0, 4096).find('\0') != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidInput, name + " is a binary file, not text",
                "give a JSONL or CSV file");
  }
  return {};
}

// bytes.size() when there is none.
std::size_t FirstTextByte(std::string_view bytes) {
  return std::min(bytes.find_first_not_of("\xEF\xBB\xBF \t\r\n"), bytes.size());
}

DataFormat GuessFormat(std::string_view bytes) {
  const std::string_view text = bytes.substr(FirstTextByte(bytes));
  const bool json_like = text.starts_with('{') || text.starts_with('[');
  return json_like ? DataFormat::kJsonl : DataFormat::kCsv;
}

Result<std::unique_ptr<RecordReader>> MakeReader(std::unique_ptr<std::istream> owned,
                                                 std::istream& in, const std::string& name,
                                                 const ReadOptions& options) {
  auto lines = std::make_unique<LineReader>(in, kLineBytesMax);
  const std::string_view first_bytes = lines->FirstBytes();
  if (Status status = CheckFirstBytes(first_bytes, name); !status) {
    return std::unexpected(status.error());
  }
  const DataFormat format =
      options.format == DataFormat::kAuto ? GuessFormat(first_bytes) : options.format;
  if (format == DataFormat::kJsonl) {
    if (first_bytes.substr(FirstTextByte(first_bytes)).starts_with('[')) {
      return Fail(ErrorCode::kInvalidInput, name + " is one JSON list, not JSONL",
                  "write one object on each line, for example with: jq -c '.[]'");
    }
    return std::make_unique<JsonlReader>(std::move(owned), std::move(lines), name, options.mapping);
  }
  auto reader = std::make_unique<CsvReader>(std::move(owned), std::move(lines), name, options);
  if (Status status = reader->ReadHeader(options.skip_rows); !status) {
    Error error = std::move(status.error());
    error.message = name + ", " + error.message;
    return std::unexpected(std::move(error));
  }
  return reader;
}

}  // namespace

Result<std::unique_ptr<RecordReader>> OpenRecords(const std::string& path,
                                                  const ReadOptions& options) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Fail(ErrorCode::kNotFound, path + " does not exist", "check the path");
  }
  if (std::filesystem::is_directory(status)) {
    return Fail(ErrorCode::kInvalidInput, path + " is a directory", "name a file in it");
  }
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file) {
    return Fail(ErrorCode::kUnavailable, "cannot open " + path, "check the permissions");
  }
  // A pipe cannot be looked into and begun again.
  if (std::filesystem::is_regular_file(status) && file->get() == 0x1F && file->get() == 0x8B) {
    Result<std::unique_ptr<std::istream>> unpacked = OpenGzip(path);
    if (!unpacked) {
      return std::unexpected(unpacked.error());
    }
    std::istream& in = **unpacked;
    return MakeReader(std::move(*unpacked), in, path, options);
  }
  if (std::filesystem::is_regular_file(status)) {
    file->clear();
    file->seekg(0);
  }
  std::istream& in = *file;
  return MakeReader(std::move(file), in, path, options);
}

Result<std::unique_ptr<RecordReader>> ReadRecords(std::istream& in, const std::string& name,
                                                  const ReadOptions& options) {
  return MakeReader(nullptr, in, name, options);
}

}  // namespace safeguard::eval
