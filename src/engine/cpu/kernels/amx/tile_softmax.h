// From a page's scores to weights in bfloat16, as vector_attention.h does it, in powers of two and
// 16 rows at a time: their maxima and sums are found together. In an unnamed namespace: for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <limits>

#include "engine/cpu/kernels/amx/tile_memory.h"
#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/vector_attention.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

constexpr float kLog2E = 1.44269504088896341F;
constexpr std::size_t kWeightRowBytes = 2 * kPagePositions;

// 2^x: 2^(x - floor(x)) by a polynomial of Chebyshev's nodes that gives 1 at 0 and 2 at 1, within
// 4e-7 of it; 0 far below, NaN of NaN.
[[gnu::always_inline]] inline __m512 PowerOfTwo(__m512 x) {
  const __m512 part = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_set1_ps(0x1.f1255ap-10F);
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(0x1.25ef6cp-7F));
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(0x1.c9356cp-5F));
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(0x1.ebdfcap-3F));
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(0x1.62e466p-1F));
  p = _mm512_fmadd_ps(p, part, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(p, x);
}

struct Largest {
  [[gnu::always_inline]] static __m512 Of(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
};
struct Sum {
  [[gnu::always_inline]] static __m512 Of(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
};

// Lane r: all lanes of rows[r] together. Every row goes through the same tree.
template <class Operation>
[[gnu::always_inline]] inline __m512 Across(const float (&rows)[16][16]) {
  __m512 fours[4];  // of four rows in each quarter of a register
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    __m512 pairs[2];
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const __m512 a = _mm512_load_ps(rows[4 * i + 2 * half]);
      const __m512 b = _mm512_load_ps(rows[4 * i + 2 * half + 1]);
      pairs[half] = Operation::Of(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    }
    const __m512d first = _mm512_castps_pd(pairs[0]);
    const __m512d second = _mm512_castps_pd(pairs[1]);
    fours[i] = Operation::Of(_mm512_castpd_ps(_mm512_unpacklo_pd(first, second)),
                             _mm512_castpd_ps(_mm512_unpackhi_pd(first, second)));
  }
  const auto quarters = [](__m512 a, __m512 b) {
    return Operation::Of(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
  };
  return quarters(quarters(fours[0], fours[1]), quarters(fours[2], fours[3]));
}

// Rows [begin, begin + count) of a block, 16 at most, and where they stand in the state.
struct SoftmaxRows {
  const PageBlock& block;
  std::size_t begin;
  std::size_t count;
  const float* scores;  // of the block: [rows][kPagePositions], in powers of two
  float* largest;       // of these rows
  float* sums;          // of weights, likewise
  std::byte* weights;   // of the block: [rows][kWeightRowBytes]
};

[[gnu::always_inline]] inline void LargestOfRows(const SoftmaxRows& rows, float (&most)[16][16]) {
  const __m512 none = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
  for (std::size_t r = 0; r < kTileRows; ++r) {
    __m512 largest = none;
    if (r < rows.count) {
      const Visible seen = rows.block.seen[rows.begin + r];
      const float* scores = rows.scores + (rows.begin + r) * kPagePositions;
      for (std::size_t j = 0; j < kPagePositions; j += 16) {
        const __m512 score = _mm512_loadu_ps(scores + j);
        const __mmask16 some = SeesAll(seen) ? static_cast<__mmask16>(0xFFFF)
                                             : Lanes16::Between(j, seen.begin, seen.end);
        largest = _mm512_mask_max_ps(largest, some, largest, score);
      }
    }
    _mm512_store_ps(most[r], largest);
  }
}

// Weights of one row, and their sums by lane.
[[gnu::always_inline]] inline __m512 WeightsOfRow(Visible seen, const float* scores, float largest,
                                                  std::byte* weights) {
  const __m512 offset = _mm512_set1_ps(largest);
  const bool all = SeesAll(seen);
  __m512 sum = _mm512_setzero_ps();
#pragma GCC unroll 2
  for (std::size_t j = 0; j < kPagePositions; j += 32) {
    __m512 two[2];
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t at = j + 16 * half;
      const __m512 weight = PowerOfTwo(_mm512_sub_ps(_mm512_loadu_ps(scores + at), offset));
      two[half] =
          all ? weight : _mm512_maskz_mov_ps(Lanes16::Between(at, seen.begin, seen.end), weight);
      sum = _mm512_add_ps(sum, two[half]);
    }
    _mm512_storeu_si512(weights + 2 * j,
                        __builtin_bit_cast(__m512i, _mm512_cvtne2ps_pbh(two[1], two[0])));
  }
  return sum;
}

// Writes the rows' weights, brings largest and sums up to date, and gives by what older sums of
// values are to be multiplied: 1 for a row that saw nothing larger.
[[gnu::always_inline]] inline __m512 SoftmaxOfRows(const SoftmaxRows& rows) {
  const auto some = static_cast<__mmask16>((1U << rows.count) - 1U);
  alignas(64) float lanes[16][16];
  LargestOfRows(rows, lanes);
  const __m512 before = _mm512_maskz_loadu_ps(some, rows.largest);
  const __m512 now = _mm512_max_ps(before, Across<Largest>(lanes));
  const __m512 factor = PowerOfTwo(_mm512_sub_ps(before, now));
  _mm512_mask_storeu_ps(rows.largest, some, now);
  for (std::size_t r = 0; r < rows.count; ++r) {
    const std::size_t at = rows.begin + r;
    const __m512 sum = WeightsOfRow(rows.block.seen[at], rows.scores + at * kPagePositions,
                                    rows.largest[r], rows.weights + at * kWeightRowBytes);
    _mm512_store_ps(lanes[r], sum);
  }
  const __m512 sums = _mm512_maskz_loadu_ps(some, rows.sums);
  _mm512_mask_storeu_ps(rows.sums, some, _mm512_fmadd_ps(sums, factor, Across<Sum>(lanes)));
  return factor;
}

}  // namespace
}  // namespace safeguard::engine::cpu
