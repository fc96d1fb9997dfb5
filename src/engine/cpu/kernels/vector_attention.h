// Causal attention over pages, with sinks, written once over a vector type (vector_math.h).
//
// Page by page with a running maximum (Milakov and Gimelshein 2018, arXiv:1805.02867). It starts at
// the sink: largest score = sink, sum of weights = 1. What a page adds to a row depends on the
// page's place in the sequence alone; a page of which a row sees nothing multiplies by exactly 1
// and adds exactly 0. So a row has the same bits however its sequence was cut into steps, and
// whichever other rows read the same page with it.
#pragma once

#include <cstddef>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/vector_math.h"

namespace safeguard::engine::cpu {

// Rows that share a register tile.
inline constexpr std::size_t kAttentionRows = 6;

struct AttentionState {
  std::size_t padded;  // floats of a row of sums
  float* sums;         // [rows][padded]
  float* largest;      // [rows]
  float* weights;      // [rows]
  float* scores;       // [kAttentionRowBlock][kPagePositions]
  float* page;         // one page in binary32
};

// Positions of a page: [begin, end).
struct Visible {
  std::size_t begin;
  std::size_t end;
};

// A block of rows at a page in binary32.
struct PageBlock {
  const AttentionRow* rows;
  std::size_t count;
  std::size_t head_dim;
  const std::byte* keys;
  const std::byte* values;
  Visible seen[kAttentionRowBlock];
};

[[gnu::always_inline]] inline Visible VisibleKeys(std::size_t position, std::size_t window,
                                                  std::size_t page) {
  const std::size_t first = position + 1 < window ? 0 : position + 1 - window;
  const std::size_t start = page * kPagePositions;
  const std::size_t stop = start + kPagePositions;
  const std::size_t begin = first < start ? start : first > stop ? stop : first;
  const std::size_t end = position + 1 < start ? start : position + 1 > stop ? stop : position + 1;
  return {begin - start, end < begin ? begin - start : end - start};
}

// scores[r][j] = query r . key j for kRows rows from `row` and all keys of the page.
template <class V, std::size_t kRows>
void PageScores(const PageBlock& block, std::size_t row, float* scores) {
  constexpr std::size_t kVectors = V::kAttentionVectors;
  const float* queries[kRows];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
    queries[r] = block.rows[row + r].query;
  }
  scores += row * kPagePositions;
  for (std::size_t j = 0; j < kPagePositions; j += kVectors * V::kWidth) {
    typename V::Float sums[kRows][kVectors];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = V::Zero();
      }
    }
    for (std::size_t d = 0; d < block.head_dim; ++d) {
      const std::byte* keys = block.keys + 4 * (d * kPagePositions + j);
      typename V::Float key[kVectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        key[v] = V::LoadBytes(keys + 4 * v * V::kWidth);
      }
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        const typename V::Float component = V::Set(queries[r][d]);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < kVectors; ++v) {
          sums[r][v] = V::MulAdd(component, key[v], sums[r][v]);
        }
      }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        V::Store(scores + r * kPagePositions + j + v * V::kWidth, sums[r][v]);
      }
    }
  }
}

// As most pages are: no key of them needs to be left out.
constexpr bool SeesAll(Visible seen) {
  return seen.begin == 0 && seen.end == kPagePositions;
}

// The largest of a row's visible scores and `largest`.
template <class V>
[[gnu::always_inline]] inline float PageLargest(Visible seen, const float* scores, float largest) {
  typename V::Float most = V::Set(largest);
  const bool all = SeesAll(seen);
  for (std::size_t j = 0; j < kPagePositions; j += V::kWidth) {
    const typename V::Float score = V::Load(scores + j);
    most = V::Max(most, all ? score : V::Select(V::Between(j, seen.begin, seen.end), score, most));
  }
  return V::Largest(most);
}

// Gives keep(j, w) the weights e^(score - largest) of V::kWidth keys from j on, 0 for unseen ones,
// and returns their sum.
template <class V, class Keep>
[[gnu::always_inline]] inline float PageWeights(Visible seen, float largest, const float* scores,
                                                const Keep& keep) {
  const typename V::Float offset = V::Set(largest);
  typename V::Float sum = V::Zero();
  const bool all = SeesAll(seen);
  for (std::size_t j = 0; j < kPagePositions; j += V::kWidth) {
    typename V::Float score = V::Load(scores + j);
    score = all ? score : V::Select(V::Between(j, seen.begin, seen.end), score, offset);
    typename V::Float weight = Exp<V>(V::Sub(score, offset));
    weight = all ? weight : V::Select(V::Between(j, seen.begin, seen.end), weight, V::Zero());
    keep(j, weight);
    sum = V::Add(sum, weight);
  }
  return V::Total(sum);
}

// keep(r, j, w) takes the weights of row r of a block; factors[r] = by what its older sums are to
// be multiplied.
template <class V, class Keep>
[[gnu::always_inline]] inline void BlockWeights(const PageBlock& block, std::size_t row,
                                                const AttentionState& state, float* factors,
                                                const Keep& keep) {
  float* largest = state.largest + row;
  float now[kAttentionRowBlock] = {};
  for (std::size_t r = 0; r < block.count; ++r) {
    now[r] = PageLargest<V>(block.seen[r], state.scores + r * kPagePositions, largest[r]);
    factors[r] = largest[r] - now[r];
    largest[r] = now[r];
  }
  for (std::size_t r = 0; r < block.count; r += V::kWidth) {
    V::Store(factors + r, Exp<V>(V::Load(factors + r)));
  }
  for (std::size_t r = 0; r < block.count; ++r) {
    const float sum =
        PageWeights<V>(block.seen[r], now[r], state.scores + r * kPagePositions,
                       [&](std::size_t j, typename V::Float weight) { keep(r, j, weight); });
    state.weights[row + r] = state.weights[row + r] * factors[r] + sum;
  }
}

// sums[r] = sums[r] * factors[r] + weights[r] . values over the positions of `range`, for kRows
// rows and kVectors registers from column `d`.
template <class V, std::size_t kRows, std::size_t kVectors>
[[gnu::always_inline]] inline void AddColumns(const std::byte* values, const float* weights,
                                              Visible range, std::size_t padded,
                                              const float* factors, float* sums) {
  typename V::Float total[kRows][kVectors];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      total[r][v] = V::Mul(V::Load(sums + r * padded + v * V::kWidth), V::Set(factors[r]));
    }
  }
  for (std::size_t j = range.begin; j < range.end; ++j) {
    typename V::Float value[kVectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      value[v] = V::LoadBytes(values + 4 * (j * padded + v * V::kWidth));
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const typename V::Float weight = V::Set(weights[r * kPagePositions + j]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        total[r][v] = V::MulAdd(weight, value[v], total[r][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      V::Store(sums + r * padded + v * V::kWidth, total[r][v]);
    }
  }
}

template <class V, std::size_t kRows>
void AddValues(const PageBlock& block, std::size_t row, const float* scores, std::size_t padded,
               const float* factors, float* sums) {
  Visible range = {kPagePositions, 0};
  for (std::size_t r = row; r < row + kRows; ++r) {
    if (block.seen[r].begin < block.seen[r].end) {
      range.begin = block.seen[r].begin < range.begin ? block.seen[r].begin : range.begin;
      range.end = block.seen[r].end > range.end ? block.seen[r].end : range.end;
    }
  }
  const float* weights = scores + row * kPagePositions;
  constexpr std::size_t kWide = V::kAttentionVectors * V::kWidth;
  std::size_t d = 0;
  for (; d + kWide <= padded; d += kWide) {
    AddColumns<V, kRows, V::kAttentionVectors>(block.values + 4 * d, weights, range, padded,
                                               factors + row, sums + row * padded + d);
  }
  for (; d < padded; d += V::kWidth) {
    AddColumns<V, kRows, 1>(block.values + 4 * d, weights, range, padded, factors + row,
                            sums + row * padded + d);
  }
}

// One page for rows [row, row + block.count) of the task.
template <class V>
void AttendBlock(PageBlock& block, std::size_t row, const AttentionState& state) {
  alignas(64) float factors[kAttentionRowBlock] = {};
  std::size_t r = 0;
  for (; r + kAttentionRows <= block.count; r += kAttentionRows) {
    PageScores<V, kAttentionRows>(block, r, state.scores);
  }
  for (; r + 2 <= block.count; r += 2) {
    PageScores<V, 2>(block, r, state.scores);
  }
  for (; r < block.count; ++r) {
    PageScores<V, 1>(block, r, state.scores);
  }
  BlockWeights<V>(block, row, state, factors,
                  [&](std::size_t at, std::size_t j, typename V::Float weight) {
                    V::Store(state.scores + at * kPagePositions + j, weight);
                  });
  float* sums = state.sums + row * state.padded;
  for (r = 0; r + kAttentionRows <= block.count; r += kAttentionRows) {
    AddValues<V, kAttentionRows>(block, r, state.scores, state.padded, factors, sums);
  }
  for (; r + 2 <= block.count; r += 2) {
    AddValues<V, 2>(block, r, state.scores, state.padded, factors, sums);
  }
  for (; r < block.count; ++r) {
    AddValues<V, 1>(block, r, state.scores, state.padded, factors, sums);
  }
}

// Pairs of bfloat16 as two rows of `columns` numbers each.
template <class V>
void WidenPairs(const std::byte* from, std::size_t rows, std::size_t columns, float* to) {
  for (std::size_t row = 0; row < rows; row += 2) {
    for (std::size_t i = 0; i < columns; i += V::kWidth) {
      const typename V::Int both = V::AsInt(V::LoadBytes(from + 4 * (row / 2 * columns + i)));
      V::Store(to + row * columns + i, V::AsFloat(V::template Left32<16>(both)));
      if (row + 1 < rows) {
        V::Store(to + (row + 1) * columns + i, V::AsFloat(V::And(both, V::SetInt(-0x10000))));
      }
    }
  }
}

// The visit's page in binary32: itself or unpacked into state.page.
template <class V>
const std::byte* FloatPage(const AttentionTask& task, const PageVisit& visit,
                           const AttentionState& state) {
  if (task.type == KvType::kF32) {
    return visit.page;
  }
  if (task.type == KvType::kBf16) {
    WidenPairs<V>(visit.page, task.head_dim, kPagePositions, state.page);
    WidenPairs<V>(visit.page + KvKeyBytes(task.head_dim, task.type), kPagePositions, state.padded,
                  state.page + task.head_dim * kPagePositions);
  } else {
    const std::size_t count = kPagePositions * (task.head_dim + state.padded);
    for (std::size_t i = 0; i < count; i += V::kWidth) {
      V::Store(state.page + i, V::LoadF16(visit.page + 2 * i));
    }
  }
  return reinterpret_cast<const std::byte*>(state.page);
}

// attend(block, row) for the visit's rows [row, row + block.count), block after block of at most
// `most` rows, of which any sees a key of the page.
template <class Attend>
[[gnu::always_inline]] inline void ForBlocks(const AttentionTask& task, const PageVisit& visit,
                                             std::size_t most, PageBlock& block,
                                             const Attend& attend) {
  for (std::size_t done = 0; done < visit.rows; done += block.count) {
    const std::size_t row = visit.first_row + done;
    const std::size_t left = visit.rows - done;
    block.rows = task.rows + row;
    block.count = left < most ? left : most;
    bool any = false;
    for (std::size_t r = 0; r < block.count; ++r) {
      block.seen[r] = VisibleKeys(block.rows[r].position, task.window, visit.index);
      any = any || block.seen[r].begin < block.seen[r].end;
    }
    if (any) {
      attend(block, row);
    }
  }
}

template <class V>
void AttendPage(const AttentionTask& task, const PageVisit& visit, const AttentionState& state) {
  const std::byte* page = FloatPage<V>(task, visit, state);
  PageBlock block;
  block.head_dim = task.head_dim;
  block.keys = page;
  block.values = page + 4 * kPagePositions * task.head_dim;
  ForBlocks(task, visit, kAttentionRowBlock, block,
            [&](PageBlock& at, std::size_t row) { AttendBlock<V>(at, row, state); });
}

template <class V>
AttentionState BeginAttention(const AttentionTask& task) {
  const std::size_t rows = task.row_count;
  const std::size_t padded = RoundUp(task.head_dim, kHeadQuantum);
  float* scores = task.scratch;
  float* page = scores + kAttentionRowBlock * kPagePositions;
  float* sums = page + kPagePositions * (task.head_dim + padded);
  float* largest = sums + rows * padded;
  const AttentionState state = {padded, sums, largest, largest + rows, scores, page};
  for (std::size_t i = 0; i < rows * padded; i += V::kWidth) {
    V::Store(state.sums + i, V::Zero());
  }
  for (std::size_t row = 0; row < rows; ++row) {
    state.largest[row] = task.rows[row].sink;
    state.weights[row] = 1;
  }
  return state;
}

[[gnu::always_inline]] inline void EndAttention(const AttentionTask& task,
                                                const AttentionState& state) {
  for (std::size_t row = 0; row < task.row_count; ++row) {
    const float inverse = 1.0F / state.weights[row];
    for (std::size_t d = 0; d < task.head_dim; ++d) {
      // The + 0 makes -0, which a sum of vanishing products may be, the 0 that it is elsewhere.
      task.rows[row].out[d] = state.sums[row * state.padded + d] * inverse + 0.0F;
    }
  }
}

template <class V>
void Attention(const AttentionTask& task) {
  const AttentionState state = BeginAttention<V>(task);
  for (std::size_t v = 0; v < task.visit_count; ++v) {
    AttendPage<V>(task, task.visits[v], state);
  }
  EndAttention(task, state);
}

}  // namespace safeguard::engine::cpu
