#include "apps/batch/batch_input.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>

#include "base/hash.h"
#include "base/utf8.h"

namespace safeguard::apps {
namespace {

// One content a line; blank lines are none.
class TextLines final : public eval::RecordReader {
 public:
  explicit TextLines(std::istream& in) : in_(in) {}

  std::optional<eval::Entry> Next() override {
    while (true) {
      std::string text;
      bool too_long = false;
      if (!ReadLine(text, too_long)) {
        return std::nullopt;
      }
      if (too_long) {
        return Failed("is longer than " + std::to_string(eval::kLineBytesMax) + " bytes",
                      "split it");
      }
      const std::size_t nul = text.find('\0');
      if (nul != std::string::npos) {
        return Failed("is binary: it has a NUL byte at offset " + std::to_string(nul),
                      "give it as UTF-8 text");
      }
      if (text.find_first_not_of(" \t\v\f") != std::string::npos) {
        return Made(text);
      }
    }
  }

 private:
  // False at the end.
  bool ReadLine(std::string& text, bool& too_long) {
    std::streambuf* buffer = in_.rdbuf();
    int byte = buffer->sbumpc();
    if (byte == std::streambuf::traits_type::eof()) {
      return false;
    }
    ++line_;
    for (; byte != std::streambuf::traits_type::eof(); byte = buffer->sbumpc()) {
      ++offset_;
      if (byte == '\n') {
        break;
      }
      too_long = too_long || text.size() >= eval::kLineBytesMax;
      if (!too_long) {
        text += static_cast<char>(byte);
      }
    }
    if (text.ends_with('\r')) {
      text.pop_back();
    }
    if (line_ == 1 && text.starts_with("\xEF\xBB\xBF")) {
      text.erase(0, 3);
    }
    return true;
  }

  [[nodiscard]] eval::Entry Failed(const std::string& what, const std::string& hint) const {
    return {line_, offset_,
            Fail(ErrorCode::kInvalidInput, "line " + std::to_string(line_) + ": " + what, hint)};
  }

  [[nodiscard]] eval::Entry Made(const std::string& text) const {
    eval::Record record;
    record.line = line_;
    RepairedText repaired = RepairUtf8(text);
    if (!repaired.replaced_at.empty()) {
      record.notes.push_back("invalid UTF-8 at byte " +
                             std::to_string(repaired.replaced_at.front()) +
                             " of the line was replaced");
    }
    record.content = moderation::UserMessage(std::move(repaired.text));
    return {line_, offset_, std::move(record)};
  }

  std::istream& in_;
  std::size_t line_ = 0;
  std::uint64_t offset_ = 0;
};

std::string FormatOf(const BatchInputOptions& options) {
  if (options.format != "auto") {
    return options.format;
  }
  const std::string extension = std::filesystem::path(options.path).extension().string();
  return extension == ".txt" || extension == ".text" ? "txt" : "auto";
}

eval::ReadOptions ReadOptionsOf(const BatchInputOptions& options) {
  eval::ReadOptions read;
  read.format = options.format == "jsonl" ? eval::DataFormat::kJsonl
                : options.format == "csv" ? eval::DataFormat::kCsv
                                          : eval::DataFormat::kAuto;
  read.mapping.text = options.text_field;
  read.mapping.id = options.id_field;
  read.mapping.read_labels = false;
  return read;
}

// What an entry says, whatever the bytes around it.
std::string Digest(const eval::Entry& entry) {
  std::string text = std::to_string(entry.line);
  if (!entry.record) {
    return text + "\nunreadable";
  }
  const moderation::Content& content = entry.record->content;
  for (const std::string& part : {content.id, content.surface, content.language}) {
    text += '\0' + part;
  }
  for (const moderation::Message& message : content.messages) {
    text += '\0' + std::string(moderation::ToString(message.role)) + '\0' + message.text;
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<BatchInput>> BatchInput::Open(const BatchInputOptions& options) {
  if (options.path == "-") {
    std::ios::sync_with_stdio(false);  // otherwise cin is read byte by byte
    return Read(std::cin, "standard input", options);
  }
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(options.path, error);
  std::unique_ptr<BatchInput> input;
  if (FormatOf(options) == "txt") {
    if (!std::filesystem::exists(options.path)) {
      return Fail(ErrorCode::kNotFound, options.path + " does not exist", "check the path");
    }
    if (std::filesystem::is_directory(options.path)) {
      return Fail(ErrorCode::kInvalidInput, options.path + " is a directory", "name a file in it");
    }
    auto file = std::make_unique<std::ifstream>(options.path, std::ios::binary);
    if (!*file) {
      return Fail(ErrorCode::kUnavailable, "cannot open " + options.path, "check the permissions");
    }
    Result<std::unique_ptr<BatchInput>> read = Read(*file, options.path, options);
    if (!read) {
      return read;
    }
    input = std::move(*read);
    input->file_ = std::move(file);
  } else {
    Result<std::unique_ptr<eval::RecordReader>> reader =
        eval::OpenRecords(options.path, ReadOptionsOf(options));
    if (!reader) {
      return std::unexpected(reader.error());
    }
    input.reset(new BatchInput);
    input->name_ = options.path;
    input->reader_ = std::move(*reader);
  }
  input->bytes_total_ = error ? 0 : bytes;
  return input;
}

Result<std::unique_ptr<BatchInput>> BatchInput::Read(std::istream& in, const std::string& name,
                                                     const BatchInputOptions& options) {
  std::unique_ptr<BatchInput> input(new BatchInput);
  input->name_ = name;
  if (FormatOf(options) == "txt") {
    input->reader_ = std::make_unique<TextLines>(in);
    return input;
  }
  Result<std::unique_ptr<eval::RecordReader>> reader =
      eval::ReadRecords(in, name, ReadOptionsOf(options));
  if (!reader) {
    return std::unexpected(reader.error());
  }
  input->reader_ = std::move(*reader);
  return input;
}

std::optional<eval::Entry> BatchInput::Next() {
  std::optional<eval::Entry> entry = reader_->Next();
  if (entry) {
    hash_ = Blake2bHex(hash_ + Digest(*entry));
    bytes_read_ = entry->end_offset;
  }
  return entry;
}

}  // namespace safeguard::apps
