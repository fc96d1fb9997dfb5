// A file on the disk that has no name: it is gone with its last user, however the process ends, and
// nobody finds leftovers of it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard {

// One thread at a time may append; reading is for any number of threads, with nobody appending.
class UnnamedFile {
 public:
  // In the file system of `folder`, which exists. Where that knows no unnamed files, it has a name
  // for a moment.
  static Result<std::unique_ptr<UnnamedFile>> Create(const std::string& folder);
  ~UnnamedFile();
  UnnamedFile(const UnnamedFile&) = delete;
  UnnamedFile& operator=(const UnnamedFile&) = delete;

  // All of `bytes`, or an error: kUnavailable, as when the disk is full. After one the file is of
  // no more use.
  Status Append(std::string_view bytes);
  // At most `count` bytes from byte `from` on; fewer only at the end.
  [[nodiscard]] Result<std::string> Read(std::size_t from, std::size_t count) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  UnnamedFile(std::string folder, int fd) : folder_(std::move(folder)), fd_(fd) {}

  std::string folder_;
  int fd_;
  std::size_t size_ = 0;
};

}  // namespace safeguard
