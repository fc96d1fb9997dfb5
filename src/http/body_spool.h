// Long bodies of requests on the disk instead of in memory: they go there as they arrive, and are
// read from there a piece at a time. The files have no names, so that a client that goes away, or a
// server that is killed, leaves nothing behind.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/blake2b.h"
#include "base/result.h"
#include "base/unnamed_file.h"

namespace safeguard::http {

inline constexpr std::size_t kSpoolsMax = 64;  // at once, of one server

// One body. Used by one thread at a time.
class BodySpool {
 public:
  // Bytes that follow. kUnavailable: the disk is full, or fails.
  Status Append(std::string_view bytes);
  // Nothing follows.
  void End() { hash_ = hashing_.Hex(); }

  [[nodiscard]] Result<std::string> Read(std::size_t from, std::size_t count) const {
    return file_->Read(from, count);
  }
  [[nodiscard]] std::size_t size() const { return file_->size(); }
  // BLAKE2b of all of it. REQUIRES: End() was called.
  [[nodiscard]] const std::string& hash() const { return hash_; }

 private:
  friend class SpoolFolder;
  BodySpool(std::unique_ptr<UnnamedFile> file, std::shared_ptr<std::atomic<std::size_t>> open)
      : file_(std::move(file)), place_(open.get(), [open](auto* count) { --*count; }) {}

  std::unique_ptr<UnnamedFile> file_;
  std::shared_ptr<std::atomic<std::size_t>> place_;  // counts it while it lives
  Blake2b hashing_;
  std::string hash_;
};

// Where they lie. Thread-safe.
class SpoolFolder {
 public:
  explicit SpoolFolder(std::string folder) : folder_(std::move(folder)) {}

  // kLimit when kSpoolsMax are open; kUnavailable for the disk.
  Result<std::shared_ptr<BodySpool>> Open();
  [[nodiscard]] std::size_t open() const { return open_->load(); }

 private:
  std::string folder_;
  std::shared_ptr<std::atomic<std::size_t>> open_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace safeguard::http
