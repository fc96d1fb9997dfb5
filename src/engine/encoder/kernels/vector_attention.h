// Attention of one head in binary32, written once over a vector type (vector_math.h).
//
// The keys are turned into columns once, so that a register holds the scores of V::kWidth keys;
// then kRows queries at a time: scores, softmax, weighted sum of the values. Rows never mix.
#pragma once

#include <cstddef>

#include "engine/encoder/kernels/kernel_table.h"
#include "engine/encoder/kernels/vector_math.h"

namespace safeguard::engine {

// columns[d * padded + k] = key k, component d, times `scale`; zero for k >= tokens.
template <class V>
void TurnKeys(const AttentionTask& task, std::size_t padded, float scale, float* columns) {
  const std::size_t whole = task.tokens / 4 * 4;
  for (std::size_t k = 0; k < whole; k += 4) {
    for (std::size_t d = 0; d < task.head; d += 4) {
      V::Turn4x4(task.key + k * task.stride + d, task.stride, scale, columns + d * padded + k,
                 padded);
    }
  }
  for (std::size_t d = 0; d < task.head; ++d) {
    for (std::size_t k = whole; k < padded; ++k) {
      columns[d * padded + k] = k < task.tokens ? task.key[k * task.stride + d] * scale : 0.0F;
    }
  }
}

// scores[r * padded + k] for kRows queries from `query` and all keys.
template <class V, std::size_t kRows>
void Scores(const AttentionTask& task, const float* query, const float* columns, std::size_t padded,
            float* scores) {
  for (std::size_t k = 0; k < padded; k += 2 * V::kWidth) {
    typename V::Float sums[kRows][2];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      sums[r][0] = V::Zero();
      sums[r][1] = V::Zero();
    }
    for (std::size_t d = 0; d < task.head; ++d) {
      const typename V::Float keys0 = V::Load(columns + d * padded + k);
      const typename V::Float keys1 = V::Load(columns + d * padded + k + V::kWidth);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        const typename V::Float component = V::Set(query[r * task.stride + d]);
        sums[r][0] = V::MulAdd(component, keys0, sums[r][0]);
        sums[r][1] = V::MulAdd(component, keys1, sums[r][1]);
      }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      V::Store(scores + r * padded + k, sums[r][0]);
      V::Store(scores + r * padded + k + V::kWidth, sums[r][1]);
    }
  }
}

// Turns a row of scores into e^(score - largest), 0 behind `tokens`, and returns 1 / their sum.
template <class V>
float SoftmaxRow(float* scores, std::size_t tokens, std::size_t padded) {
  for (std::size_t k = tokens; k < padded; ++k) {
    scores[k] = -3.0e38F;
  }
  typename V::Float largest = V::Load(scores);
  for (std::size_t k = V::kWidth; k < padded; k += V::kWidth) {
    largest = V::Max(largest, V::Load(scores + k));
  }
  const typename V::Float offset = V::Set(V::Largest(largest));
  for (std::size_t k = 0; k < padded; k += V::kWidth) {
    V::Store(scores + k, Exp<V>(V::Sub(V::Load(scores + k), offset)));
  }
  for (std::size_t k = tokens; k < padded; ++k) {
    scores[k] = 0;
  }
  typename V::Float sum = V::Zero();
  for (std::size_t k = 0; k < padded; k += V::kWidth) {
    sum = V::Add(sum, V::Load(scores + k));
  }
  return 1.0F / V::Total(sum);
}

// kRows rows of the output, from the weights and their row factors.
template <class V, std::size_t kRows>
void WeightedValues(const AttentionTask& task, const float* weights, std::size_t padded,
                    const float* factors, float* out) {
  constexpr std::size_t kVectors = kWidthQuantum / V::kWidth > 2 ? 2 : kWidthQuantum / V::kWidth;
  for (std::size_t d = 0; d < task.head; d += kVectors * V::kWidth) {
    typename V::Float sums[kRows][kVectors];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (std::size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = V::Zero();
      }
    }
    for (std::size_t k = 0; k < task.tokens; ++k) {
      typename V::Float values[kVectors];
#pragma GCC unroll 2
      for (std::size_t v = 0; v < kVectors; ++v) {
        values[v] = V::Load(task.value + k * task.stride + d + v * V::kWidth);
      }
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        const typename V::Float weight = V::Set(weights[r * padded + k]);
#pragma GCC unroll 2
        for (std::size_t v = 0; v < kVectors; ++v) {
          sums[r][v] = V::MulAdd(weight, values[v], sums[r][v]);
        }
      }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (std::size_t v = 0; v < kVectors; ++v) {
        V::Store(out + r * task.out_stride + d + v * V::kWidth,
                 V::Mul(sums[r][v], V::Set(factors[r])));
      }
    }
  }
}

template <class V, std::size_t kRows>
void AttentionRows(const AttentionTask& task, std::size_t first, std::size_t padded,
                   const float* columns, float* scores) {
  Scores<V, kRows>(task, task.query + first * task.stride, columns, padded, scores);
  float factors[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    factors[r] = SoftmaxRow<V>(scores + r * padded, task.tokens, padded);
  }
  WeightedValues<V, kRows>(task, scores, padded, factors, task.out + first * task.out_stride);
}

template <class V>
void Attention(const AttentionTask& task) {
  constexpr std::size_t kRows = 6;
  static_assert(kRows <= kAttentionRowsMax);
  const std::size_t padded = RoundUp(task.tokens, 2 * V::kWidth);
  float* columns = task.scratch;
  float* scores = columns + task.head * padded;
  TurnKeys<V>(task, padded, 1.0F / __builtin_sqrtf(static_cast<float>(task.head)), columns);
  std::size_t row = 0;
  for (; row + kRows <= task.queries; row += kRows) {
    AttentionRows<V, kRows>(task, row, padded, columns, scores);
  }
  for (; row + 2 <= task.queries; row += 2) {
    AttentionRows<V, 2>(task, row, padded, columns, scores);
  }
  for (; row < task.queries; ++row) {
    AttentionRows<V, 1>(task, row, padded, columns, scores);
  }
}

}  // namespace safeguard::engine
