// Packed linear layers in bfloat16 by tiles (TDPBF16PS): two tiles of rows by 32 outputs at a time,
// for any number of rows. In an unnamed namespace: for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/amx/row_tiling.h"
#include "engine/cpu/kernels/amx/tile_memory.h"
#include "engine/cpu/kernels/amx/tile_walk.h"
#include "engine/cpu/kernels/packed_linear.h"
#include "engine/tiles/tiles.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

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

// A share of the next step's blocks, [from, to): one is unpacked after every `every` blocks.
struct Share {
  std::size_t from;
  std::size_t to;
  std::size_t every;
};

// Makes a share of the next step on the way.
template <bool two, PackedType type>
void AddAndMake(const RowStep& step, const TileStep<type>& next, const Share& share) {
  std::size_t make = share.from;
  const auto make_one = [&] {
    next.Ask(make, 0);
    next.Ask(make, 1);
    next.Make(make++);
  };
  std::size_t wait = share.every;
  for (std::size_t i = 0; i < step.count; ++i) {
    AddBlock<two>(step, i);
    if (--wait == 0 && make < share.to) {
      make_one();
      wait = share.every;
    }
  }
  while (make < share.to) {
    make_one();
  }
}

// Blocks of a step. The next one is unpacked meanwhile: both stay in the L1 cache. Where sums are
// written back after each step, it is longer.
constexpr std::size_t kFewRowsChunk = 6;
constexpr std::size_t kManyRowsChunk = 8;
static_assert(TileMemory::kWeightsAt + 4 * kManyRowsChunk * kBf16BlockBytes / sizeof(float) <=
              kPackedScratchFloats);

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
    const TileStep<type> next = walk.Next();
    AddAndMake<two>(StepOf(task, tiling, 0, begin, kFewRowsChunk, walk), next, {0, next.count, 1});
    walk.Advance();
  }
  StoreSums<two>(sums);
}

template <bool two, PackedType type>
void AddRows(const RowStep& step, const TileStep<type>& next, const Share& share, bool begins,
             float* sums) {
  begins ? ZeroSums() : LoadSums<two>(sums);
  AddAndMake<two>(step, next, share);
  StoreSums<two>(sums);
}

// Two groups and more rows: a step's weights are unpacked once for all of them, a part of it beside
// each pair of tiles.
template <PackedType type>
void SumManyRows(const PackedTask& task, const RowTiling& tiling, TileWalk<type>& walk,
                 float* sums) {
  const std::size_t pairs = (tiling.tiles() + 1) / 2;
  for (std::size_t begin = 0; begin < task.blocks; begin += kManyRowsChunk) {
    const TileStep<type> next = walk.Next();
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      const RowStep step = StepOf(task, tiling, 2 * pair, begin, kManyRowsChunk, walk);
      const Share share = {next.count * pair / pairs, next.count * (pair + 1) / pairs, pairs};
      float* own = sums + 4 * pair * kTileSums;
      2 * pair + 1 < tiling.tiles() ? AddRows<true>(step, next, share, begin == 0, own)
                                    : AddRows<false>(step, next, share, begin == 0, own);
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
  TileWalk<type> walk(task, memory.weights, few ? kFewRowsChunk : kManyRowsChunk);
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
