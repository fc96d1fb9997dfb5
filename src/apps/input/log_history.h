// The verdict log as history to judge again: `--over log`.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace safeguard::apps {

// What --over says instead of a file.
inline constexpr const char* kOverLog = "log";

// Writes the contents that were recorded with their text under `policy_id`, each once, with the
// first verdict that was its answer: JSONL that reads both as contents and as earlier verdicts. The
// id of a content is its hash, so that no two share one. A shadow's verdicts are left out. The log
// is that of $SAFEGUARD_DATA or the usual data folder. Returns how many there are; kNotFound when
// there is none, with what to do about it. The file appears whole or not at all.
Result<std::size_t> WriteLogHistory(const std::string& policy_id, const std::string& path);

// A file of this process in the system's temporary folder, removed at the end.
class TemporaryHistory {
 public:
  TemporaryHistory();
  ~TemporaryHistory();
  TemporaryHistory(const TemporaryHistory&) = delete;
  TemporaryHistory& operator=(const TemporaryHistory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace safeguard::apps
