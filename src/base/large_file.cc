#include "base/large_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"

namespace safeguard {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{4} << 20;
constexpr const char* kPart = ".part";

std::unexpected<Error> SystemError(const std::string& what, const std::string& path, int error) {
  if (error == ENOENT) {
    return Fail(ErrorCode::kNotFound, path + " does not exist", "check the path");
  }
  const bool full = error == ENOSPC || error == EDQUOT;
  return Fail(ErrorCode::kUnavailable, what + " " + path + ": " + std::strerror(error),
              full ? "free some disk space and run again" : "");
}

// Whoever passes the limit gets SIGXFSZ, which ends a process that does not expect it.
Status CheckSizeLimit(const std::string& path, std::uint64_t bytes) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
      bytes <= limit.rlim_cur) {
    return {};
  }
  return Fail(ErrorCode::kUnavailable,
              path + " would have " + std::to_string(bytes) +
                  " bytes, and this process may write " + std::to_string(limit.rlim_cur) +
                  " to a file",
              "raise the limit (ulimit -f)");
}

}  // namespace

Result<std::uint64_t> FreeDiskBytes(const std::string& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0) {
    return SystemError("cannot ask for the free space of", path, errno);
  }
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

Result<std::unique_ptr<LargeFile>> LargeFile::Create(const std::string& path, std::uint64_t bytes) {
  const std::string part = path + kPart;
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    return SystemError("cannot create", part, errno);
  }
  auto file = std::unique_ptr<LargeFile>(new LargeFile(path, fd, bytes));
  if (Status allowed = CheckSizeLimit(part, bytes); !allowed) {
    return std::unexpected(std::move(allowed.error()));
  }
  int error = bytes == 0 ? 0 : ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  if (error == EOPNOTSUPP || error == EINVAL) {  // a file system that cannot claim
    error = ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  }
  if (error != 0) {
    return SystemError("cannot claim " + std::to_string(bytes) + " bytes for", part, error);
  }
  return file;
}

LargeFile::LargeFile(std::string path, int fd, std::uint64_t bytes)
    : path_(std::move(path)), fd_(fd), bytes_(bytes) {}

LargeFile::~LargeFile() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
  if (!committed_) {
    ::unlink((path_ + kPart).c_str());
  }
}

Status LargeFile::WriteAt(std::uint64_t offset, std::span<const std::byte> bytes) {
  CHECK(bytes.size() <= bytes_ && offset <= bytes_ - bytes.size());
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SystemError("cannot write", path_ + kPart, errno);
    }
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Status LargeFile::Commit() {
  const std::string part = path_ + kPart;
  if (::fsync(fd_) != 0) {
    return SystemError("cannot sync", part, errno);
  }
  const int closed = ::close(fd_);
  fd_ = -1;
  if (closed != 0) {
    return SystemError("cannot close", part, errno);
  }
  if (std::rename(part.c_str(), path_.c_str()) != 0) {
    return SystemError("cannot replace", path_, errno);
  }
  committed_ = true;
  return {};
}

Result<bool> ReadBlocks(const std::string& path,
                        const std::function<bool(std::span<const std::byte>)>& take) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return SystemError("cannot open", path, errno);
  }
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);  // a hint: no matter if it is refused
  std::vector<std::byte> block(kBlockBytes);
  bool wanted = true;
  while (wanted) {
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      const int error = errno;
      ::close(fd);
      return SystemError("cannot read", path, error);
    }
    if (count == 0) {
      break;
    }
    wanted = take(std::span(block).first(static_cast<std::size_t>(count)));
  }
  ::close(fd);
  return wanted;
}

}  // namespace safeguard
