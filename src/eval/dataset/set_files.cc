#include "eval/dataset/set_files.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/hash.h"

namespace safeguard::eval {
namespace {

namespace fs = std::filesystem;

Result<std::string> HashFile(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) {
    return std::unexpected(file.error());
  }
  const std::span<const std::byte> bytes = (*file)->bytes();
  return Blake2bHex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

Result<std::vector<std::string>> FilesAt(const std::string& path, std::string_view extension) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return std::vector<std::string>{path};
  }
  std::vector<std::string> files;
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

Result<std::string> FileAt(const std::string& path, std::string_view extension,
                           std::string_view preferred) {
  Result<std::vector<std::string>> files = FilesAt(path, extension);
  if (!files) {
    return std::unexpected(files.error());
  }
  for (const std::string& file : *files) {
    if (files->size() > 1 && !preferred.empty() && fs::path(file).filename() == preferred) {
      return file;
    }
  }
  if (files->size() > 1) {
    return Fail(ErrorCode::kInvalidInput,
                path + " holds several " + std::string(extension) + " files", "name one of them");
  }
  return files->front();
}

Status HashFiles(const std::vector<std::string>& files, Dataset& dataset) {
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
      if (entry->record.error().code == ErrorCode::kUnavailable) {  // the rest is missing
        return std::unexpected(entry->record.error());
      }
      ++dataset.error_count;
      if (dataset.errors.size() < kErrorsKeptMax) {
        dataset.errors.push_back(std::move(entry->record.error()));
      }
      continue;
    }
    if (dataset.records.size() == kRecordsMax) {
      return Fail(ErrorCode::kLimit,
                  path + " has more than " + std::to_string(kRecordsMax) + " records",
                  "evaluate on a part of it");
    }
    finish(*entry->record);
    dataset.records.push_back(std::move(*entry->record));
  }
  dataset.fields = (*reader)->fields();
  return {};
}

Status ChooseLabel(const std::string& label, Dataset& dataset) {
  std::set<std::string> names;
  for (Record& record : dataset.records) {
    record.label.clear();
    record.expected.reset();
    for (const LabelValue& value : record.labels) {
      names.insert(value.name);
      if (value.name == label && value.positive) {
        record.label = *value.positive ? "1" : "0";
        record.expected =
            *value.positive ? moderation::Outcome::kViolation : moderation::Outcome::kSafe;
      }
    }
  }
  if (names.contains(label)) {
    return {};
  }
  std::string known;
  for (const std::string& name : names) {
    known += (known.empty() ? "" : ", ") + name;
  }
  return Fail(ErrorCode::kInvalidInput, "this set has no label \"" + label + "\"",
              "its labels are " + known);
}

}  // namespace safeguard::eval
