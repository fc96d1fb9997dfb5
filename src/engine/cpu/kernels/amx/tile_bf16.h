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

// One block. `part`'s four parts are done while the products wait for tiles: with a step's
// unpacking in one place, tiles would be waited for before and after it. A tile is zeroed after its
// last use, which gives its physical register back: few are left while the core's other hyperthread
// works (docs/performance-engine.md).
template <bool two, class Part>
[[gnu::always_inline]] inline void AddBlock(const RowStep& step, std::size_t i, const Part& part) {
  SAFEGUARD_TILE_LOAD(6, step.first + kBf16BlockBytes * i, kTileStride);
  SAFEGUARD_TILE_STREAM(4, step.x[0] + 64 * i, step.stride);
  part.template operator()<0>();
  SAFEGUARD_TILE_DOT(0, 4, 6);
  SAFEGUARD_TILE_LOAD(7, step.second + kBf16BlockBytes * i, kTileStride);
  part.template operator()<1>();
  SAFEGUARD_TILE_DOT(1, 4, 7);
  SAFEGUARD_TILE_ZERO(4);
  if constexpr (two) {
    SAFEGUARD_TILE_STREAM(5, step.x[1] + 64 * i, step.stride);
    part.template operator()<2>();
    SAFEGUARD_TILE_DOT(2, 5, 6);
    SAFEGUARD_TILE_ZERO(6);
    part.template operator()<3>();
    SAFEGUARD_TILE_DOT(3, 5, 7);
    SAFEGUARD_TILE_ZERO(5);
  } else {
    SAFEGUARD_TILE_ZERO(6);
    part.template operator()<2>();
    part.template operator()<3>();
  }
  SAFEGUARD_TILE_ZERO(7);
}

// Halves [from, to) of the next step.
struct Share {
  std::size_t from;
  std::size_t to;
};

// With block i of a step, two halves of the next one, from `make`.
template <bool two, PackedType type>
[[gnu::always_inline]] inline void AddAndMakeTwo(const RowStep& step, std::size_t i,
                                                 const TileStep<type>& next, std::size_t make) {
  const HalfMaker<type> first(next, make);
  const HalfMaker<type> second(next, make + 1);
  AddBlock<two>(step, i, [&]<std::size_t part>() __attribute__((always_inline)) {
    first.template Make<part>();
    second.template Make<part>();
  });
  next.Ask(make);
  next.Ask(make + 1);
}

// Makes a share of the next step on the way, spread over the blocks.
template <bool two, PackedType type>
void AddAndMake(const RowStep& step, const TileStep<type>& next, const Share& share) {
  std::size_t make = share.from;
  std::size_t due = 0;  // halves, in parts of step.count
  for (std::size_t i = 0; i < step.count; ++i) {
    due += share.to - share.from;
    if (due >= 2 * step.count) {
      AddAndMakeTwo<two>(step, i, next, make);
      make += 2;
      due -= 2 * step.count;
    } else if (due >= step.count) {
      const HalfMaker<type> maker(next, make);
      AddBlock<two>(step, i, [&]<std::size_t part>() __attribute__((always_inline)) {
        maker.template Make<part>();
      });
      next.Ask(make++);
      due -= step.count;
    } else {
      AddBlock<two>(step, i, []<std::size_t>() {});
    }
  }
  for (; make < share.to; ++make) {
    next.Ask(make);
    HalfMaker<type>(next, make).MakeAll();
  }
}

// Blocks of a step. The next one is unpacked meanwhile: with the sums both stay in the L1 cache.
constexpr std::size_t kChunk = 6;
static_assert(TileMemory::kWeightsAt + 4 * kChunk * kBf16BlockBytes / sizeof(float) <=
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

// Where a pair's sums come from before a step, and whether they go to memory after it.
struct SumsTurn {
  bool begins;  // they are zero
  bool stays;   // they are in the tiles still
  bool leaves;
};

template <bool two, PackedType type>
void AddRows(const RowStep& step, const TileStep<type>& next, const Share& share,
             const SumsTurn& turn, float* sums) {
  if (turn.begins) {
    ZeroSums();
  } else if (!turn.stays) {
    LoadSums<two>(sums);
  }
  AddAndMake<two>(step, next, share);
  if (turn.leaves) {
    StoreSums<two>(sums);
  }
}

// Two groups. A step's weights are unpacked once for all rows, a share of it beside each pair of
// tiles. Steps go through the pairs forth and back, so that the pair at the turn, or the only one,
// keeps its sums in tiles.
template <PackedType type>
void SumRows(const PackedTask& task, const RowTiling& tiling, TileWalk<type>& walk, float* sums) {
  const std::size_t pairs = (tiling.tiles() + 1) / 2;
  bool back = false;
  for (std::size_t begin = 0; begin < task.blocks; begin += kChunk) {
    const TileStep<type> next = walk.Next();
    const bool ends = begin + kChunk >= task.blocks;
    for (std::size_t i = 0; i < pairs; ++i) {
      const std::size_t tile = 2 * (back ? pairs - 1 - i : i);
      const bool two = tile + 1 < tiling.tiles();
      const RowStep step = {{task.x[tiling.Begin(tile)] + 64 * begin,
                             task.x[tiling.Begin(two ? tile + 1 : tile)] + 64 * begin},
                            PreparedRowBytes(task.blocks),
                            walk.first(),
                            walk.second(),
                            Least(kChunk, task.blocks - begin)};
      const Share share = {next.halves() * i / pairs, next.halves() * (i + 1) / pairs};
      const SumsTurn turn = {begin == 0, i == 0, i + 1 < pairs || ends};
      float* own = sums + 2 * tile * kTileSums;
      two ? AddRows<true>(step, next, share, turn, own)
          : AddRows<false>(step, next, share, turn, own);
    }
    back = !back;
    walk.Advance();
  }
}

// A half of the next step, if it has that many, unpacked around a product: a quarter before it,
// while its tile of weights is loaded.
template <PackedType type, class Dot>
[[gnu::always_inline]] inline void MakeAround(const TileStep<type>& next, std::size_t half,
                                              const Dot& dot) {
  if (half >= next.halves()) {
    return dot();
  }
  next.Ask(half);
  const HalfMaker<type> maker(next, half);
  maker.template Make<0>();
  dot();
  maker.template Make<1>();
  maker.template Make<2>();
  maker.template Make<3>();
}

// Two groups for one tile of rows, where memory and unpacking are the limit. The sums stay in tiles
// through all steps.
template <PackedType type>
void SumOneTile(const PackedTask& task, const RowTiling& tiling, TileWalk<type>& walk,
                float* sums) {
  ZeroSums();
  const std::size_t stride = PreparedRowBytes(task.blocks);
  for (std::size_t begin = 0; begin < task.blocks; begin += kChunk) {
    const TileStep<type> next = walk.Next();
    const std::byte* x = task.x[tiling.Begin(0)] + 64 * begin;
    const std::byte* first = walk.first();
    const std::byte* second = walk.second();
    const std::size_t count = Least(kChunk, task.blocks - begin);
    for (std::size_t i = 0; i < count; ++i) {
      SAFEGUARD_TILE_STREAM(4, x + 64 * i, stride);
      SAFEGUARD_TILE_LOAD(6, first + kBf16BlockBytes * i, kTileStride);
      MakeAround(next, 2 * i, [] { SAFEGUARD_TILE_DOT(0, 4, 6); });
      SAFEGUARD_TILE_LOAD(6, second + kBf16BlockBytes * i, kTileStride);
      MakeAround(next, 2 * i + 1, [] { SAFEGUARD_TILE_DOT(1, 4, 6); });
    }
    for (std::size_t half = 2 * count; half < next.halves(); ++half) {
      next.Ask(half);
      HalfMaker<type>(next, half).MakeAll();
    }
    walk.Advance();
  }
  StoreSums<false>(sums);
}

template <PackedType type>
void Bf16TileRows(const PackedTask& task, std::size_t row, std::size_t rows) {
  const TileMemory memory(task.scratch);
  const RowTiling tiling(row, rows);
  tiling.Configure();
  const bool one_tile = tiling.tiles() == 1;
  TileWalk<type> walk(task, memory.weights, kChunk);
  for (std::size_t first = 0; first < task.outputs; first += kPairOutputs) {
    one_tile ? SumOneTile(task, tiling, walk, memory.sums)
             : SumRows(task, tiling, walk, memory.sums);
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
