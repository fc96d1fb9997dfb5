#include "base/unnamed_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace safeguard {
namespace {

std::unexpected<Error> Trouble(const std::string& what, const std::string& folder, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return Fail(ErrorCode::kUnavailable,
              "a file in " + folder + " cannot be " + what + ": " +
                  (full ? "the disk is full, or a limit is reached" : std::strerror(error)),
              full ? "make room (quotas and limits on file sizes count too) and try again"
                   : "the folder must be there and writable");
}

// Named for a moment. -1 and errno when it cannot be.
int OpenAndUnlink(const std::string& folder) {
  std::string path = folder + "/.unnamed-XXXXXX";
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd >= 0 && ::unlink(path.c_str()) != 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<UnnamedFile>> UnnamedFile::Create(const std::string& folder) {
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  // File systems without it, and kernels that take it for an attempt to write to a folder.
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    fd = OpenAndUnlink(folder);
  }
  if (fd < 0) {
    return Trouble("made", folder, errno);
  }
  return std::unique_ptr<UnnamedFile>(new UnnamedFile(folder, fd));
}

UnnamedFile::~UnnamedFile() {
  ::close(fd_);
}

Status UnnamedFile::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return Trouble("written", folder_, count == 0 ? ENOSPC : errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
    size_ += static_cast<std::size_t>(count);
  }
  return {};
}

Result<std::string> UnnamedFile::Read(std::size_t from, std::size_t count) const {
  std::string bytes(from < size_ ? std::min(count, size_ - from) : 0, '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t got =
        ::pread(fd_, bytes.data() + at, bytes.size() - at, static_cast<off_t>(from + at));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return Trouble("read", folder_, got == 0 ? EIO : errno);
    }
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace safeguard
