// Writing and reading files of many gigabytes: room is claimed first, blocks are written in any
// order and from several threads, and the file gets its name only when it is whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace safeguard {

// Bytes that this user may still write on the file system of `path`, a file or folder that exists.
Result<std::uint64_t> FreeDiskBytes(const std::string& path);

class LargeFile {
 public:
  // Claims `bytes` for PATH.part. Not enough room, or more than the process may write to one file
  // (RLIMIT_FSIZE): kUnavailable, and nothing is left behind.
  static Result<std::unique_ptr<LargeFile>> Create(const std::string& path, std::uint64_t bytes);
  // Removes PATH.part, unless Commit was called.
  ~LargeFile();
  LargeFile(const LargeFile&) = delete;
  LargeFile& operator=(const LargeFile&) = delete;

  // Thread-safe. REQUIRES: offset + bytes.size() is at most the file's size.
  Status WriteAt(std::uint64_t offset, std::span<const std::byte> bytes);
  // Syncs and renames to PATH, over what was there.
  Status Commit();

 private:
  LargeFile(std::string path, int fd, std::uint64_t bytes);

  std::string path_;
  int fd_;
  std::uint64_t bytes_;
  bool committed_ = false;
};

// Gives the bytes of `path` to `take`, block after block, without mapping it. `take` returns false
// to stop; the result is then false.
Result<bool> ReadBlocks(const std::string& path,
                        const std::function<bool(std::span<const std::byte>)>& take);

}  // namespace safeguard
