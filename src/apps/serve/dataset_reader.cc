#include "apps/serve/dataset_reader.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <utility>

#include "moderation/file_store.h"

namespace safeguard::apps {
namespace {

using eval::Record;
using http::DatasetMapping;

constexpr std::size_t kErrorsTold = 5;
constexpr std::size_t kValuesTold = 8;

// A file of the folder for as long as this lives.
class Scratch {
 public:
  static Result<Scratch> Write(const std::string& folder, const std::string& name,
                               const moderation::ByteSource& bytes) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) {
      return Fail(ErrorCode::kUnavailable, folder + " cannot be made: " + failed.message());
    }
    Scratch scratch(folder + "/" + name);
    std::ofstream file(scratch.path_, std::ios::binary);
    const Status copied =
        moderation::ForEachPiece(bytes, [&](std::size_t, std::string_view piece) -> Status {
          file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
          return file ? Status() : Unwritable(scratch.path_);
        });
    file.close();
    if (!copied || !file) {
      return copied ? Unwritable(scratch.path_) : std::unexpected(copied.error());
    }
    return scratch;
  }
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    if (!path_.empty()) {
      std::error_code ignored;  // it is in nobody's way
      std::filesystem::remove(path_, ignored);
    }
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  static std::unexpected<Error> Unwritable(const std::string& path) {
    return Fail(ErrorCode::kUnavailable, path + " cannot be written", "is the disk full?");
  }

  std::string path_;
};

eval::ColumnMapping ColumnsOf(const DatasetMapping& mapping) {
  eval::ColumnMapping columns;
  const std::pair<const char*, std::string*> places[] = {
      {"text", &columns.text},         {"messages", &columns.messages},
      {"prompt", &columns.prompt},     {"response", &columns.response},
      {"label", &columns.label},       {"id", &columns.id},
      {"rules", &columns.rules},       {"surface", &columns.surface},
      {"language", &columns.language}, {"tags", &columns.tags}};
  for (const auto& [name, place] : places) {
    if (const auto field = mapping.fields.find(name); field != mapping.fields.end()) {
      *place = field->second;
    }
  }
  columns.label_columns = mapping.labels;
  columns.tag_columns = mapping.slices;
  columns.positive_values = mapping.positive;
  columns.negative_values = mapping.negative;
  return columns;
}

// Errors of eval/ speak of files and of the command line's --map.
Error Told(Error error, const std::string& path, const std::string& name) {
  const auto replace = [](std::string& text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) {
      text.replace(at, what.size(), by);
    }
  };
  for (std::string* text : {&error.message, &error.hint}) {
    replace(*text, path, name);
    for (const char* field : {"label", "id"}) {
      replace(*text, std::string("--map ") + field + "=NAME",
              std::string("\"mapping\": {\"") + field + "\": NAME}");
    }
    replace(*text, "id=- for none", "\"-\" for none");
  }
  return error;
}

// A field that is mapped and that no record has: in JSONL no header tells.
Status CheckFieldsUsed(const DatasetMapping& mapping, const eval::Dataset& data) {
  const std::pair<const char*, std::function<bool(const Record&)>> uses[] = {
      {"id", [](const Record& record) { return !record.content.id.empty(); }},
      {"rules", [](const Record& record) { return !record.rule_ids.empty(); }},
      {"surface", [](const Record& record) { return !record.content.surface.empty(); }},
      {"language", [](const Record& record) { return !record.content.language.empty(); }},
      {"tags", [](const Record& record) { return !record.tags.empty(); }}};
  for (const auto& [name, is_there] : uses) {
    const auto field = mapping.fields.find(name);
    if (field != mapping.fields.end() && field->second != eval::kNoField &&
        std::ranges::none_of(data.records, is_there)) {
      return Fail(ErrorCode::kInvalidInput,
                  data.name + ": no record has the field \"" + field->second +
                      "\" that is to be its " + name,
                  "the fields are " + data.fields);
    }
  }
  return {};
}

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Values that are named for one side of the label, and none of which is there, are misspelled: all
// records would stand on the other side.
Status CheckSide(const char* side, const std::vector<std::string>& values,
                 const eval::Dataset& data) {
  std::vector<std::pair<std::string, std::size_t>> there;  // labels, and where each is first
  for (const Record& record : data.records) {
    const auto is_this = [&](const std::string& value) {
      return Lower(value) == Lower(record.label);
    };
    if (std::ranges::any_of(values, is_this)) {
      return {};
    }
    if (there.size() < kValuesTold && !record.label.empty() &&
        std::ranges::find(there, record.label, &std::pair<std::string, std::size_t>::first) ==
            there.end()) {
      there.emplace_back(record.label, record.line);
    }
  }
  std::string labels;
  for (const auto& [label, line] : there) {
    labels +=
        (labels.empty() ? "" : ", ") + label.substr(0, 80) + " (line " + std::to_string(line) + ")";
  }
  return Fail(ErrorCode::kInvalidInput,
              data.name + ": no record has a label that the mapping's \"" + side + "\" names",
              labels.empty() ? "name the label's field" : "the labels are " + labels);
}

Status CheckMapping(const DatasetMapping& mapping, const eval::Dataset& data) {
  if (mapping.empty()) {
    return {};
  }
  if (!data.errors.empty()) {
    Error error = data.errors.front();
    error.message = data.name + ": " + error.message;
    return std::unexpected(std::move(error));
  }
  Status status = CheckFieldsUsed(mapping, data);
  if (status && mapping.labels.empty() && !mapping.positive.empty()) {
    status = CheckSide("positive", mapping.positive, data);
  }
  if (status && mapping.labels.empty() && !mapping.negative.empty()) {
    status = CheckSide("negative", mapping.negative, data);
  }
  return status;
}

}  // namespace

Result<eval::Dataset> LoadSent(const std::string& folder, const moderation::ByteSource& bytes,
                               const std::string& name, const DatasetMapping& mapping) {
  const Result<Scratch> file = Scratch::Write(folder, moderation::NewId("data-"), bytes);
  if (!file) {
    return std::unexpected(file.error());
  }
  eval::ReadOptions options;
  options.mapping = ColumnsOf(mapping);
  Result<eval::Dataset> data = eval::LoadDataset("generic", file->path(), options);
  if (!data) {
    return std::unexpected(Told(data.error(), file->path(), name));
  }
  data->name = name;
  data->path = name;
  const Status good = CheckMapping(mapping, *data);
  return good ? std::move(data) : std::unexpected(Told(good.error(), file->path(), name));
}

http::DatasetReader DatasetReaderIn(const std::string& folder) {
  return [folder](const moderation::ByteSource& bytes, const std::string& name,
                  const http::DatasetMapping& mapping) -> Result<http::DatasetFacts> {
    const Result<eval::Dataset> data = LoadSent(folder, bytes, name, mapping);
    if (!data) {
      return std::unexpected(data.error());
    }
    http::DatasetFacts facts;
    facts.records = data->records.size();
    facts.line_errors = data->error_count;
    for (const eval::Record& record : data->records) {
      ++(!record.expected                                      ? facts.unlabelled
         : *record.expected == moderation::Outcome::kViolation ? facts.violations
                                                               : facts.safe);
    }
    for (const Error& error :
         std::span(data->errors).first(std::min(data->errors.size(), kErrorsTold))) {
      facts.first_errors.push_back(Describe(error));
    }
    return facts;
  };
}

}  // namespace safeguard::apps
