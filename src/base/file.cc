#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace safeguard {
namespace {

// Closes on scope exit; a close error after a successful fsync carries no data loss.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> SystemError(const std::string& what, const std::string& path, int error) {
  const std::string message = what + " " + path + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
      return Fail(ErrorCode::kNotFound, path + " does not exist", "check the path");
    case EACCES:
    case EPERM:
      return Fail(ErrorCode::kUnavailable, message, "check the permissions");
    case ENOSPC:
    case EDQUOT:
      return Fail(ErrorCode::kUnavailable, message, "free some disk space and run again");
    default:
      return Fail(ErrorCode::kUnavailable, message);
  }
}

Result<std::string> ReadAll(int fd, const std::string& path, std::size_t bytes_max) {
  std::string bytes;
  char buffer[65536];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SystemError("cannot read", path, errno);
    }
    if (count == 0) {
      return bytes;
    }
    if (bytes.size() + static_cast<std::size_t>(count) > bytes_max) {
      return Fail(ErrorCode::kLimit,
                  path + " is larger than " + std::to_string(bytes_max) + " bytes",
                  "split it or raise the limit");
    }
    bytes.append(buffer, static_cast<std::size_t>(count));
  }
}

Status WriteAll(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SystemError("cannot write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(fd) != 0) {
    return SystemError("cannot sync", path, errno);
  }
  return {};
}

}  // namespace

Result<std::string> ReadFile(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return SystemError("cannot open", path, errno);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    return SystemError("cannot read", path, errno);
  }
  if (S_ISDIR(status.st_mode)) {
    return Fail(ErrorCode::kInvalidInput, path + " is a directory", "name a file in it");
  }
  return ReadAll(file.get(), path, bytes_max);
}

Result<std::string> ReadStdin(std::size_t bytes_max) {
  return ReadAll(STDIN_FILENO, "standard input", bytes_max);
}

Status WriteFileAtomically(const std::string& path, std::string_view bytes, FileReaders readers) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(::mkstemp(temporary.data()));
  if (file.get() < 0) {
    return SystemError("cannot create a file beside", path, errno);
  }
  Status written = WriteAll(file.get(), path, bytes);
  const mode_t mode = readers == FileReaders::kOwner ? 0600 : 0644;
  if (written && ::fchmod(file.get(), mode) != 0) {
    written = SystemError("cannot set the mode of", path, errno);
  }
  if (written && std::rename(temporary.c_str(), path.c_str()) != 0) {
    written = SystemError("cannot replace", path, errno);
  }
  if (!written) {
    ::unlink(temporary.c_str());
  }
  return written;
}

Result<std::unique_ptr<MappedFile>> MappedFile::Open(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return SystemError("cannot open", path, errno);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    return SystemError("cannot read", path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail(ErrorCode::kInvalidInput, path + " is not a regular file", "name a file");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  const std::byte* data = nullptr;
  if (size > 0) {
    void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (mapping == MAP_FAILED) {
      return SystemError("cannot map", path, errno);
    }
    data = static_cast<const std::byte*>(mapping);
  }
  return std::unique_ptr<MappedFile>(new MappedFile(path, data, size));
}

MappedFile::MappedFile(std::string path, const std::byte* data, std::size_t size)
    : path_(std::move(path)), data_(data), size_(size) {}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    ::munmap(const_cast<std::byte*>(data_), size_);
  }
}

}  // namespace safeguard
