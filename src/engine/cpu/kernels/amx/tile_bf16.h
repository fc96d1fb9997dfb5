// Packed linear layers in bfloat16 by tiles (TDPBF16PS): two tiles of rows by 32 outputs at a time,
// for any number of rows. In an unnamed namespace: for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/amx/tile_memory.h"
#include "engine/cpu/kernels/amx/tile_walk.h"
#include "engine/cpu/kernels/packed_linear.h"
#include "engine/tiles/tiles.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

// Rows [begin, begin + rows) of a task as tiles of equal height, at most kTileRows. The last one
// begins where it ends with the last row: rows that it shares with the one before are computed
// twice, to the same bits.
class RowTiling {
 public:
  RowTiling(std::size_t begin, std::size_t rows)
      : begin_(begin),
        rows_(rows),
        tiles_((rows + kTileRows - 1) / kTileRows),
        height_((rows + tiles_ - 1) / tiles_) {}

  [[nodiscard]] std::size_t tiles() const { return tiles_; }
  [[nodiscard]] std::size_t height() const { return height_; }
  [[nodiscard]] std::size_t Begin(std::size_t tile) const {
    return begin_ + Least(tile * height_, rows_ - height_);
  }

  // Tiles 0 and 1: sums of the first rows; 2 and 3: of the second; 4 and 5: the rows; 6 and 7:
  // weights of the first and second 16 outputs.
  void Configure() const {
    TileConfig config;
    for (std::size_t tile = 0; tile < 8; ++tile) {
      config.rows[tile] = static_cast<std::uint8_t>(tile >= 6 ? kTileRows : height_);
      config.row_bytes[tile] = kTileStride;
    }
    TileConfigure(config);
  }

 private:
  std::size_t begin_;
  std::size_t rows_;
  std::size_t tiles_;
  std::size_t height_;
};

// Rows of one tile or two, and the blocks of one step.
struct RowStep {
  const std::byte* x[2];  // their block at which the step begins
  std::size_t stride;
  const std::byte* first;  // tiles of weights, kBf16BlockBytes apart
  const std::byte* second;
  std::size_t count;
};

// The tile that is loaded first is used up first: the next block's need not wait for it.
template <bool two>
[[gnu::always_inline]] inline void AddBlock(const RowStep& step, std::size_t i) {
  SAFEGUARD_TILE_LOAD(6, step.first + kBf16BlockBytes * i, kTileStride);
  SAFEGUARD_TILE_STREAM(4, step.x[0] + 64 * i, step.stride);
  if constexpr (two) {
    SAFEGUARD_TILE_STREAM(5, step.x[1] + 64 * i, step.stride);
  }
  SAFEGUARD_TILE_LOAD(7, step.second + kBf16BlockBytes * i, kTileStride);
  SAFEGUARD_TILE_DOT(0, 4, 6);
  if constexpr (two) {
    SAFEGUARD_TILE_DOT(2, 5, 6);
  }
  SAFEGUARD_TILE_DOT(1, 4, 7);
  if constexpr (two) {
    SAFEGUARD_TILE_DOT(3, 5, 7);
  }
}

// Makes the next step on the way.
template <bool two, PackedType type>
void AddAndMake(const RowStep& step, const TileStep<type>& next) {
  for (std::size_t i = 0; i < step.count || i < next.count; ++i) {
    if (i < step.count) {
      AddBlock<two>(step, i);
    }
    if (i < next.count) {
      next.Ask(i, 0);
      next.Ask(i, 1);
      next.Make(i);
    }
  }
}

// Asks memory for blocks of the next step on the way, in one group.
template <bool two, PackedType type>
void AddAndAsk(const RowStep& step, const TileStep<type>& next, std::size_t half) {
  for (std::size_t i = 0; i < step.count; ++i) {
    AddBlock<two>(step, i);
    if (i < next.count) {
      next.Ask(i, half);
    }
  }
}

// Blocks of a step where the next one is unpacked on the way: both stay in the L1 cache.
constexpr std::size_t kFewRowsChunk = 6;
static_assert(4 * kFewRowsChunk * kBf16BlockBytes +
                  2 * kTileRowBlock * kPackedOutputs * sizeof(float) <=
              kPackedScratchFloats * sizeof(float));

// Sums of a tile of rows: 16 by 16 for the first 16 outputs, then for the second.
constexpr std::size_t kTileSums = kTileRows * kPackedOutputs;

inline void ZeroSums() {
  SAFEGUARD_TILE_ZERO(0);
  SAFEGUARD_TILE_ZERO(1);
  SAFEGUARD_TILE_ZERO(2);
  SAFEGUARD_TILE_ZERO(3);
}

template <bool two>
void LoadSums(const float* sums) {
  SAFEGUARD_TILE_LOAD(0, sums, kTileStride);
  SAFEGUARD_TILE_LOAD(1, sums + kTileSums, kTileStride);
  if constexpr (two) {
    SAFEGUARD_TILE_LOAD(2, sums + 2 * kTileSums, kTileStride);
    SAFEGUARD_TILE_LOAD(3, sums + 3 * kTileSums, kTileStride);
  }
}

template <bool two>
void StoreSums(float* sums) {
  SAFEGUARD_TILE_STORE(0, sums, kTileStride);
  SAFEGUARD_TILE_STORE(1, sums + kTileSums, kTileStride);
  if constexpr (two) {
    SAFEGUARD_TILE_STORE(2, sums + 2 * kTileSums, kTileStride);
    SAFEGUARD_TILE_STORE(3, sums + 3 * kTileSums, kTileStride);
  }
}

template <PackedType type>
RowStep StepOf(const PackedTask& task, const RowTiling& tiling, std::size_t tile, std::size_t begin,
               std::size_t chunk, const TileWalk<type>& walk) {
  const std::size_t below = Least(tile + 1, tiling.tiles() - 1);
  return {{task.x[tiling.Begin(tile)] + 64 * begin, task.x[tiling.Begin(below)] + 64 * begin},
          PreparedRowBytes(task.blocks),
          walk.first(),
          walk.second(),
          Least(chunk, task.blocks - begin)};
}

// Two groups and rows of at most two tiles: their sums stay in tiles until they are complete.
template <bool two, PackedType type>
void SumFewRows(const PackedTask& task, const RowTiling& tiling, TileWalk<type>& walk,
                float* sums) {
  ZeroSums();
  for (std::size_t begin = 0; begin < task.blocks; begin += kFewRowsChunk) {
    AddAndMake<two>(StepOf(task, tiling, 0, begin, kFewRowsChunk, walk), walk.Next());
    walk.Advance();
  }
  StoreSums<two>(sums);
}

template <bool two, PackedType type>
void AddRows(const RowStep& step, const TileStep<type>& next, std::size_t pair, bool begins,
             float* sums) {
  begins ? ZeroSums() : LoadSums<two>(sums);
  if (pair < 2) {  // there are two at least: one asks for each group
    AddAndAsk<two>(step, next, pair);
  } else {
    for (std::size_t i = 0; i < step.count; ++i) {
      AddBlock<two>(step, i);
    }
  }
  StoreSums<two>(sums);
}

// Two groups and more rows: a step's weights are unpacked once for all of them.
template <PackedType type>
void SumManyRows(const PackedTask& task, const RowTiling& tiling, TileWalk<type>& walk,
                 float* sums) {
  for (std::size_t begin = 0; begin < task.blocks; begin += kTileChunk) {
    const TileStep<type> next = walk.Next();
    for (std::size_t t = 0; t < tiling.tiles(); t += 2) {
      const RowStep step = StepOf(task, tiling, t, begin, kTileChunk, walk);
      float* own = sums + 2 * t * kTileSums;
      t + 1 < tiling.tiles() ? AddRows<true>(step, next, t / 2, begin == 0, own)
                             : AddRows<false>(step, next, t / 2, begin == 0, own);
    }
    for (std::size_t i = 0; i < next.count; ++i) {
      next.Make(i);
    }
    walk.Advance();
  }
}

template <PackedType type>
void Bf16TileRows(const PackedTask& task, std::size_t row, std::size_t rows) {
  const TileMemory memory(task.scratch);
  const RowTiling tiling(row, rows);
  tiling.Configure();
  const bool few = tiling.tiles() <= 2;
  TileWalk<type> walk(task, memory.weights, few ? kFewRowsChunk : kTileChunk, few);
  for (std::size_t first = 0; first < task.outputs; first += kPairOutputs) {
    tiling.tiles() == 1   ? SumFewRows<false>(task, tiling, walk, memory.sums)
    : tiling.tiles() == 2 ? SumFewRows<true>(task, tiling, walk, memory.sums)
                          : SumManyRows(task, tiling, walk, memory.sums);
    for (std::size_t t = 0; t < tiling.tiles(); ++t) {
      const float* sums = memory.sums + 2 * t * kTileSums;
      WriteSums(task, sums, kPackedOutputs, first, tiling.Begin(t), tiling.height());
      if (first + kPackedOutputs < task.outputs) {
        WriteSums(task, sums + kTileSums, kPackedOutputs, first + kPackedOutputs, tiling.Begin(t),
                  tiling.height());
      }
    }
  }
}

template <PackedType type>
void Bf16TileGroups(const PackedTask& task) {
  const std::size_t blocks = (task.rows + kTileRowBlock - 1) / kTileRowBlock;
  for (std::size_t block = 0; block < blocks; ++block) {  // as equal as can be
    const std::size_t begin = task.rows * block / blocks;
    Bf16TileRows<type>(task, begin, task.rows * (block + 1) / blocks - begin);
  }
  TileRelease();
}

inline void TileBf16(const PackedTask& task) {
  if (task.outputs == 0) {
    return;
  }
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
