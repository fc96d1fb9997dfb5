#include "storage/audit/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace safeguard::storage::audit {
namespace {

std::unexpected<Error> SystemError(const std::string& what, const std::string& path) {
  const int error = errno;
  const ErrorCode code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  const char* hint = error == ENOSPC || error == EDQUOT || error == EFBIG
                         ? "free some disk space and run again"
                     : error == EACCES || error == EPERM ? "check the permissions"
                                                         : "";
  return Fail(code, what + " " + path + ": " + std::strerror(error), hint);
}

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SystemError("cannot write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(fd) == 0 ? Status{} : SystemError("cannot sync", path);
}

// A new name is on the disk when its folder is.
Status SyncFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return SystemError("cannot open", folder);
  }
  const bool synced = ::fsync(fd) == 0;
  const Status status = synced ? Status{} : SystemError("cannot sync", folder);
  ::close(fd);
  return status;
}

}  // namespace

Result<AppendFile> AppendFile::Open(const std::string& path, bool create) {
  const int flags = O_RDWR | O_APPEND | O_CLOEXEC | (create ? O_CREAT : 0);
  const int fd = ::open(path.c_str(), flags, 0600);
  if (fd < 0) {
    return SystemError("cannot open", path);
  }
  return AppendFile(path, fd);
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

AppendFile::~AppendFile() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<std::size_t> AppendFile::Size() const {
  struct stat status{};
  if (::fstat(fd_, &status) != 0) {
    return SystemError("cannot read", path_);
  }
  return static_cast<std::size_t>(status.st_size);
}

Result<std::string> AppendFile::Read(std::size_t begin, std::size_t end) const {
  std::string bytes(end - begin, '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t count =
        ::pread(fd_, bytes.data() + have, bytes.size() - have, static_cast<off_t>(begin + have));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SystemError("cannot read", path_);
    }
    if (count == 0) {
      break;
    }
    have += static_cast<std::size_t>(count);
  }
  bytes.resize(have);
  return bytes;
}

Status AppendFile::Append(std::string_view bytes) {
  const Result<std::size_t> before = Size();
  if (!before) {
    return std::unexpected(before.error());
  }
  Status written = WriteAll(fd_, bytes, path_);
  if (!written) {
    // Should this fail too, the next opening finds the same bytes unsigned, and cuts them off.
    static_cast<void>(CutTo(*before));
  }
  return written;
}

Status AppendFile::CutTo(std::size_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0 || ::fsync(fd_) != 0) {
    return SystemError("cannot cut", path_);
  }
  return {};
}

Status AppendFile::Lock() {
  while (::flock(fd_, LOCK_EX) != 0) {
    if (errno != EINTR) {
      return SystemError("cannot lock", path_);
    }
  }
  return {};
}

void AppendFile::Unlock() {
  ::flock(fd_, LOCK_UN);
}

Status WriteWhole(const std::string& path, std::string_view bytes, bool secret) {
  std::string temporary = path + ".XXXXXX";
  const int fd = ::mkstemp(temporary.data());  // 0600
  if (fd < 0) {
    return SystemError("cannot create a file beside", path);
  }
  Status written = WriteAll(fd, bytes, path);
  if (written && !secret && ::fchmod(fd, 0644) != 0) {
    written = SystemError("cannot set the mode of", path);
  }
  ::close(fd);
  if (written) {
    written = Rename(temporary, path);
  }
  if (!written) {
    ::unlink(temporary.c_str());
  }
  return written;
}

Status Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return SystemError("cannot replace", to);
  }
  return SyncFolderOf(to);
}

Status MakePrivateFolder(const std::string& path) {
  const std::filesystem::path folder(path);
  std::error_code ignored;  // what cannot be looked at is reported by mkdir
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) {
    return {};
  }
  const Status parent = MakePrivateFolder(folder.parent_path().string());
  if (!parent) {
    return parent;
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError("cannot make the folder", path);
  }
  return {};
}

bool Exists(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0;
}

}  // namespace safeguard::storage::audit
