// The folder that a pull fills: its lock, its free space, and the working files of a pull beside
// the files themselves, in .safeguard-pull/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/pull/pull_settings.h"
#include "base/result.h"

namespace safeguard::apps::pull {

inline constexpr const char* kWorkFolder = ".safeguard-pull";

// Closes on destruction; -1 is nothing.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// "WHAT PATH: reason" with what to do about it; `error` is an errno.
std::unexpected<Error> FileError(const std::string& what, const std::string& path, int error);

// Makes entries of a folder (created, renamed, removed files) durable.
Status SyncFolder(const std::string& folder);

class PullFolder {
 public:
  // Creates the folder where needed and locks it against other pulls: kUnavailable when one is
  // under way. The lock ends with the object, or with the process.
  static Result<std::unique_ptr<PullFolder>> Open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  // Where a file of the repository comes to lie.
  [[nodiscard]] std::string FinalPath(std::string_view file) const;
  // Where its part and state lie, without their endings.
  [[nodiscard]] std::string PartPath(std::string_view file) const;
  [[nodiscard]] std::string RecordPath() const;
  // Renames `from` to the final path of `file`, creating folders, durably.
  [[nodiscard]] Status Install(const std::string& from, std::string_view file) const;
  // Removes parts and states that do not belong to one of `part_paths`, and what a kill left over.
  [[nodiscard]] Status RemoveOtherParts(const std::vector<std::string>& part_paths) const;

 private:
  PullFolder(std::string path, FileDescriptor lock);

  std::string path_;
  FileDescriptor lock_;
};

// For ordinary users, by statvfs.
Result<std::uint64_t> FreeBytes(const std::string& folder);

}  // namespace safeguard::apps::pull
