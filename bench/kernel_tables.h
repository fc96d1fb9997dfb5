// What the microbenchmarks of kernels share: memory to take weights from in turn, the tables that
// this machine runs, and `main`.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>

#include "bench/roofline.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/large_memory.h"

namespace safeguard::bench {

// More memory than caches hold, walked through in steps of `bytes`, each on a cache line.
class Turns {
 public:
  Turns(std::byte* memory, std::size_t size, std::size_t bytes)
      : memory_(memory), size_(size), bytes_((bytes + 63) / 64 * 64) {}
  std::byte* Next() {
    at_ = at_ + 2 * bytes_ <= size_ ? at_ + bytes_ : 0;
    return memory_ + at_;
  }

 private:
  std::byte* memory_;
  std::size_t size_;
  std::size_t bytes_;
  std::size_t at_ = 0;
};

// Runs the benchmarks that `add` registers for a table, for every table but the reference, which is
// not for speed.
template <class Add>
int RunOnTables(int argc, char** argv, const Add& add) {
  benchmark::Initialize(&argc, argv);
  static_cast<void>(Limits(1));  // before anything else is measured
  const engine::cpu::KernelTables all = engine::cpu::AllKernels();
  for (std::size_t i = 0; i + 1 < all.count; ++i) {
    if (all.tables[i]->supported()) {
      add(*all.tables[i]);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace safeguard::bench
