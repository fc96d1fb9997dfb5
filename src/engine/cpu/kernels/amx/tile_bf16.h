// Packed linear layers in bfloat16 by tiles (TDPBF16PS): 32 rows by 32 outputs at a time, for any
// number of rows. Weights are unpacked once for all rows of a block of rows; bfloat16 weights are
// tiles as they stand in memory. In an unnamed namespace: for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/amx/tile_memory.h"
#include "engine/cpu/kernels/avx512_bf16/bf16_weights.h"
#include "engine/cpu/kernels/packed_linear.h"
#include "engine/tiles/tiles.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

constexpr std::size_t kPairOutputs = 2 * kPackedOutputs;

// Tiles 0 and 1: sums of the first rows; 2 and 3: of the second; 4 and 5: the rows; 6 and 7:
// weights of the first and second 16 outputs.
class Bf16Tiles {
 public:
  // Up to 32 rows. Sets the tiles up where they are not so already.
  void WantRows(std::size_t rows) {
    if (rows == rows_) {
      return;
    }
    rows_ = rows;
    const std::size_t first = rows < kTileRows ? rows : kTileRows;
    TileConfig config;
    for (std::size_t tile = 0; tile < 8; ++tile) {
      const bool second = tile == 2 || tile == 3 || tile == 5;
      const std::size_t count = tile >= 6 ? kTileRows : second ? rows - first : first;
      config.rows[tile] = static_cast<std::uint8_t>(count);
      config.row_bytes[tile] = count == 0 ? 0 : kTileStride;
    }
    TileConfigure(config);
  }

 private:
  std::size_t rows_ = 0;
};

// Adds `count` blocks of at most 16 rows to `sums`, kPairOutputs a row.
inline void AddTiles(const std::byte* x, std::size_t stride, const std::byte* a, const std::byte* b,
                     std::size_t count, float* sums) {
  constexpr std::size_t kSumStride = kPairOutputs * sizeof(float);
  SAFEGUARD_TILE_LOAD(0, sums, kSumStride);
  SAFEGUARD_TILE_LOAD(1, sums + kPackedOutputs, kSumStride);
  for (std::size_t i = 0; i < count; ++i) {
    SAFEGUARD_TILE_LOAD(4, x + 64 * i, stride);
    SAFEGUARD_TILE_LOAD(6, a + kBf16BlockBytes * i, kTileStride);
    SAFEGUARD_TILE_LOAD(7, b + kBf16BlockBytes * i, kTileStride);
    SAFEGUARD_TILE_DOT(0, 4, 6);
    SAFEGUARD_TILE_DOT(1, 4, 7);
  }
  SAFEGUARD_TILE_STORE(0, sums, kSumStride);
  SAFEGUARD_TILE_STORE(1, sums + kPackedOutputs, kSumStride);
}

// The same of 17 to 32 rows.
inline void AddTilesOfMore(const std::byte* x, std::size_t stride, const std::byte* a,
                           const std::byte* b, std::size_t count, float* sums) {
  constexpr std::size_t kSumStride = kPairOutputs * sizeof(float);
  float* below = sums + kTileRows * kPairOutputs;
  SAFEGUARD_TILE_LOAD(0, sums, kSumStride);
  SAFEGUARD_TILE_LOAD(1, sums + kPackedOutputs, kSumStride);
  SAFEGUARD_TILE_LOAD(2, below, kSumStride);
  SAFEGUARD_TILE_LOAD(3, below + kPackedOutputs, kSumStride);
  for (std::size_t i = 0; i < count; ++i) {
    SAFEGUARD_TILE_LOAD(4, x + 64 * i, stride);
    SAFEGUARD_TILE_LOAD(6, a + kBf16BlockBytes * i, kTileStride);
    SAFEGUARD_TILE_LOAD(7, b + kBf16BlockBytes * i, kTileStride);
    SAFEGUARD_TILE_LOAD(5, x + kTileRows * stride + 64 * i, stride);
    SAFEGUARD_TILE_DOT(0, 4, 6);
    SAFEGUARD_TILE_DOT(1, 4, 7);
    SAFEGUARD_TILE_DOT(2, 5, 6);
    SAFEGUARD_TILE_DOT(3, 5, 7);
  }
  SAFEGUARD_TILE_STORE(0, sums, kSumStride);
  SAFEGUARD_TILE_STORE(1, sums + kPackedOutputs, kSumStride);
  SAFEGUARD_TILE_STORE(2, below, kSumStride);
  SAFEGUARD_TILE_STORE(3, below + kPackedOutputs, kSumStride);
}

// Two groups, or one twice, of rows [row, row + rows): their sums into memory.sums.
template <PackedType type>
void SumGroups(const PackedTask& task, const std::byte* a, const std::byte* b, std::size_t row,
               std::size_t rows, const TileMemory& memory, Bf16Tiles& tiles) {
  const std::size_t stride = PreparedRowBytes(task.blocks);
  const std::byte* x = task.x[row];
  __builtin_memset(memory.sums, 0, rows * kPairOutputs * sizeof(float));
  for (std::size_t begin = 0; begin < task.blocks; begin += kTileChunk) {
    const std::size_t left = task.blocks - begin;
    const std::size_t count = left < kTileChunk ? left : kTileChunk;
    const std::byte* first = Bf16Weights<type>(task, a, begin, count, memory.weights);
    const std::byte* second =
        a == b ? first
               : Bf16Weights<type>(task, b, begin, count,
                                   memory.weights + kTileChunk * kBf16BlockBytes);
    for (std::size_t r = 0; r < rows; r += 2 * kTileRows) {
      const std::size_t rest = rows - r;
      const std::byte* from = x + r * stride + 64 * begin;
      float* sums = memory.sums + r * kPairOutputs;
      tiles.WantRows(rest < 2 * kTileRows ? rest : 2 * kTileRows);
      rest > kTileRows ? AddTilesOfMore(from, stride, first, second, count, sums)
                       : AddTiles(from, stride, first, second, count, sums);
    }
  }
}

template <PackedType type>
void Bf16TileGroups(const PackedTask& task) {
  const TileMemory memory(task.scratch);
  const std::size_t bytes = PackedGroupBytes(type, task.blocks);
  Bf16Tiles tiles;
  for (std::size_t row = 0; row < task.rows; row += kTileRowBlock) {
    const std::size_t left = task.rows - row;
    const std::size_t rows = left < kTileRowBlock ? left : kTileRowBlock;
    for (std::size_t first = 0; first < task.outputs; first += kPairOutputs) {
      const std::byte* group = task.weights + first / kPackedOutputs * bytes;
      const bool pair = first + kPackedOutputs < task.outputs;
      SumGroups<type>(task, group, pair ? group + bytes : group, row, rows, memory, tiles);
      WriteSums(task, memory.sums, kPairOutputs, first, row, rows);
      if (pair) {
        WriteSums(task, memory.sums + kPackedOutputs, kPairOutputs, first + kPackedOutputs, row,
                  rows);
      }
    }
  }
  TileRelease();
}

inline void TileBf16(const PackedTask& task) {
  if (task.type == PackedType::kMxfp4) {
    Bf16TileGroups<PackedType::kMxfp4>(task);
  } else if (task.type == PackedType::kQ8) {
    Bf16TileGroups<PackedType::kQ8>(task);
  } else {
    Bf16TileGroups<PackedType::kBf16>(task);
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu
