// How many tiles a core can have under way, on a machine with AMX: nanoseconds of a tile load with
// 1 to 8 tiles in use, and of a product in blocks of two by two and one by two tiles, whose inputs
// are zeroed after their last use ("released") or left as they are. A processor renames tiles as it
// renames other registers; a zeroed tile needs no physical one. While the core's other hyperthread
// is at work, few are left. Repeat it, and compare least and largest:
//   tile_bench --benchmark_min_time=0.005 --benchmark_repetitions=100
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "engine/tiles/tiles.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kRowBytes = 64;
constexpr std::size_t kTileBytes = 1024;
constexpr std::size_t kBlocks = 8;  // of a pass: what it reads stays in the L1 cache

alignas(4096) std::byte memory[4 * kBlocks * kTileBytes];

void Configure() {
  TileConfig config;
  for (std::size_t tile = 0; tile < 8; ++tile) {
    config.rows[tile] = 16;
    config.row_bytes[tile] = kRowBytes;
  }
  TileConfigure(config);  // and all of them are zero
}

// What one operation takes, in nanoseconds.
void Count(benchmark::State& state, std::size_t operations) {
  TileRelease();
  state.counters["ns"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(operations) / 1e9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <std::size_t tiles>
void LoadInTurn() {
  SAFEGUARD_TILE_LOAD(0, memory, kRowBytes);
  if constexpr (tiles > 1) {
    SAFEGUARD_TILE_LOAD(1, memory + kTileBytes, kRowBytes);
  }
  if constexpr (tiles > 2) {
    SAFEGUARD_TILE_LOAD(2, memory + 2 * kTileBytes, kRowBytes);
    SAFEGUARD_TILE_LOAD(3, memory + 3 * kTileBytes, kRowBytes);
  }
  if constexpr (tiles > 4) {
    SAFEGUARD_TILE_LOAD(4, memory + 4 * kTileBytes, kRowBytes);
    SAFEGUARD_TILE_LOAD(5, memory + 5 * kTileBytes, kRowBytes);
  }
  if constexpr (tiles > 6) {
    SAFEGUARD_TILE_LOAD(6, memory + 6 * kTileBytes, kRowBytes);
    SAFEGUARD_TILE_LOAD(7, memory + 7 * kTileBytes, kRowBytes);
  }
}

template <std::size_t tiles>
void Loads(benchmark::State& state) {
  constexpr std::size_t kTurns = 64;
  Configure();
  for (auto _ : state) {
    for (std::size_t i = 0; i < kTurns; ++i) {
      LoadInTurn<tiles>();
    }
  }
  Count(state, kTurns * tiles);
}

template <bool release>
void TwoByTwo(benchmark::State& state) {
  Configure();
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBlocks; ++i) {
      const std::byte* at = memory + 4 * kTileBytes * i;
      SAFEGUARD_TILE_LOAD(6, at, kRowBytes);
      SAFEGUARD_TILE_LOAD(4, at + kTileBytes, kRowBytes);
      SAFEGUARD_TILE_DOT(0, 4, 6);
      SAFEGUARD_TILE_LOAD(7, at + 2 * kTileBytes, kRowBytes);
      SAFEGUARD_TILE_DOT(1, 4, 7);
      if constexpr (release) {
        SAFEGUARD_TILE_ZERO(4);
      }
      SAFEGUARD_TILE_LOAD(5, at + 3 * kTileBytes, kRowBytes);
      SAFEGUARD_TILE_DOT(2, 5, 6);
      if constexpr (release) {
        SAFEGUARD_TILE_ZERO(6);
      }
      SAFEGUARD_TILE_DOT(3, 5, 7);
      if constexpr (release) {
        SAFEGUARD_TILE_ZERO(5);
        SAFEGUARD_TILE_ZERO(7);
      }
    }
  }
  Count(state, 4 * kBlocks);
}

void OneByTwo(benchmark::State& state) {
  Configure();
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBlocks; ++i) {
      const std::byte* at = memory + 3 * kTileBytes * i;
      SAFEGUARD_TILE_LOAD(4, at, kRowBytes);
      SAFEGUARD_TILE_LOAD(6, at + kTileBytes, kRowBytes);
      SAFEGUARD_TILE_DOT(0, 4, 6);
      SAFEGUARD_TILE_ZERO(6);
      SAFEGUARD_TILE_LOAD(6, at + 2 * kTileBytes, kRowBytes);
      SAFEGUARD_TILE_DOT(1, 4, 6);
      SAFEGUARD_TILE_ZERO(4);
      SAFEGUARD_TILE_ZERO(6);
    }
  }
  Count(state, 2 * kBlocks);
}

void Register(const char* name, void (*run)(benchmark::State&)) {
  benchmark::RegisterBenchmark(name, run)
      ->ComputeStatistics("least",
                          [](const std::vector<double>& v) { return *std::ranges::min_element(v); })
      ->ComputeStatistics(
          "most", [](const std::vector<double>& v) { return *std::ranges::max_element(v); });
}

}  // namespace
}  // namespace safeguard::engine

int main(int argc, char** argv) {
  using namespace safeguard::engine;  // NOLINT(google-build-using-namespace)
  if (!TilesSupported()) {
    std::fputs("tile_bench: this machine has no AMX, or this system does not allow it\n", stderr);
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  Register("loads/tiles:1", Loads<1>);
  Register("loads/tiles:2", Loads<2>);
  Register("loads/tiles:4", Loads<4>);
  Register("loads/tiles:6", Loads<6>);
  Register("loads/tiles:8", Loads<8>);
  Register("products/two_by_two", TwoByTwo<false>);
  Register("products/two_by_two/released", TwoByTwo<true>);
  Register("products/one_by_two/released", OneByTwo);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
