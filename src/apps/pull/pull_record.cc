#include "apps/pull/pull_record.h"

#include <sys/stat.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "apps/pull/pull_folder.h"
#include "base/file.h"

namespace safeguard::apps::pull {
namespace {

constexpr std::size_t kRecordBytesMax = std::size_t{16} << 20;
constexpr int kFormat = 1;

}  // namespace

PullRecord ParsePullRecord(std::string_view text) {
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  PullRecord record;
  if (!object.is_object() || object.value("format", nlohmann::json()) != kFormat ||
      !object.contains("files") || !object["files"].is_object()) {
    return record;
  }
  for (const auto& [path, file] : object["files"].items()) {
    const bool whole = file.is_object() && file.contains("identity") &&
                       file["identity"].is_string() && file.contains("size") &&
                       file["size"].is_number_unsigned() && file.contains("modified_ns") &&
                       file["modified_ns"].is_number_integer();
    if (whole) {
      record.files[path] = {file["identity"].get<std::string>(), file["size"].get<std::uint64_t>(),
                            file["modified_ns"].get<std::int64_t>()};
    }
  }
  return record;
}

PullRecord ReadPullRecord(const std::string& path) {
  const Result<std::string> text = ReadFile(path, kRecordBytesMax);
  return text ? ParsePullRecord(*text) : PullRecord();
}

Status WritePullRecord(const std::string& path, const PullRecord& record) {
  nlohmann::ordered_json files = nlohmann::ordered_json::object();
  for (const auto& [name, file] : record.files) {
    files[name] = {
        {"identity", file.identity}, {"size", file.size}, {"modified_ns", file.modified_ns}};
  }
  const nlohmann::ordered_json object = {{"format", kFormat},
                                         {"source", record.source},
                                         {"commit", record.commit},
                                         {"files", std::move(files)}};
  return WriteFileAtomically(
      path, object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<RecordedFile> Examine(const std::string& path, const std::string& identity) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return FileError("cannot read", path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail(ErrorCode::kInvalidInput, path + " is there and is no file",
                "move it away, or choose another --to");
  }
  return RecordedFile{identity, static_cast<std::uint64_t>(status.st_size),
                      std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

}  // namespace safeguard::apps::pull
