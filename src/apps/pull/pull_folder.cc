#include "apps/pull/pull_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "base/hash.h"

namespace safeguard::apps::pull {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPartNameMax = 100;

Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return FileError("cannot create the folder", path, error.value());
  }
  return {};
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

std::unexpected<Error> FileError(const std::string& what, const std::string& path, int error) {
  std::string hint;
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      hint = "make room and run the same command again: it goes on where it stopped";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      hint = "check the permissions, or choose another --to";
      break;
    case ENOTDIR:
    case EEXIST:
    case ENAMETOOLONG:
      hint = "choose another --to";
      break;
    default:
      break;
  }
  return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
              what + " " + path + ": " + std::strerror(error), hint);
}

Status SyncFolder(const std::string& folder) {
  const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder, and say so with EINVAL.
  if (file.get() < 0 || (::fsync(file.get()) != 0 && errno != EINVAL)) {
    return FileError("cannot sync", folder, errno);
  }
  return {};
}

PullFolder::PullFolder(std::string path, FileDescriptor lock)
    : path_(std::move(path)), lock_(std::move(lock)) {}

Result<std::unique_ptr<PullFolder>> PullFolder::Open(const std::string& path) {
  const std::string work = path + "/" + kWorkFolder;
  const Status made = MakeFolder(work);
  if (!made) {
    return std::unexpected(made.error());
  }
  const std::string name = work + "/lock";
  FileDescriptor lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (lock.get() < 0) {
    return FileError("cannot write", name, errno);
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return FileError("cannot lock", name, errno);
    }
    return Fail(ErrorCode::kUnavailable, "another pull is writing " + path,
                "wait for it, or choose another --to");
  }
  return std::unique_ptr<PullFolder>(new PullFolder(path, std::move(lock)));
}

std::string PullFolder::FinalPath(std::string_view file) const {
  return path_ + "/" + std::string(file);
}

std::string PullFolder::PartPath(std::string_view file) const {
  std::string name(file.substr(file.rfind('/') + 1));
  name.resize(std::min(name.size(), kPartNameMax));
  const std::string hash = Sha256Hex(std::as_bytes(std::span(file.data(), file.size())));
  return path_ + "/" + kWorkFolder + "/" + hash.substr(0, 16) + "-" + name;
}

std::string PullFolder::RecordPath() const {
  return path_ + "/" + kWorkFolder + "/pulled.json";
}

Status PullFolder::Install(const std::string& from, std::string_view file) const {
  const std::string to = FinalPath(file);
  const std::string folder = to.substr(0, to.rfind('/'));
  const Status made = MakeFolder(folder);
  if (!made) {
    return made;
  }
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return FileError("cannot put into place", to, errno);
  }
  return SyncFolder(folder);
}

Status PullFolder::RemoveOtherParts(const std::vector<std::string>& part_paths) const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_ + "/" + kWorkFolder, error)) {
    const std::string name = entry.path().string();
    const std::size_t dot = name.rfind('.');
    const std::string ending = name.substr(dot);
    const bool working = ending == ".part" || ending == ".state";
    const bool kept =
        working && std::ranges::find(part_paths, name.substr(0, dot)) != part_paths.end();
    // A state or record that a kill left half written.
    const bool torn = !working && (name.find(".state.", path_.size()) != std::string::npos ||
                                   name.find("/pulled.json.") != std::string::npos);
    if ((torn || (working && !kept)) && ::unlink(name.c_str()) != 0) {
      return FileError("cannot remove", name, errno);
    }
  }
  if (error) {
    return FileError("cannot read", path_ + "/" + kWorkFolder, error.value());
  }
  return {};
}

Result<std::uint64_t> FreeBytes(const std::string& folder) {
  struct statvfs status{};
  if (::statvfs(folder.c_str(), &status) != 0) {
    return FileError("cannot see the free space of", folder, errno);
  }
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace safeguard::apps::pull
