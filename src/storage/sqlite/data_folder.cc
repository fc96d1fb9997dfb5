#include "storage/sqlite/data_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace safeguard::storage {
namespace {

Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code ignored;  // what cannot be looked at is reported by mkdir
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) {
    return {};
  }
  if (std::filesystem::exists(folder, ignored)) {
    return Fail(ErrorCode::kInvalidInput, "the data folder " + folder.string() + " is a file",
                "name a folder");
  }
  const Status parent = MakeFolder(folder.parent_path());
  if (!parent) {
    return parent;
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Fail(ErrorCode::kUnavailable,
                "the data folder " + folder.string() + " cannot be made: " + std::strerror(errno),
                "name another one with --data-dir");
  }
  return {};
}

// Empty, for its owner alone: it may come to hold what people wrote. SQLite makes a database of it,
// and its other files with the same permissions.
Status MakeFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Fail(ErrorCode::kUnavailable, path + " cannot be made: " + std::strerror(errno),
                "the data folder must be writable");
  }
  ::close(fd);
  return {};
}

}  // namespace

Result<std::string> DatabasePath(const std::string& folder, const std::string& name, bool create) {
  if (create) {
    const Status made = MakeFolder(folder);
    if (!made) {
      return std::unexpected(made.error());
    }
  }
  std::string path = folder + "/" + name;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT && create) {
      const Status made = MakeFile(path);
      return made ? Result<std::string>(std::move(path)) : std::unexpected(made.error());
    }
    if (errno == ENOENT) {
      return Fail(
          ErrorCode::kNotFound, "there is no " + path,
          std::string("name the data folder with --data-dir or SAFEGUARD_DATA; safeguard ") +
              (name == "jobs.db"       ? "jobs submit"
               : name == "verdicts.db" ? "classify --record"
                                       : "policy publish") +
              " makes one");
    }
    return Fail(ErrorCode::kUnavailable, path + " cannot be opened: " + std::strerror(errno),
                "check the permissions of the folder");
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail(ErrorCode::kInvalidInput, path + " is not a file", "name another data folder");
  }
  return path;
}

}  // namespace safeguard::storage
