// Attention of one head in 8-bit integers, written once over a vector type of 16 lanes.
//
// Keys are rounded with one scale a head, values with one a component, queries with one a row. The
// weights of the softmax are unsigned bytes, e^(score - largest) * 255, or for long sequences,
// where many small weights count together, 16 bits in two planes of bytes; they are divided by the
// sum of just those numbers. Integer sums are exact, so every row is the same bits on every
// instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/encoder/kernels/int8_linear.h"
#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

// The parts of a task's scratch memory.
struct Int8AttentionScratch {
  std::int8_t* keys;      // for each 16 keys, for each 4 components: 16 keys of 4 bytes
  std::int8_t* values;    // for each 4 keys: `head` components of 4 bytes
  std::int32_t* starts;   // a key's sum over what a query's shift by 128 adds, negated
  float* value_scales;    // a component
  std::int32_t* scores;   // rows of `padded`
  std::uint8_t* weights;  // rows of `padded`; of twice that with 16-bit weights: high, low bytes
  std::uint8_t* queries;  // rows of `head`
  std::size_t padded;     // tokens, rounded up to 16
  float key_scale;
};

// The most queries at a time.
inline constexpr std::size_t kInt8AttentionRows = 12;
// Sequences of more tokens have 16-bit weights.
inline constexpr std::size_t kInt8ByteWeightsMax = 128;

constexpr std::size_t Int8AttentionScratchBytes(std::size_t padded, std::size_t head) {
  return padded * (2 * head + 4 + kInt8AttentionRows * 6) + head * (4 + kInt8AttentionRows);
}

[[gnu::always_inline]] inline Int8AttentionScratch Int8CutScratch(const AttentionTask& task) {
  Int8AttentionScratch s{};
  s.padded = RoundUp(task.tokens, 16);
  auto* at = reinterpret_cast<std::byte*>(task.scratch);
  const auto take = [&at](std::size_t bytes) {
    std::byte* taken = at;
    at += bytes;
    return taken;
  };
  s.keys = reinterpret_cast<std::int8_t*>(take(s.padded * task.head));
  s.values = reinterpret_cast<std::int8_t*>(take(s.padded * task.head));
  s.starts = reinterpret_cast<std::int32_t*>(take(s.padded * 4));
  s.value_scales = reinterpret_cast<float*>(take(task.head * 4));
  s.scores = reinterpret_cast<std::int32_t*>(take(s.padded * 4 * kInt8AttentionRows));
  s.weights = reinterpret_cast<std::uint8_t*>(take(2 * s.padded * kInt8AttentionRows));
  s.queries = reinterpret_cast<std::uint8_t*>(take(task.head * kInt8AttentionRows));
  return s;
}

// The largest magnitude of 16 components over all tokens, lane by lane.
template <class V>
typename V::Float ColumnMagnitudes(const float* x, const AttentionTask& task) {
  typename V::Float largest = V::Abs(V::Load(x));
  for (std::size_t t = 1; t < task.tokens; ++t) {
    largest = V::Max(largest, V::Abs(V::Load(x + t * task.stride)));
  }
  return largest;
}

template <class V>
void Int8PackKeys(const AttentionTask& task, Int8AttentionScratch& s) {
  typename V::Float largest = V::Zero();
  for (std::size_t d = 0; d < task.head; d += V::kWidth) {
    largest = V::Max(largest, ColumnMagnitudes<V>(task.key + d, task));
  }
  const float magnitude = V::Largest(largest);
  const bool zero = !(magnitude >= kInt8ZeroBelow);
  const typename V::Float factor = V::Set(zero ? 0.0F : 127.0F / magnitude);
  s.key_scale = zero ? 0.0F : magnitude / 127.0F;
  for (std::size_t k = 0; k < s.padded; ++k) {
    std::int8_t* to = s.keys + k / 16 * 16 * task.head + k % 16 * 4;
    for (std::size_t d = 0; d < task.head; d += V::kWidth) {
      std::uint8_t numbers[V::kWidth] = {};
      if (k < task.tokens) {
        V::StoreBytes(numbers,
                      V::RoundToInt(V::Mul(V::Load(task.key + k * task.stride + d), factor)));
      }
      for (std::size_t i = 0; i < V::kWidth; i += 4) {
        std::memcpy(to + (d + i) * 16, numbers + i, 4);
      }
    }
  }
  constexpr std::uint8_t kShift[4] = {128, 128, 128, 128};
  for (std::size_t k = 0; k < s.padded; k += 16) {
    typename V::Int sum = V::ZeroInt();
    for (std::size_t d = 0; d < task.head; d += 4) {
      sum = V::Dot(sum, V::RepeatQuad(kShift), V::LoadWeights(s.keys + k * task.head + d * 16));
    }
    V::StoreInt(s.starts + k, V::SubInt(V::ZeroInt(), sum));
  }
}

template <class V>
void Int8PackValues(const AttentionTask& task, Int8AttentionScratch& s) {
  for (std::size_t d = 0; d < task.head; d += V::kWidth) {
    const typename V::Float magnitude =
        V::Max(ColumnMagnitudes<V>(task.value + d, task), V::Set(kInt8ZeroBelow));
    const typename V::Float factor = V::Div(V::Set(127.0F), magnitude);
    V::Store(s.value_scales + d, V::Mul(magnitude, V::Set(1.0F / 127.0F)));
    for (std::size_t k = 0; k < s.padded; k += 4) {
      typename V::Int rows[4];
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) {
        rows[i] =
            k + i < task.tokens
                ? V::RoundToInt(V::Mul(V::Load(task.value + (k + i) * task.stride + d), factor))
                : V::ZeroInt();
      }
      V::StoreInt(s.values + k * task.head + d * 4,
                  V::JoinBytes(rows[0], rows[1], rows[2], rows[3]));
    }
  }
}

// scores[r][k] = query r times key k, kVectors * 16 keys from `k`.
template <class V, std::size_t kRows, std::size_t kVectors>
[[gnu::always_inline]] inline void Int8ScoreTile(const Int8AttentionScratch& s, std::size_t head,
                                                 std::size_t k) {
  typename V::Int sums[kRows][kVectors];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[r][v] = V::LoadInt(s.starts + k + v * 16);
    }
  }
  const std::int8_t* keys = s.keys + k * head;
  for (std::size_t d = 0; d < head; d += 4) {
    typename V::Weights w[kVectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      w[v] = V::LoadWeights(keys + v * 16 * head + d * 16);
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const typename V::Quad x = V::RepeatQuad(s.queries + r * head + d);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = V::Dot(sums[r][v], x, w[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      V::StoreInt(s.scores + r * s.padded + k + v * 16, sums[r][v]);
    }
  }
}

// A row of scores into whole numbers of kMost * 2^((score - largest) * step), 0 behind `tokens`.
// Returns their sum. The polynomial is 2^f on [-1/2, 1/2] to 1e-4 of its value, exact at 0.
template <class V, bool kWide>
[[gnu::always_inline]] inline std::int32_t Int8Softmax(std::int32_t* scores, std::size_t tokens,
                                                       std::size_t padded, float step,
                                                       std::uint8_t* weights) {
  constexpr float kMost = kWide ? 255 * 256 : 255;
  constexpr std::int32_t kNone = -(1 << 30);
  for (std::size_t k = tokens; k < padded; ++k) {
    scores[k] = kNone;
  }
  typename V::Int largest = V::LoadInt(scores);
  for (std::size_t k = V::kWidth; k < padded; k += V::kWidth) {
    largest = V::MaxInt(largest, V::LoadInt(scores + k));
  }
  const typename V::Int offset = V::SetInt(V::LargestInt(largest));
  const typename V::Float factor = V::Set(step);
  typename V::Int sum = V::ZeroInt();
  for (std::size_t k = 0; k < padded; k += V::kWidth) {
    const typename V::Float below = V::ToFloat(V::SubInt(V::LoadInt(scores + k), offset));
    const typename V::Float x = V::Max(V::Mul(below, factor), V::Set(-40.0F));
    const typename V::Int n = V::RoundToInt(x);
    const typename V::Float f = V::Sub(x, V::ToFloat(n));
    typename V::Float p = V::Set(kMost * 0.05500865F);
    p = V::MulAdd(p, f, V::Set(kMost * 0.24221131F));
    p = V::MulAdd(p, f, V::Set(kMost * 0.69328299F));
    p = V::MulAdd(p, f, V::Set(kMost));
    const typename V::Int weight = V::RoundToInt(V::TimesPowerOfTwo(p, n));
    sum = V::AddInt(sum, weight);
    if constexpr (kWide) {
      V::StoreBytes(weights + k, V::HighByte(weight));
      V::StoreBytes(weights + padded + k, weight);
    } else {
      V::StoreBytes(weights + k, weight);
    }
  }
  return V::TotalInt(sum);
}

// kRows rows of the output, from 16 or 32 components and one plane of bytes a row, or from 16
// components and both planes: kSums sums a row either way.
template <class V, std::size_t kRows, std::size_t kSums, bool kWide>
[[gnu::always_inline]] inline void Int8ValueTile(const AttentionTask& task,
                                                 const Int8AttentionScratch& s, std::size_t d,
                                                 const float* factors, float* out) {
  constexpr std::size_t kVectors = kWide ? 1 : kSums;
  const std::size_t row_bytes = (kWide ? 2 : 1) * s.padded;
  typename V::Int sums[kRows][kSums];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kSums; ++v) {
      sums[r][v] = V::ZeroInt();
    }
  }
  for (std::size_t k = 0; k < task.tokens; k += 4) {
    typename V::Weights w[kVectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      w[v] = V::LoadWeights(s.values + k * task.head + (d + v * 16) * 4);
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::uint8_t* weights = s.weights + r * row_bytes + k;
      const typename V::Quad high = V::RepeatQuad(weights);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = V::Dot(sums[r][v], high, w[v]);
      }
      if constexpr (kWide) {
        sums[r][1] = V::Dot(sums[r][1], V::RepeatQuad(weights + s.padded), w[0]);
      }
    }
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      const typename V::Float scale =
          V::Mul(V::Set(factors[r]), V::Load(s.value_scales + d + v * 16));
      typename V::Float sum = V::ToFloat(sums[r][v]);
      if constexpr (kWide) {
        sum = V::MulAdd(sum, V::Set(256.0F), V::ToFloat(sums[r][1]));
      }
      V::Store(out + r * task.out_stride + d + v * 16, V::Mul(sum, scale));
    }
  }
}

template <class V, std::size_t kRows, std::size_t kVectors, bool kWide>
[[gnu::noinline]] void Int8AttentionRows(const AttentionTask& task, const Int8AttentionScratch& s,
                                         std::size_t first) {
  // log2(e) / sqrt(head): the softmax is computed with powers of two.
  const float scale = 1.44269504F / __builtin_sqrtf(static_cast<float>(task.head)) * s.key_scale;
  float steps[kRows];
  float factors[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    steps[r] = scale * QuantiseBytes<V>(task.query + (first + r) * task.stride, task.head,
                                        s.queries + r * task.head);
  }
  std::size_t k = 0;
  for (; k + kVectors * 16 <= s.padded; k += kVectors * 16) {
    Int8ScoreTile<V, kRows, kVectors>(s, task.head, k);
  }
  if (k < s.padded) {
    Int8ScoreTile<V, kRows, 1>(s, task.head, k);
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    const std::int32_t sum =
        Int8Softmax<V, kWide>(s.scores + r * s.padded, task.tokens, s.padded, steps[r],
                              s.weights + r * (kWide ? 2 : 1) * s.padded);
    factors[r] = 1.0F / static_cast<float>(sum);
  }
  float* out = task.out + first * task.out_stride;
  constexpr std::size_t kComponents = kWide ? 16 : kVectors * 16;
  for (std::size_t d = 0; d < task.head; d += kComponents) {
    Int8ValueTile<V, kRows, kWide ? 2 : kVectors, kWide>(task, s, d, factors, out);
  }
}

template <class V, std::size_t kRows, std::size_t kVectors, bool kWide>
void Int8AllRows(const AttentionTask& task, const Int8AttentionScratch& s) {
  std::size_t row = 0;
  for (; row + kRows <= task.queries; row += kRows) {
    Int8AttentionRows<V, kRows, kVectors, kWide>(task, s, row);
  }
  for (; row + 4 <= task.queries; row += 4) {
    Int8AttentionRows<V, 4, kVectors, kWide>(task, s, row);
  }
  for (; row < task.queries; ++row) {
    Int8AttentionRows<V, 1, kVectors, kWide>(task, s, row);
  }
}

template <class V, std::size_t kRows, std::size_t kVectors>
void Int8Attention(const AttentionTask& task) {
  static_assert(kRows <= kInt8AttentionRows && kVectors <= 2);
  Int8AttentionScratch s = Int8CutScratch(task);
  Int8PackKeys<V>(task, s);
  Int8PackValues<V>(task, s);
  if (task.tokens > kInt8ByteWeightsMax) {
    Int8AllRows<V, kRows, kVectors, true>(task, s);
  } else {
    Int8AllRows<V, kRows, kVectors, false>(task, s);
  }
}

}  // namespace safeguard::engine
