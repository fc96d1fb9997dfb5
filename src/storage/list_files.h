// Lists from the disk: files, or folders whose *.jsonl are lists. Read again when asked, taken up
// as a whole or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "moderation/lists.h"

namespace safeguard::storage {

// The list files that `paths` name: files as they are, of folders their *.jsonl in order of name.
// Fails on what is not there.
Result<std::vector<std::string>> FindListFiles(const std::vector<std::string>& paths);

// The list's name: the file's name without ".jsonl".
std::string ListName(const std::string& path);

class ListFiles {
 public:
  // `now` as for moderation::LiveLists. Fails as Reload does.
  static Result<std::unique_ptr<ListFiles>> Open(std::vector<std::string> paths,
                                                 std::function<std::int64_t()> now);

  // Reads all files again and takes them up when any has changed, come or gone; tells whether. On
  // an error (a line that cannot be read, a name twice) the lists stay as they were. Thread-safe,
  // also against matching.
  Result<bool> Reload();
  // The same, but reads nothing while names, sizes and times of the files are as they were: cheap
  // enough for every batch. A file that cannot be read is tried again once it changes.
  Result<bool> ReloadIfChanged();

  // For a cascade; lives as long as it is held.
  [[nodiscard]] std::shared_ptr<moderation::LiveLists> layer() const { return layer_; }

 private:
  ListFiles(std::vector<std::string> paths, std::shared_ptr<moderation::LiveLists> layer)
      : paths_(std::move(paths)), layer_(std::move(layer)) {}

  std::vector<std::string> paths_;
  std::shared_ptr<moderation::LiveLists> layer_;
  std::mutex mutex_;
  std::string state_;  // by mutex_: a hash over names and bytes of what is taken up
  std::string seen_;   // by mutex_: names, sizes and times at the last look
};

}  // namespace safeguard::storage
