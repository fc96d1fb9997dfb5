// What earlier pulls put into a folder: so that a second run need not hash gigabytes, and never
// overwrites what is not its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::apps::pull {

struct RecordedFile {
  std::string identity;  // RemoteFile::Identity() of the bytes, checked when they were put there
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // since the epoch, when it was put there

  bool operator==(const RecordedFile&) const = default;
};

struct PullRecord {
  std::string source;                         // the repository or URL
  std::string commit;                         // empty: not known
  std::map<std::string, RecordedFile> files;  // by path
};

// An empty record when there is none, or none that can be read: files are then hashed.
PullRecord ReadPullRecord(const std::string& path);

// For fuzzing; what ReadPullRecord does with the bytes.
PullRecord ParsePullRecord(std::string_view text);

[[nodiscard]] Status WritePullRecord(const std::string& path, const PullRecord& record);

// Size and time of change of the file at `path`, with `identity`. kNotFound: there is none;
// kInvalidInput: it is no regular file.
Result<RecordedFile> Examine(const std::string& path, const std::string& identity);

}  // namespace safeguard::apps::pull
