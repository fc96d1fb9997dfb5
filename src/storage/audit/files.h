// The audit log's files: appended to and replaced so that a killed process or a full disk leaves
// what was acknowledged. Every error names the path.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::storage::audit {

// A file that is open for reading and appending; closed on destruction.
class AppendFile {
 public:
  // With `create` made, for its owner alone, when it is not there.
  static Result<AppendFile> Open(const std::string& path, bool create);
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  ~AppendFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Result<std::size_t> Size() const;
  // [begin, end), or fewer bytes where the file ends before.
  [[nodiscard]] Result<std::string> Read(std::size_t begin, std::size_t end) const;
  // At the end, and to the disk. After a failure the file has its old size again.
  Status Append(std::string_view bytes);
  Status CutTo(std::size_t size);
  // Waits for other processes that hold it.
  Status Lock();
  void Unlock();

 private:
  AppendFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_ = -1;
};

// A new or replaced file of mode 0600 (`secret`) or 0644, on the disk with its name.
Status WriteWhole(const std::string& path, std::string_view bytes, bool secret);
Status Rename(const std::string& from, const std::string& to);
// Makes the folder for its owner alone, with its parents.
Status MakePrivateFolder(const std::string& path);
bool Exists(const std::string& path);

}  // namespace safeguard::storage::audit
