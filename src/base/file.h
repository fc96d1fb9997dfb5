// Reading whole files with a limit, replacing files atomically, and mapping large ones.
// Every error names the path and says what to do.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard {

// The bytes of a regular file of at most `bytes_max` bytes. Missing file: kNotFound; directory or
// unreadable: kInvalidInput or kUnavailable; larger: kLimit (never a silent cut).
Result<std::string> ReadFile(const std::string& path, std::size_t bytes_max);

// Everything on standard input, at most `bytes_max` bytes.
Result<std::string> ReadStdin(std::size_t bytes_max);

// Writes a temporary file beside `path`, syncs it and renames it over `path`: readers see the old
// bytes or the new ones, never a part. Disk full: kUnavailable, and `path` keeps its old bytes.
enum class FileReaders { kEverybody, kOwner };  // mode 0644 or 0600
Status WriteFileAtomically(const std::string& path, std::string_view bytes,
                           FileReaders readers = FileReaders::kEverybody);

// A read-only mapping of a whole file; unmapped on destruction. An empty file maps to an empty
// span. The file must not be truncated by others while it is mapped.
class MappedFile {
 public:
  static Result<std::unique_ptr<MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, const std::byte* data, std::size_t size);

  std::string path_;
  const std::byte* data_;
  std::size_t size_;
};

}  // namespace safeguard
