// The tile instructions of AMX, by number of tile register. Our own, because the intrinsics of
// GCC 12 lie about memory: _tile_loadconfig names 8 of the 64 bytes that it reads and the tile
// loads and stores name none, so the optimiser may drop or move the stores that they depend on.
#pragma once

#if defined(SAFEGUARD_EMULATED_INTRINSICS) || defined(SAFEGUARD_EMULATED_TILES)
#include "engine/tiles/emulated_tiles.h"
#else

#include <asm/prctl.h>
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace safeguard::engine {

// The 64 bytes that ldtilecfg reads (Intel SDM, volume 1, chapter 18).
struct TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

namespace {  // NOLINT(google-build-namespaces): nothing compiled for AMX may be shared

// The processor has tiles with bf16 and bytes, the system keeps them (XCR0) and lets this process
// use them. Every processor with tiles so far has both.
[[maybe_unused]] bool TilesSupported() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kBf16 = 1U << 22;
  constexpr unsigned kTile = 1U << 24;
  constexpr unsigned kInt8 = 1U << 25;
  constexpr unsigned kAll = kBf16 | kTile | kInt8;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kAll) != kAll) {
    return false;
  }
  constexpr unsigned kOsXsave = 1U << 27;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsXsave) == 0) {
    return false;
  }
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned kTileStates = (1U << 17) | (1U << 18);
  if ((low & kTileStates) != kTileStates) {
    return false;
  }
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM, Linux 5.16
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

// Of the calling thread.
[[maybe_unused]] void TileConfigure(const TileConfig& config) {
  asm volatile("ldtilecfg %0" ::"m"(config) : "memory");
}

[[maybe_unused]] void TileRelease() {
  asm volatile("tilerelease" ::: "memory");
}

}  // namespace
}  // namespace safeguard::engine

#define SAFEGUARD_TILE_ZERO(tile) asm volatile("tilezero %%tmm" #tile ::: "memory")
#define SAFEGUARD_TILE_LOAD(tile, from, stride)                \
  asm volatile("tileloadd (%0,%1,1), %%tmm" #tile ::"r"(from), \
               "r"(static_cast<std::ptrdiff_t>(stride))        \
               : "memory")
// The same, of data that need not stay in the cache.
#define SAFEGUARD_TILE_STREAM(tile, from, stride)                \
  asm volatile("tileloaddt1 (%0,%1,1), %%tmm" #tile ::"r"(from), \
               "r"(static_cast<std::ptrdiff_t>(stride))          \
               : "memory")
#define SAFEGUARD_TILE_STORE(tile, to, stride)                   \
  asm volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(to), \
               "r"(static_cast<std::ptrdiff_t>(stride))          \
               : "memory")
// bf16 into binary32 (Intel SDM, TDPBF16PS): sum[r][c] += even + odd, with even the fused
// multiply-adds of x[r][2i] * w[i][2c] over i, rising, from 0, and odd those of x[r][2i + 1] *
// w[i][2c + 1]. To nearest, ties to even; subnormals are zero, going in and coming out.
#define SAFEGUARD_TILE_DOT(sum, x, w) \
  asm volatile("tdpbf16ps %%tmm" #w ", %%tmm" #x ", %%tmm" #sum ::: "memory")
// Signed bytes into 32-bit integers: sum[r][c] += x[r][4i + j] * w[i][4c + j] over i and j < 4.
#define SAFEGUARD_TILE_DOT_BYTES(sum, x, w) \
  asm volatile("tdpbssd %%tmm" #w ", %%tmm" #x ", %%tmm" #sum ::: "memory")

#endif
