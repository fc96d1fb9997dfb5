// Attention over pages of bfloat16 by tiles: scores and sums of values are products of two by two
// tiles, keys and values are tiles where they stand; weights as vector_attention.h makes them. In
// an unnamed namespace: for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "engine/cpu/kernels/amx/row_tiling.h"
#include "engine/cpu/kernels/amx/tile_memory.h"
#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/vector_attention.h"
#include "engine/tiles/tiles.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

constexpr std::size_t kPairBytes = 4;
constexpr std::size_t kWeightRowBytes = 2 * kPagePositions;
// Two tiles of rows at a time: with a page and what is made of them they fit the L1 cache.
constexpr std::size_t kAttentionTileRows = 2 * kTileRows;
static_assert(kAttentionTileRows <= kAttentionRowBlock);

struct TileAttention {
  std::size_t query_bytes;  // of a row
  std::byte* queries;       // of all rows
  std::byte* weights;       // of a block
  float* added;             // what a page adds to a block's sums, state.padded a row
  std::size_t height;       // of the tiles that are configured
};

// Two tiles of rows, and the steps of 32 columns that they have.
struct TileRowsPair {
  const std::byte* first;
  const std::byte* second;
  std::size_t stride;
  std::size_t steps;
};

// Sums of rows by two tiles of columns, in tiles 0 to 3. Columns are pairs, `stride` a row of them.
inline void MultiplyPair(const TileRowsPair& rows, const std::byte* left, const std::byte* right,
                         std::size_t stride) {
  SAFEGUARD_TILE_ZERO(0);
  SAFEGUARD_TILE_ZERO(1);
  SAFEGUARD_TILE_ZERO(2);
  SAFEGUARD_TILE_ZERO(3);
  for (std::size_t step = 0; step < rows.steps; ++step) {
    const std::size_t down = step * kTileRows * stride;
    SAFEGUARD_TILE_LOAD(6, left + down, stride);
    SAFEGUARD_TILE_LOAD(4, rows.first + 64 * step, rows.stride);
    SAFEGUARD_TILE_DOT(0, 4, 6);
    SAFEGUARD_TILE_LOAD(7, right + down, stride);
    SAFEGUARD_TILE_DOT(1, 4, 7);
    SAFEGUARD_TILE_ZERO(4);  // as in AddBlock (tile_bf16.h)
    SAFEGUARD_TILE_LOAD(5, rows.second + 64 * step, rows.stride);
    SAFEGUARD_TILE_DOT(2, 5, 6);
    SAFEGUARD_TILE_ZERO(6);
    SAFEGUARD_TILE_DOT(3, 5, 7);
    SAFEGUARD_TILE_ZERO(5);
    SAFEGUARD_TILE_ZERO(7);
  }
}

// out[r][c] = row r . column c of the block's rows and `columns` columns, a multiple of 16.
inline void MultiplyBlock(const RowTiling& tiling, const TileRowsPair& rows, const std::byte* pairs,
                          std::size_t columns, float* out) {
  const std::size_t stride = kPairBytes * columns;
  for (std::size_t t = 0; t < tiling.tiles(); t += 2) {
    const std::size_t above = tiling.Begin(t);
    const std::size_t below = tiling.Begin(Least(t + 1, tiling.tiles() - 1));
    const TileRowsPair both = {rows.first + above * rows.stride, rows.first + below * rows.stride,
                               rows.stride, rows.steps};
    for (std::size_t c = 0; c < columns; c += 2 * kTileRows) {
      const std::size_t next = Least(c + kTileRows, columns - kTileRows);
      MultiplyPair(both, pairs + kPairBytes * c, pairs + kPairBytes * next, stride);
      SAFEGUARD_TILE_STORE(0, out + above * columns + c, stride);
      SAFEGUARD_TILE_STORE(1, out + above * columns + next, stride);
      SAFEGUARD_TILE_STORE(2, out + below * columns + c, stride);
      SAFEGUARD_TILE_STORE(3, out + below * columns + next, stride);
    }
  }
}

// 32 numbers rounded to bfloat16.
inline void StoreRounded(std::byte* to, __m512 first, __m512 second) {
  _mm512_storeu_si512(to, __builtin_bit_cast(__m512i, _mm512_cvtne2ps_pbh(second, first)));
}

// Queries in bfloat16, zeros behind them.
inline void RoundQueries(const AttentionTask& task, const TileAttention& tiles) {
  const auto some = [](std::size_t count) {
    return static_cast<__mmask16>(count < 16 ? (1U << count) - 1U : 0xFFFFU);
  };
  for (std::size_t row = 0; row < task.row_count; ++row) {
    for (std::size_t d = 0; d < task.head_dim; d += 32) {
      const float* query = task.rows[row].query + d;
      const std::size_t left = task.head_dim - d;
      StoreRounded(tiles.queries + row * tiles.query_bytes + 2 * d,
                   _mm512_maskz_loadu_ps(some(left), query),
                   _mm512_maskz_loadu_ps(some(left < 16 ? 0 : left - 16), query + 16));
    }
  }
}

// sums = sums * factor + what the page adds.
inline void AddPage(const PageBlock& block, const float* factors, const float* added,
                    std::size_t padded, float* sums) {
  for (std::size_t r = 0; r < block.count; ++r) {
    const __m512 factor = _mm512_set1_ps(factors[r]);
    for (std::size_t d = r * padded; d < (r + 1) * padded; d += Lanes16::kWidth) {
      Lanes16::Store(sums + d,
                     _mm512_fmadd_ps(Lanes16::Load(sums + d), factor, Lanes16::Load(added + d)));
    }
  }
}

// One page for rows [row, row + block.count) of the task.
inline void AttendTiles(PageBlock& block, std::size_t row, const AttentionState& state,
                        TileAttention& tiles) {
  const RowTiling tiling(0, block.count);
  if (tiling.height() != tiles.height) {
    tiling.Configure();
    tiles.height = tiling.height();
  }
  const std::byte* queries = tiles.queries + row * tiles.query_bytes;
  MultiplyBlock(tiling, {queries, queries, tiles.query_bytes, tiles.query_bytes / 64}, block.keys,
                kPagePositions, state.scores);
  alignas(64) float factors[kAttentionRowBlock] = {};
  BlockWeights<Lanes16>(
      block, row, state, factors, [&](std::size_t r, std::size_t j, __m512 weight) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(tiles.weights + r * kWeightRowBytes + 2 * j),
                            __builtin_bit_cast(__m256i, _mm512_cvtneps_pbh(weight)));
      });
  MultiplyBlock(tiling, {tiles.weights, tiles.weights, kWeightRowBytes, kWeightRowBytes / 64},
                block.values, state.padded, tiles.added);
  AddPage(block, factors, tiles.added, state.padded, state.sums + row * state.padded);
}

inline void AttentionByTiles(const AttentionTask& task) {
  const AttentionState state = BeginAttention<Lanes16>(task);
  // On a cache line where the scratch is: a row of a tile fills one.
  float* behind = state.largest + RoundUp(2 * task.row_count, kHeadQuantum);
  TileAttention tiles = {.query_bytes = 2 * RoundUp(task.head_dim, 32),
                         .queries = reinterpret_cast<std::byte*>(behind),
                         .weights = {},
                         .added = {},
                         .height = 0};
  tiles.weights = tiles.queries + task.row_count * tiles.query_bytes;
  tiles.added = reinterpret_cast<float*>(tiles.weights + kAttentionRowBlock * kWeightRowBytes);
  RoundQueries(task, tiles);
  PageBlock block;
  block.head_dim = task.head_dim;
  for (std::size_t v = 0; v < task.visit_count; ++v) {
    block.keys = task.visits[v].page;
    block.values = block.keys + KvKeyBytes(task.head_dim, task.type);
    ForBlocks(task, task.visits[v], kAttentionTileRows, block,
              [&](PageBlock& at, std::size_t row) { AttendTiles(at, row, state, tiles); });
  }
  TileRelease();
  EndAttention(task, state);
}

}  // namespace
}  // namespace safeguard::engine::cpu
