// How far reading or writing many bytes is: a bar on a terminal, nothing elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "apps/output/console.h"

namespace safeguard::apps {

// The line, without carriage return: "Reading [####......]  40 %  4.8 of 12.0 GiB  0:12 left".
std::string ByteProgressText(const std::string& what, std::uint64_t done, std::uint64_t total,
                             double seconds, std::size_t columns);

// Takes its bar away when it ends. Used by one thread at a time.
class ByteProgress {
 public:
  ByteProgress(Console& console, std::string what, std::uint64_t total);
  ~ByteProgress();
  ByteProgress(const ByteProgress&) = delete;
  ByteProgress& operator=(const ByteProgress&) = delete;

  // Draws when the last time is long enough ago.
  void Update(std::uint64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  Console& console_;
  std::string what_;
  std::uint64_t total_;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_ = begin_;
  bool drawn_ = false;
};

}  // namespace safeguard::apps
