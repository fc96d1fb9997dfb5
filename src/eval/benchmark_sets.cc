#include "eval/benchmark_sets.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "eval/dataset/spam_sheet.h"
#include "eval/golden_set.h"

namespace safeguard::eval {
namespace {

namespace fs = std::filesystem;

constexpr auto kNames = std::to_array<std::string_view>(
    {"golden", "generic", "openai-moderation", "toxicchat", "openai-spam", "openai-spam-sections",
     "teen-safety", "teen-safety-prompts"});

using Files = std::vector<std::string>;

Result<std::string> HashFile(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) {
    return std::unexpected(file.error());
  }
  const std::span<const std::byte> bytes = (*file)->bytes();
  return Blake2bHex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Status Hash(const Files& files, Dataset& dataset) {
  std::string hashes;
  for (const std::string& file : files) {
    Result<std::string> hash = HashFile(file);
    if (!hash) {
      return std::unexpected(hash.error());
    }
    hashes += *hash;
  }
  dataset.hash = files.size() == 1 ? hashes : Blake2bHex(hashes);
  return {};
}

Status ReadInto(const std::string& path, const ReadOptions& options,
                const std::function<void(Record&)>& finish, Dataset& dataset) {
  auto reader = OpenRecords(path, options);
  if (!reader) {
    return std::unexpected(reader.error());
  }
  while (std::optional<Entry> entry = (*reader)->Next()) {
    if (!entry->record) {
      ++dataset.error_count;
      if (dataset.errors.size() < kErrorsKeptMax) {
        dataset.errors.push_back(std::move(entry->record.error()));
      }
      continue;
    }
    if (dataset.records.size() == kRecordsMax) {
      return Fail(ErrorCode::kLimit,
                  path + " has more than " + std::to_string(kRecordsMax) + " records",
                  "evaluate on a sample of it");
    }
    finish(*entry->record);
    dataset.records.push_back(std::move(*entry->record));
  }
  return {};
}

// The files with this extension in a folder, in order of name; a file stands for itself.
Result<Files> FilesAt(const std::string& path, std::string_view extension) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return Files{path};
  }
  Files files;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
    if (entry.is_regular_file(error) && entry.path().extension() == extension) {
      files.push_back(entry.path().string());
    }
  }
  if (files.empty()) {
    return Fail(ErrorCode::kNotFound, path + " holds no " + std::string(extension) + " file",
                "name the file");
  }
  std::ranges::sort(files);
  return files;
}

// One file of the set: in a folder the only one with the extension.
Result<std::string> FileAt(const std::string& path, std::string_view extension) {
  Result<Files> files = FilesAt(path, extension);
  if (!files) {
    return std::unexpected(files.error());
  }
  if (files->size() > 1) {
    return Fail(ErrorCode::kInvalidInput,
                path + " holds several " + std::string(extension) + " files", "name one of them");
  }
  return files->front();
}

// `label` names one of the eight: then the record is what that label says, and a missing label is
// unknown, as in the published figures per category.
Status LoadModeration(const std::string& path, const std::string& label, Dataset& dataset) {
  const fs::path given(path);
  // Compressed: the plain file beside it holds the same records.
  Result<std::string> file =
      FileAt(given.extension() == ".gz" ? given.parent_path().string() : path, ".jsonl");
  if (!file) {
    return Fail(ErrorCode::kInvalidInput, path + " cannot be read: " + file.error().message,
                "unpack it (gunzip -k) or name the plain .jsonl file");
  }
  ReadOptions options;
  options.format = DataFormat::kJsonl;
  options.mapping.text = "prompt";
  options.mapping.label_columns = {"S", "H", "V", "HR", "SH", "S3", "H2", "V2"};
  options.mapping.missing_label_is_negative = true;
  if (!label.empty() && std::ranges::find(options.mapping.label_columns, label) ==
                            options.mapping.label_columns.end()) {
    return Fail(ErrorCode::kInvalidInput, "this set has no label \"" + label + "\"",
                "its labels are S, H, V, HR, SH, S3, H2 and V2");
  }
  const auto choose = [&label](Record& record) {
    for (const LabelValue& value : record.labels) {
      if (value.name == label) {
        record.label = value.positive ? (*value.positive ? "1" : "0") : "";
        record.expected.reset();
        if (value.positive) {
          record.expected =
              *value.positive ? moderation::Outcome::kViolation : moderation::Outcome::kSafe;
        }
      }
    }
  };
  dataset.path = *file;
  const Status status = ReadInto(*file, options, choose, dataset);
  return status ? Hash({*file}, dataset) : status;
}

Status LoadToxicChat(const std::string& path, Dataset& dataset) {
  // The two flags beside the label are read as labels too and become tags.
  ReadOptions options;
  options.mapping.label_columns = {"toxicity", "human_annotation", "jailbreaking"};
  const auto finish = [](Record& record) {
    const std::optional<bool> toxic = record.labels.front().positive;  // of toxicity
    record.expected.reset();
    if (toxic) {
      record.expected = *toxic ? moderation::Outcome::kViolation : moderation::Outcome::kSafe;
    }
    record.label = toxic ? (*toxic ? "1" : "0") : "";
    for (const LabelValue& label : record.labels) {
      if (label.name != "toxicity" && label.positive.value_or(false)) {
        record.tags.push_back(label.name);
      }
    }
    record.labels.clear();
  };
  const Status status = ReadInto(path, options, finish, dataset);
  return status ? Hash({path}, dataset) : status;
}

Status LoadSpam(const std::string& path, bool label_by_section, Dataset& dataset) {
  Result<std::string> file = FileAt(path, ".csv");
  if (!file) {
    return std::unexpected(file.error());
  }
  dataset.path = *file;
  if (const Status status = Hash({*file}, dataset); !status) {
    return status;
  }
  return ReadSpamSheet(*file, label_by_section, dataset);
}

Status LoadTeenSafety(const std::string& path, bool prompts_only, Dataset& dataset) {
  Result<Files> files = FilesAt(path, ".csv");
  if (!files) {
    return std::unexpected(files.error());
  }
  // The sheets have no common column names, but one order: prompt, its level, response, its level.
  ReadOptions options;
  options.format = DataFormat::kCsv;
  options.delimiter = ',';
  options.skip_rows = 2;  // the disclaimer and the header
  options.has_header = false;
  options.mapping.prompt = "1";
  options.mapping.label = prompts_only ? "2" : "4";
  if (!prompts_only) {
    options.mapping.response = "3";
  }
  for (const std::string& file : *files) {
    const std::string set = fs::path(file).stem().string();
    const auto finish = [&set](Record& record) {
      record.content.id = set + ":" + std::to_string(record.line);
      record.tags.push_back("set:" + set);
    };
    if (Status status = ReadInto(file, options, finish, dataset); !status) {
      return status;
    }
  }
  return Hash(*files, dataset);
}

Status LoadGolden(const std::string& path, Dataset& dataset) {
  // The strict reader checks the set; the records keep their lines.
  if (const auto cases = ReadGoldenSet(path); !cases) {
    return std::unexpected(cases.error());
  }
  ReadOptions options;
  options.format = DataFormat::kJsonl;
  const Status status = ReadInto(path, options, [](Record&) {}, dataset);
  return status ? Hash({path}, dataset) : status;
}

Status Load(std::string_view name, const std::string& path, const ReadOptions& options,
            Dataset& dataset) {
  if (name == "golden") {
    return LoadGolden(path, dataset);
  }
  if (name == "openai-moderation") {
    return LoadModeration(path, options.mapping.label, dataset);
  }
  if (name == "toxicchat") {
    return LoadToxicChat(path, dataset);
  }
  if (name == "openai-spam" || name == "openai-spam-sections") {
    return LoadSpam(path, name == "openai-spam-sections", dataset);
  }
  if (name == "teen-safety" || name == "teen-safety-prompts") {
    return LoadTeenSafety(path, name == "teen-safety-prompts", dataset);
  }
  const Status status = ReadInto(path, options, [](Record&) {}, dataset);
  return status ? Hash({path}, dataset) : status;
}

}  // namespace

std::span<const std::string_view> DatasetNames() {
  return kNames;
}

Result<Dataset> LoadDataset(std::string_view name, const std::string& path,
                            const ReadOptions& options) {
  if (std::ranges::find(kNames, name) == kNames.end()) {
    std::string known;
    for (const std::string_view each : kNames) {
      known += (known.empty() ? "" : ", ") + std::string(each);
    }
    return Fail(ErrorCode::kNotFound, "there is no data set named \"" + std::string(name) + "\"",
                "the names are " + known);
  }
  Dataset dataset;
  dataset.name = name;
  dataset.path = path;
  if (Status status = Load(name, path, options, dataset); !status) {
    return std::unexpected(status.error());
  }
  if (dataset.records.empty()) {
    return Fail(ErrorCode::kInvalidInput, path + " holds no record that could be read",
                dataset.errors.empty() ? "" : Describe(dataset.errors.front()));
  }
  return dataset;
}

}  // namespace safeguard::eval
