// Causal attention over pages, with sinks, written once over a vector type (vector_math.h).
//
// Page by page with a running maximum (Milakov and Gimelshein 2018, arXiv:1805.02867). It starts at
// the sink: largest score = sink, sum of weights = 1. What a page adds to a row depends on the
// page's place in the sequence alone; a page of which a row sees nothing multiplies by exactly 1
// and adds exactly 0. So a row has the same bits however its sequence was cut into steps.
#pragma once

#include <cstddef>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/vector_math.h"

namespace safeguard::engine::cpu {

// Rows, each one query head of one token, that share a register tile.
inline constexpr std::size_t kAttentionRows = 6;

template <class V, KvType type>
[[gnu::always_inline]] inline typename V::Float LoadKv(const std::byte* from, std::size_t index) {
  return type == KvType::kF32 ? V::LoadBytes(from + 4 * index) : V::LoadF16(from + 2 * index);
}

struct AttentionState {
  std::size_t padded;  // floats of a row of sums
  float* sums;         // [rows][padded]
  float* largest;      // [rows]
  float* weights;      // [rows]
  float* scores;       // [kAttentionRows][kPagePositions]
};

// The keys of page `page` that row `row` sees, as positions in the page: [begin, end).
struct Visible {
  std::size_t begin;
  std::size_t end;
};

[[gnu::always_inline]] inline Visible VisibleKeys(const AttentionTask& task, std::size_t row,
                                                  std::size_t page) {
  const std::size_t position = task.first_position + row / task.group;
  const std::size_t first = position + 1 < task.window ? 0 : position + 1 - task.window;
  const std::size_t start = page * kPagePositions;
  const std::size_t stop = start + kPagePositions;
  const std::size_t begin = first < start ? start : first > stop ? stop : first;
  const std::size_t end = position + 1 < start ? start : position + 1 > stop ? stop : position + 1;
  return {begin - start, end < begin ? begin - start : end - start};
}

// scores[r][j] = query r . key j for kRows rows and all keys of a page.
template <class V, KvType type, std::size_t kRows>
void PageScores(const AttentionTask& task, const float* const* queries, const std::byte* keys,
                float* scores) {
  constexpr std::size_t kVectors = V::kAttentionVectors;
  for (std::size_t j = 0; j < kPagePositions; j += kVectors * V::kWidth) {
    typename V::Float sums[kRows][kVectors];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = V::Zero();
      }
    }
    for (std::size_t d = 0; d < task.head_dim; ++d) {
      typename V::Float key[kVectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        key[v] = LoadKv<V, type>(keys, d * kPagePositions + j + v * V::kWidth);
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

// Turns a row's scores into weights e^(score - new largest), 0 for unseen keys, and returns by
// what its older sums are to be multiplied.
template <class V>
float PageWeights(Visible visible, float* scores, float& largest, float& total) {
  typename V::Float most = V::Set(largest);
  for (std::size_t j = 0; j < kPagePositions; j += V::kWidth) {
    const auto seen = V::Between(j, visible.begin, visible.end);
    const typename V::Float score = V::Load(scores + j);
    most = V::Max(most, V::Select(seen, score, most));
  }
  const float now = V::Largest(most);
  const typename V::Float offset = V::Set(now);
  typename V::Float sum = V::Zero();
  for (std::size_t j = 0; j < kPagePositions; j += V::kWidth) {
    const auto seen = V::Between(j, visible.begin, visible.end);
    const typename V::Float score = V::Load(scores + j);
    const typename V::Float weight = Exp<V>(V::Sub(V::Select(seen, score, offset), offset));
    const typename V::Float kept = V::Select(seen, weight, V::Zero());
    V::Store(scores + j, kept);
    sum = V::Add(sum, kept);
  }
  float older[V::kWidth];
  V::Store(older, Exp<V>(V::Set(largest - now)));
  largest = now;
  total = total * older[0] + V::Total(sum);
  return older[0];
}

// sums[r] = sums[r] * factors[r] + weights[r] . values, over the page's positions [begin, end).
template <class V, KvType type, std::size_t kRows>
void AddValues(const std::byte* values, const float* weights, Visible range, std::size_t padded,
               const float* factors, float* sums) {
  constexpr std::size_t kVectors = kHeadQuantum / V::kWidth;
  for (std::size_t d = 0; d < padded; d += kHeadQuantum) {
    typename V::Float total[kRows][kVectors];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        const typename V::Float old = V::Load(sums + r * padded + d + v * V::kWidth);
        total[r][v] = V::Mul(old, V::Set(factors[r]));
      }
    }
    for (std::size_t j = range.begin; j < range.end; ++j) {
      typename V::Float value[kVectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        value[v] = LoadKv<V, type>(values, j * padded + d + v * V::kWidth);
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
        V::Store(sums + r * padded + d + v * V::kWidth, total[r][v]);
      }
    }
  }
}

// One page for kRows rows from `row`.
template <class V, KvType type, std::size_t kRows>
void AttendPage(const AttentionTask& task, std::size_t page, std::size_t row,
                const AttentionState& state) {
  Visible seen[kRows];
  Visible range = {kPagePositions, 0};
  const float* queries[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    seen[r] = VisibleKeys(task, row + r, page);
    if (seen[r].begin < seen[r].end) {
      range.begin = seen[r].begin < range.begin ? seen[r].begin : range.begin;
      range.end = seen[r].end > range.end ? seen[r].end : range.end;
    }
    queries[r] = task.query + (row + r) / task.group * task.query_stride +
                 (row + r) % task.group * task.head_dim;
  }
  if (range.begin >= range.end) {
    return;
  }
  const std::byte* keys = task.pages[page - task.first_page];
  const std::byte* values = keys + kPagePositions * task.head_dim * BytesOf(type);
  PageScores<V, type, kRows>(task, queries, keys, state.scores);
  float factors[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    factors[r] = PageWeights<V>(seen[r], state.scores + r * kPagePositions, state.largest[row + r],
                                state.weights[row + r]);
  }
  AddValues<V, type, kRows>(values, state.scores, range, state.padded, factors,
                            state.sums + row * state.padded);
}

template <class V, KvType type>
void AttendPages(const AttentionTask& task, const AttentionState& state) {
  const std::size_t rows = task.tokens * task.group;
  const std::size_t last = (task.first_position + task.tokens - 1) / kPagePositions;
  for (std::size_t page = task.first_page; page <= last; ++page) {
    std::size_t row = 0;
    for (; row + kAttentionRows <= rows; row += kAttentionRows) {
      AttendPage<V, type, kAttentionRows>(task, page, row, state);
    }
    for (; row + 2 <= rows; row += 2) {
      AttendPage<V, type, 2>(task, page, row, state);
    }
    for (; row < rows; ++row) {
      AttendPage<V, type, 1>(task, page, row, state);
    }
  }
}

template <class V>
void Attention(const AttentionTask& task) {
  const std::size_t rows = task.tokens * task.group;
  const std::size_t padded = RoundUp(task.head_dim, kHeadQuantum);
  float* sums = task.scratch;
  float* largest = sums + rows * padded;
  const AttentionState state = {padded, sums, largest, largest + rows, largest + 2 * rows};
  for (std::size_t i = 0; i < rows * padded; ++i) {
    state.sums[i] = 0;
  }
  for (std::size_t row = 0; row < rows; ++row) {
    state.largest[row] = task.sinks[row % task.group];
    state.weights[row] = 1;
  }
  if (task.type == KvType::kF32) {
    AttendPages<V, KvType::kF32>(task, state);
  } else {
    AttendPages<V, KvType::kF16>(task, state);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    float* out = task.out + row / task.group * task.out_stride + row % task.group * task.head_dim;
    const float inverse = 1.0F / state.weights[row];
    for (std::size_t d = 0; d < task.head_dim; ++d) {
      out[d] = state.sums[row * padded + d] * inverse;
    }
  }
}

}  // namespace safeguard::engine::cpu
