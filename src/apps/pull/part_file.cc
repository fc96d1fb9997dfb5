#include "apps/pull/part_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/file.h"

namespace safeguard::apps::pull {
namespace {

constexpr std::size_t kStateBytesMax = std::size_t{8} << 20;

std::string FolderOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// Reserves the blocks, so that a full disk shows now and not after hours.
Status Reserve(int fd, const std::string& path, std::uint64_t size) {
  if (size == 0) {
    return {};
  }
  if (::fallocate(fd, 0, 0, static_cast<off_t>(size)) == 0) {
    return {};
  }
  const int error = errno;
  if (error == EOPNOTSUPP || error == ENOSYS || error == EINTR) {
    return {};
  }
  return FileError("cannot make room for", path, error);
}

}  // namespace

PartFile::PartFile(std::string path, FileDescriptor file, PartState state)
    : path_(std::move(path)), file_(std::move(file)), state_(std::move(state)) {}

Result<std::unique_ptr<PartFile>> PartFile::Open(const std::string& path, const RemoteFile& file,
                                                 std::uint64_t chunk_bytes) {
  CHECK(chunk_bytes > 0);
  const std::string part = path + ".part";
  FileDescriptor fd(::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  struct stat status{};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0) {
    return FileError("cannot write", part, errno);
  }
  PartState fresh{file.path, file.Identity(), file.size, chunk_bytes,
                  std::vector<bool>(ChunkCount(file.size, chunk_bytes))};
  const Result<std::string> text = ReadFile(path + ".state", kStateBytesMax);
  std::optional<PartState> old = text ? ParsePartState(*text) : std::nullopt;
  const bool same = old && !fresh.identity.empty() && old->identity == fresh.identity &&
                    old->path == fresh.path && old->size == fresh.size &&
                    static_cast<std::uint64_t>(status.st_size) == fresh.size;
  std::unique_ptr<PartFile> opened(
      new PartFile(path, std::move(fd), same ? std::move(*old) : std::move(fresh)));
  if (!same) {
    const Status begun = opened->BeginAnew();
    if (!begun) {
      return std::unexpected(begun.error());
    }
  }
  const Status reserved = Reserve(opened->file_.get(), part, file.size);
  if (!reserved) {
    return std::unexpected(reserved.error());
  }
  for (std::size_t i = 0; i < opened->state_.done.size(); ++i) {
    const std::uint64_t begin = i * opened->state_.chunk_bytes;
    opened->bytes_done_ +=
        opened->state_.done[i] ? std::min(opened->state_.chunk_bytes, file.size - begin) : 0;
  }
  return opened;
}

// The old state is gone for good before the part loses what it promises.
Status PartFile::BeginAnew() {
  const std::string name = path_ + ".state";
  if (::unlink(name.c_str()) == 0) {
    const Status synced = SyncFolder(FolderOf(path_));
    if (!synced) {
      return synced;
    }
  } else if (errno != ENOENT) {
    return FileError("cannot remove", name, errno);
  }
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::ftruncate(file_.get(), static_cast<off_t>(state_.size)) != 0) {
    return FileError("cannot make room for", part_path(), errno);
  }
  return {};
}

Status PartFile::Write(std::uint64_t offset, std::string_view bytes) {
  CHECK(offset + bytes.size() <= state_.size);
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return FileError("cannot write", part_path(), errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

void PartFile::Advance(std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t chunk = begin / state_.chunk_bytes; chunk < state_.done.size(); ++chunk) {
    const std::uint64_t chunk_begin = chunk * state_.chunk_bytes;
    const std::uint64_t chunk_end = std::min(chunk_begin + state_.chunk_bytes, state_.size);
    if (chunk_end > end) {
      return;
    }
    if (!state_.done[chunk]) {
      state_.done[chunk] = true;
      bytes_done_ += chunk_end - chunk_begin;
      dirty_ = true;
    }
  }
}

void PartFile::Clear() {
  std::fill(state_.done.begin(), state_.done.end(), false);
  bytes_done_ = 0;
  dirty_ = true;
}

Status PartFile::Sync() {
  if (!dirty_) {
    return {};
  }
  if (::fdatasync(file_.get()) != 0) {
    return FileError("cannot write", part_path(), errno);
  }
  Status written = WriteFileAtomically(path_ + ".state", FormatPartState(state_));
  if (written) {
    dirty_ = false;
  }
  return written;
}

Status PartFile::Remove() {
  const Status state = RemoveState();
  if (!state) {
    return state;
  }
  if (::unlink(part_path().c_str()) != 0 && errno != ENOENT) {
    return FileError("cannot remove", part_path(), errno);
  }
  return {};
}

Status PartFile::RemoveState() {
  const std::string name = path_ + ".state";
  if (::unlink(name.c_str()) != 0 && errno != ENOENT) {
    return FileError("cannot remove", name, errno);
  }
  return {};
}

std::vector<ByteRange> PartFile::Missing(std::uint64_t chunks_max) const {
  CHECK(chunks_max > 0);
  std::vector<ByteRange> runs;
  std::uint64_t chunks = 0;  // in the last run
  for (std::size_t i = 0; i < state_.done.size(); ++i) {
    if (state_.done[i]) {
      chunks = 0;
      continue;
    }
    const std::uint64_t begin = i * state_.chunk_bytes;
    const std::uint64_t end = std::min(begin + state_.chunk_bytes, state_.size);
    if (chunks == 0 || chunks == chunks_max) {
      runs.push_back({begin, end});
      chunks = 1;
    } else {
      runs.back().end = end;
      ++chunks;
    }
  }
  return runs;
}

std::uint64_t ReservedBytes(const std::string& path) {
  struct stat status{};
  if (::lstat((path + ".part").c_str(), &status) != 0) {
    return 0;
  }
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

}  // namespace safeguard::apps::pull
