// How far a batch is: a bar that redraws itself on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "apps/output/console.h"

namespace safeguard::apps {

struct BatchPosition {
  std::uint64_t entries = 0;      // in all
  std::uint64_t judged_here = 0;  // by this run
  std::uint64_t bytes = 0;        // of the input read
  std::uint64_t bytes_total = 0;  // 0: not known
};

// The text of the line, without carriage return: bar, share, entries, rate, time left. `seconds`:
// since this run began to judge, at `bytes_start`.
std::string ProgressText(const BatchPosition& position, std::uint64_t bytes_start, double seconds,
                         std::size_t columns);

class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;

  ProgressLine(Console& console, std::uint64_t bytes_start);
  // Draws when the last time is long enough ago.
  void Update(const BatchPosition& position);
  // Takes the bar away, so that other lines can be written.
  void Clear();
  [[nodiscard]] double seconds() const;

 private:
  Console& console_;
  std::uint64_t bytes_start_;
  Clock::time_point begin_;
  Clock::time_point last_;
  bool drawn_ = false;
};

}  // namespace safeguard::apps
