// Attention over pages of bfloat16 by tiles: scores and sums of values are products of two by two
// tiles, keys and values are tiles where they stand; the weights between them by tile_softmax.h. In
// an unnamed namespace: for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "engine/cpu/kernels/amx/row_tiling.h"
#include "engine/cpu/kernels/amx/tile_memory.h"
#include "engine/cpu/kernels/amx/tile_softmax.h"
#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/vector_attention.h"
#include "engine/tiles/tiles.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

constexpr std::size_t kPairBytes = 4;
// Two tiles of rows at a time: with a page and what is made of them they fit the L1 cache.
constexpr std::size_t kAttentionTileRows = 2 * kTileRows;
static_assert(kAttentionTileRows <= kAttentionRowBlock);

// Two tiles of rows, and the steps of 32 columns that they have.
struct TileRowsPair {
  const std::byte* first;
  const std::byte* second;
  std::size_t stride;
  std::size_t steps;
};

// Adds rows by two tiles of columns to tiles 0 to 3. Columns are pairs, `stride` a row of them.
inline void MultiplyPair(const TileRowsPair& rows, const std::byte* left, const std::byte* right,
                         std::size_t stride) {
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

// out[r][c] (+)= row r . column c of the block's rows, two tiles of them at most, and `columns`
// columns, a multiple of 16. A row or column that is in two tiles is the same in both: they are
// all loaded before one is stored.
template <bool adds>
[[gnu::always_inline]] inline void MultiplyBlock(const RowTiling& tiling, const TileRowsPair& rows,
                                                 const std::byte* pairs, std::size_t columns,
                                                 float* out) {
  const std::size_t stride = kPairBytes * columns;
  const std::size_t below = tiling.Begin(tiling.tiles() - 1);
  const TileRowsPair both = {rows.first, rows.second + below * rows.stride, rows.stride,
                             rows.steps};
  float* low = out + below * columns;
  for (std::size_t c = 0; c < columns; c += 2 * kTileRows) {
    const std::size_t next = Least(c + kTileRows, columns - kTileRows);
    if constexpr (adds) {
      SAFEGUARD_TILE_LOAD(0, out + c, stride);
      SAFEGUARD_TILE_LOAD(1, out + next, stride);
      SAFEGUARD_TILE_LOAD(2, low + c, stride);
      SAFEGUARD_TILE_LOAD(3, low + next, stride);
    } else {
      SAFEGUARD_TILE_ZERO(0);
      SAFEGUARD_TILE_ZERO(1);
      SAFEGUARD_TILE_ZERO(2);
      SAFEGUARD_TILE_ZERO(3);
    }
    MultiplyPair(both, pairs + kPairBytes * c, pairs + kPairBytes * next, stride);
    SAFEGUARD_TILE_STORE(0, out + c, stride);
    SAFEGUARD_TILE_STORE(1, out + next, stride);
    SAFEGUARD_TILE_STORE(2, low + c, stride);
    SAFEGUARD_TILE_STORE(3, low + next, stride);
  }
}

// 32 numbers rounded to bfloat16.
inline void StoreRounded(std::byte* to, __m512 first, __m512 second) {
  _mm512_storeu_si512(to, __builtin_bit_cast(__m512i, _mm512_cvtne2ps_pbh(second, first)));
}

// Queries in bfloat16, for scores that are exponents of two, zeros behind them.
inline void RoundQueries(const AttentionTask& task, std::size_t row_bytes, std::byte* queries) {
  const auto some = [](std::size_t count) {
    return static_cast<__mmask16>(count < 16 ? (1U << count) - 1U : 0xFFFFU);
  };
  for (std::size_t row = 0; row < task.row_count; ++row) {
    for (std::size_t d = 0; d < task.head_dim; d += 32) {
      const float* query = task.rows[row].query + d;
      const std::size_t left = task.head_dim - d;
      const auto scaled = [](__mmask16 mask, const float* from) {
        return _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, from), _mm512_set1_ps(kLog2E));
      };
      StoreRounded(queries + row * row_bytes + 2 * d, scaled(some(left), query),
                   scaled(some(left < 16 ? 0 : left - 16), query + 16));
    }
  }
}

// Multiplies the sums of rows whose factor is not 1: few, behind the first pages.
inline void ScaleRows(__m512 factor, std::size_t count, std::size_t padded, float* sums) {
  alignas(64) float factors[kTileRows];
  _mm512_store_ps(factors, factor);
  auto changed = static_cast<unsigned>(
      _mm512_cmp_ps_mask(factor, _mm512_set1_ps(1.0F), _CMP_NEQ_UQ) & ((1U << count) - 1U));
  for (; changed != 0; changed &= changed - 1U) {
    const auto r = static_cast<std::size_t>(__builtin_ctz(changed));
    const __m512 by = _mm512_set1_ps(factors[r]);
    for (std::size_t d = r * padded; d < (r + 1) * padded; d += 16) {
      _mm512_storeu_ps(sums + d, _mm512_mul_ps(_mm512_loadu_ps(sums + d), by));
    }
  }
}

// Rows of queries, and what is made of a block of them at a page.
class TileAttention {
 public:
  TileAttention(const AttentionTask& task, const AttentionState& state, std::byte* room)
      : state_(state),
        query_bytes_(2 * RoundUp(task.head_dim, 32)),
        queries_(room),
        weights_(room + task.row_count * query_bytes_) {
    RoundQueries(task, query_bytes_, queries_);
  }

  // A page for rows [row, row + block.count) of the task.
  // A row that sees nothing of it is multiplied by 1, and adds 0 to sums that its own pages left
  // without subnormal numbers, as tiles do: it keeps its bits.
  [[gnu::always_inline]] void Add(const PageBlock& block, std::size_t row) {
    const RowTiling tiling(0, block.count);
    if (tiling.height() != height_) {
      tiling.Configure();
      height_ = tiling.height();
    }
    const std::byte* queries = queries_ + row * query_bytes_;
    MultiplyBlock<false>(tiling, {queries, queries, query_bytes_, query_bytes_ / 64}, block.keys,
                         kPagePositions, state_.scores);
    float* sums = state_.sums + row * state_.padded;
    for (std::size_t r = 0; r < block.count; r += kTileRows) {
      const std::size_t count = Least(kTileRows, block.count - r);
      const __m512 factor = SoftmaxOfRows({block, r, count, state_.scores, state_.largest + row + r,
                                           state_.weights + row + r, weights_});
      ScaleRows(factor, count, state_.padded, sums + r * state_.padded);
    }
    MultiplyBlock<true>(tiling, {weights_, weights_, kWeightRowBytes, kWeightRowBytes / 64},
                        block.values, state_.padded, sums);
  }

 private:
  const AttentionState& state_;
  std::size_t query_bytes_;  // of a row
  std::byte* queries_;       // of all rows
  std::byte* weights_;       // of a block
  std::size_t height_ = 0;   // of the tiles that are configured
};

inline void AttentionByTiles(const AttentionTask& task) {
  const AttentionState state = BeginAttention<Lanes16>(task);
  for (std::size_t r = 0; r < task.row_count; ++r) {
    state.largest[r] *= kLog2E;
  }
  // On a cache line where the scratch is: a row of a tile fills one.
  float* behind = state.largest + RoundUp(2 * task.row_count, kHeadQuantum);
  TileAttention tiles(task, state, reinterpret_cast<std::byte*>(behind));
  PageBlock block;
  block.head_dim = task.head_dim;
  for (std::size_t v = 0; v < task.visit_count; ++v) {
    block.keys = task.visits[v].page;
    block.values = block.keys + KvKeyBytes(task.head_dim, task.type);
    ForBlocks(task, task.visits[v], kAttentionTileRows, block,
              [&](PageBlock& at, std::size_t row) { tiles.Add(at, row); });
  }
  TileRelease();
  EndAttention(task, state);
}

}  // namespace
}  // namespace safeguard::engine::cpu
