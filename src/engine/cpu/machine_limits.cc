#include "engine/machine_limits.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/check.h"
#include "base/thread_pool.h"
#include "engine/cpu/large_memory.h"
#if defined(__x86_64__)
#include "engine/tiles/tiles.h"
#endif

namespace safeguard::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRepeats = 3;  // the best counts: what disturbs only slows

// Units of work a second, best of kRepeats, where `work` on every thread does `units` each.
double BestRate(ThreadPool& pool, double units, const std::function<void(std::size_t)>& work) {
  double best = 0;
  for (std::size_t repeat = 0; repeat < kRepeats; ++repeat) {
    const auto begin = Clock::now();
    pool.ParallelFor(pool.size(), [&](std::size_t part, std::size_t) { work(part); });
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::max(best, units * static_cast<double>(pool.size()) / seconds);
  }
  return best;
}

// Eight sums, so that no load waits for an addition; a cache line at a time, asked for ahead, as
// the kernels ask for weights.
std::uint64_t Sum(const std::uint64_t* data, std::size_t count) {
  std::uint64_t sums[8] = {};
  constexpr std::size_t kAhead = 4096 / sizeof(std::uint64_t);
  for (std::size_t i = 0; i + 8 <= count; i += 8) {
    __builtin_prefetch(data + i + kAhead);
    for (std::size_t j = 0; j < 8; ++j) {
      sums[j] += data[i + j];
    }
  }
  std::uint64_t total = 0;
  for (const std::uint64_t sum : sums) {
    total += sum;
  }
  return total;
}

// On huge pages, as packed weights are.
double ReadRate(ThreadPool& pool, std::size_t bytes) {
  const std::size_t share = bytes / sizeof(std::uint64_t) / pool.size();
  std::vector<cpu::LargeMemory> memory(pool.size());
  std::vector<std::uint64_t*> parts(pool.size());
  pool.ParallelFor(pool.size(), [&](std::size_t part, std::size_t) {
    memory[part] = cpu::NewLargeMemory(share * sizeof(std::uint64_t));
    parts[part] = reinterpret_cast<std::uint64_t*>(memory[part].get());
    std::fill_n(parts[part], share, 1);
  });
  std::vector<std::uint64_t> sums(pool.size());
  const double rate = BestRate(pool, static_cast<double>(share * sizeof(std::uint64_t)) / 1e9,
                               [&](std::size_t part) { sums[part] = Sum(parts[part], share); });
  for (const std::uint64_t sum : sums) {
    CHECK(sum == share / 8 * 8);
  }
  return rate;
}

#if defined(__x86_64__)
constexpr std::size_t kRounds = 20'000'000;
constexpr std::size_t kChains = 12;  // in flight: more than latency times throughput

// In assembly as a whole: a compiler would fold sums that nobody reads, or keep them in memory.
#define SAFEGUARD_ONE(instruction, r, i) instruction " %%" r "0, %%" r "0, %%" r #i "\n\t"
#define SAFEGUARD_TWELVE(instruction, r) \
  SAFEGUARD_ONE(instruction, r, 1)       \
  SAFEGUARD_ONE(instruction, r, 2)       \
  SAFEGUARD_ONE(instruction, r, 3)       \
  SAFEGUARD_ONE(instruction, r, 4)       \
  SAFEGUARD_ONE(instruction, r, 5)       \
  SAFEGUARD_ONE(instruction, r, 6)       \
  SAFEGUARD_ONE(instruction, r, 7)       \
  SAFEGUARD_ONE(instruction, r, 8)       \
  SAFEGUARD_ONE(instruction, r, 9)       \
  SAFEGUARD_ONE(instruction, r, 10)      \
  SAFEGUARD_ONE(instruction, r, 11)      \
  SAFEGUARD_ONE(instruction, r, 12)
// Sums begin at zero, for numbers below the normal range would slow binary32 down.
#define SAFEGUARD_PEAK(name, instruction, r)                                                     \
  [[gnu::target("avx2")]] void name(std::size_t) {                                               \
    std::size_t rounds = kRounds;                                                                \
    asm volatile("vzeroall\n1:\n\t" SAFEGUARD_TWELVE(instruction, r) "dec %0\n\tjnz 1b"          \
                 : "+r"(rounds)                                                                  \
                 :                                                                               \
                 : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", \
                   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");                \
  }

SAFEGUARD_PEAK(PeakF32Avx2, "vfmadd231ps", "ymm")
SAFEGUARD_PEAK(PeakF32Avx512, "vfmadd231ps", "zmm")
SAFEGUARD_PEAK(PeakBf16, "vdpbf16ps", "zmm")
SAFEGUARD_PEAK(PeakInt8, "vpdpbusd", "zmm")
#undef SAFEGUARD_PEAK
#undef SAFEGUARD_TWELVE
#undef SAFEGUARD_ONE

constexpr std::size_t kTileRounds = 1'000'000;
constexpr std::size_t kTileDots = 4;
constexpr std::size_t kTileMacs = std::size_t{16} * 16 * 32;

void PeakTiles(std::size_t) {
  TileConfig config;
  for (std::size_t tile = 0; tile < 8; ++tile) {
    config.rows[tile] = 16;
    config.row_bytes[tile] = 64;
  }
  TileConfigure(config);  // tiles begin at zero
  for (std::size_t i = 0; i < kTileRounds; ++i) {
    SAFEGUARD_TILE_DOT(0, 4, 6);
    SAFEGUARD_TILE_DOT(1, 4, 7);
    SAFEGUARD_TILE_DOT(2, 5, 6);
    SAFEGUARD_TILE_DOT(3, 5, 7);
  }
  TileRelease();
}

// `lanes`: multiply-adds of one instruction.
double PeakRate(ThreadPool& pool, std::size_t lanes, void (*peak)(std::size_t)) {
  return BestRate(pool, static_cast<double>(kRounds * kChains * lanes) / 1e9, peak);
}
#endif

}  // namespace

double MachineLimits::BestGmac() const {
  return std::max({f32_gmac_s, bf16_gmac_s, int8_gmac_s, amx_bf16_gmac_s});
}

MachineLimits Larger(const MachineLimits& a, const MachineLimits& b) {
  return {.read_gb_s = std::max(a.read_gb_s, b.read_gb_s),
          .f32_gmac_s = std::max(a.f32_gmac_s, b.f32_gmac_s),
          .bf16_gmac_s = std::max(a.bf16_gmac_s, b.bf16_gmac_s),
          .int8_gmac_s = std::max(a.int8_gmac_s, b.int8_gmac_s),
          .amx_bf16_gmac_s = std::max(a.amx_bf16_gmac_s, b.amx_bf16_gmac_s)};
}

MachineLimits MeasureMachineLimits(std::size_t threads, std::size_t bytes) {
  CHECK(threads >= 1);
  ThreadPool pool(threads);
  MachineLimits limits;
  limits.read_gb_s = ReadRate(pool, bytes);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0) {
    limits.f32_gmac_s = PeakRate(pool, 16, PeakF32Avx512);
  } else if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    limits.f32_gmac_s = PeakRate(pool, 8, PeakF32Avx2);
  }
  if (__builtin_cpu_supports("avx512bf16") != 0) {
    limits.bf16_gmac_s = PeakRate(pool, 32, PeakBf16);
  }
  if (__builtin_cpu_supports("avx512vnni") != 0) {
    limits.int8_gmac_s = PeakRate(pool, 64, PeakInt8);
  }
  if (TilesSupported()) {
    limits.amx_bf16_gmac_s =
        BestRate(pool, static_cast<double>(kTileRounds * kTileDots * kTileMacs) / 1e9, PeakTiles);
  }
#endif
  return limits;
}

}  // namespace safeguard::engine
