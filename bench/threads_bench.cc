// What handing work to the threads costs: jobs of a few short pieces, as decoding has some 200 of
// in a step, alone and beside busy loops that take the cores.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "base/thread_pool.h"

namespace safeguard {
namespace {

// Some multiply-adds that depend on one another: `steps` of them take about 4 cycles each.
void Work(std::size_t steps) {
  float x = 1;
  for (std::size_t i = 0; i < steps; ++i) {
    x = x * 0.999F + 0.001F;
    benchmark::DoNotOptimize(x);
  }
}

// Arguments: threads, pieces, length of a piece, busy loops of others.
void BM_ParallelFor(benchmark::State& state) {
  ThreadPool pool(static_cast<std::size_t>(state.range(0)));
  const auto pieces = static_cast<std::size_t>(state.range(1));
  const auto steps = static_cast<std::size_t>(state.range(2));
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (std::int64_t i = 0; i < state.range(3); ++i) {
    busy.emplace_back([&stop] {
      while (!stop.load(std::memory_order_relaxed)) {
        Work(1000);
      }
    });
  }
  for (auto _ : state) {
    pool.ParallelFor(pieces, [steps](std::size_t, std::size_t) { Work(steps); });
  }
  stop = true;
  for (std::thread& thread : busy) {
    thread.join();
  }
}

BENCHMARK(BM_ParallelFor)
    ->ArgNames({"threads", "pieces", "steps", "busy"})
    ->ArgsProduct({{1, 2}, {16}, {0, 2000, 100'000}, {0, 1}})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace safeguard

BENCHMARK_MAIN();
