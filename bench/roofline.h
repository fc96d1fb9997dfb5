// What a kernel could do at most on this machine: whichever is slower, its multiply-adds at the
// fastest rate of any instruction set here, or its bytes at the rate of memory (S. Williams,
// A. Waterman, D. Patterson, "Roofline: an insightful visual performance model for multicore
// architectures", 2009).
#pragma once

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstddef>

#include "engine/machine_limits.h"

namespace safeguard::bench {

// Of so many threads, one or two; measured once.
inline const engine::MachineLimits& Limits(std::size_t threads) {
  static const engine::MachineLimits one = engine::MeasureMachineLimits(1);
  if (threads == 1) {
    return one;
  }
  static const engine::MachineLimits two = engine::MeasureMachineLimits(2);
  return two;
}

// Made right before a benchmark's loop. One thread is timed by its own CPU time, more by the wall.
class Roofline {
 public:
  explicit Roofline(std::size_t threads = 1) : limits_(Limits(threads)), threads_(threads) {
    begin_ = Now();
  }
  // Right behind the loop. The counter `roof%` is the share that was reached; what stays in the
  // caches from one iteration to the next can pass 100.
  void Count(benchmark::State& state, double macs, double bytes) const {
    const double least =
        std::max(macs / (limits_.BestGmac() * 1e9), bytes / (limits_.read_gb_s * 1e9));
    state.counters["roof%"] =
        100 * least * static_cast<double>(state.iterations()) / (Now() - begin_);
  }

 private:
  [[nodiscard]] double Now() const {
    timespec now{};
    ::clock_gettime(threads_ == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }

  const engine::MachineLimits& limits_;
  std::size_t threads_;
  double begin_ = 0;
};

}  // namespace safeguard::bench
