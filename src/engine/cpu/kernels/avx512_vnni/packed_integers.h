// Packed linear layers of integers by dot products of bytes (VPDPBUSD). In an unnamed namespace, as
// lanes.h: for the sources of folders whose flags have AVX-512 VNNI.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/packed_linear.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

inline __m512i Load(const std::byte* from) {
  return _mm512_load_si512(from);
}

// Four bytes of a row, for all outputs.
inline __m512i Repeat(const std::byte* from) {
  int bytes = 0;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return _mm512_set1_epi32(bytes);
}

inline __m512 RepeatFloat(const std::byte* from) {
  float number = 0;
  __builtin_memcpy(&number, from, sizeof number);
  return _mm512_set1_ps(number);
}

// Sums of a block for kRows rows. With one row two chains of sums take turns, or each dot product
// would wait for the one before.
template <ActivationBits bits, std::size_t kRows>
struct BlockSums {
  static constexpr bool kWide = bits == ActivationBits::k16;
  static constexpr std::size_t kChains = kRows == 1 ? 2 : 1;
  __m512i high[kChains][kRows];  // for 8 bits the only ones
  __m512i low[kChains][kRows];

  [[gnu::always_inline]] void Clear() {
#pragma GCC unroll 2
    for (std::size_t c = 0; c < kChains; ++c) {
#pragma GCC unroll 16
      for (std::size_t r = 0; r < kRows; ++r) {
        high[c][r] = _mm512_setzero_si512();
        low[c][r] = _mm512_setzero_si512();
      }
    }
  }
  // `at`: the block's bytes within a row.
  [[gnu::always_inline]] void Add(std::size_t step, __m512i weights, const std::byte* const* x,
                                  std::size_t at) {
    const std::size_t c = step % kChains;
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      high[c][r] = _mm512_dpbusd_epi32(high[c][r], weights, Repeat(x[r] + at + 4 * step));
      if constexpr (kWide) {
        low[c][r] =
            _mm512_dpbusd_epi32(low[c][r], weights, Repeat(x[r] + at + kPackedBlock + 4 * step));
      }
    }
  }
  [[gnu::always_inline]] __m512i Total(std::size_t r) const {
    __m512i sum = high[0][r];
    if constexpr (kChains == 2) {
      sum = _mm512_add_epi32(sum, high[1][r]);
    }
    if constexpr (kWide) {
      sum = _mm512_add_epi32(_mm512_slli_epi32(sum, 8), low[0][r]);
      if constexpr (kChains == 2) {
        sum = _mm512_add_epi32(sum, low[1][r]);
      }
    }
    return sum;
  }
};

// Into the L2 cache: the L1 is kept for the rows. Always inlined, because GCC takes a function that
// only prefetches for one without effect and drops its calls.
[[gnu::always_inline]] inline void Prefetch(const std::byte* at) {
  _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
}
// Bytes that weights are asked for ahead: over the next page's edge in time.
constexpr std::size_t kAhead = 4096;

// Twice the E2M1 value, plus 12.
inline __m512i E2m1Table() {
  return _mm512_broadcast_i32x4(
      _mm_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0));
}

template <PackedType type, ActivationBits bits, std::size_t kRows>
[[gnu::always_inline]] inline void AddBlock(BlockSums<bits, kRows>& sums, const std::byte* codes,
                                            __m512i table, const std::byte* const* x,
                                            std::size_t at) {
  if constexpr (type == PackedType::kMxfp4) {
    const __m512i low = _mm512_set1_epi8(15);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) {
      Prefetch(codes + v * 64 + kAhead);
      const __m512i pair = Load(codes + v * 64);
      sums.Add(2 * v, _mm512_shuffle_epi8(table, _mm512_and_si512(pair, low)), x, at);
      const __m512i second = _mm512_and_si512(_mm512_srli_epi16(pair, 4), low);
      sums.Add(2 * v + 1, _mm512_shuffle_epi8(table, second), x, at);
    }
  } else {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < 8; ++v) {
      Prefetch(codes + v * 64 + kAhead);
      sums.Add(v, Load(codes + v * 64), x, at);
    }
  }
}

// One group of outputs of kRows rows.
template <PackedType type, ActivationBits bits, std::size_t kRows>
void GroupOfRows(const PackedTask& task, const std::byte* group, std::size_t first,
                 std::size_t row) {
  const std::byte* x[kRows];
  __m512 out[kRows];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    x[r] = task.x[row + r];
    out[r] = _mm512_setzero_ps();
  }
  const __m512i table = E2m1Table();
  const std::byte* codes = group;
  const std::byte* scales = group + task.blocks * PackedCodeBytes(type);
  std::size_t behind = 64 * task.blocks;  // of the row's scale
  const std::size_t correction = (type == PackedType::kMxfp4 ? 4 : 8) * task.blocks;
  for (std::size_t at = 0; at < 64 * task.blocks; at += 64, behind += 4) {
    BlockSums<bits, kRows> sums;
    sums.Clear();
    Prefetch(scales + PackedGroupBytes(type, task.blocks));  // of the next group
    AddBlock<type, bits, kRows>(sums, codes, table, x, at);
    __m512 scale;
    if constexpr (type == PackedType::kMxfp4) {
      scale = Lanes16::PowersOfTwo(scales);
    } else {
      scale = Lanes16::LoadF16(scales);
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i sum = _mm512_add_epi32(sums.Total(r), Repeat(x[r] + behind + correction));
      out[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum),
                               _mm512_mul_ps(RepeatFloat(x[r] + behind), scale), out[r]);
    }
    codes += PackedCodeBytes(type);
    scales += PackedScaleBytes(type);
  }
  const __m512 bias = _mm512_loadu_ps(task.bias + first);
  const std::size_t left = task.outputs - first;
  const auto mask = static_cast<__mmask16>(left < kPackedOutputs ? (1U << left) - 1U : 0xFFFFU);
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    _mm512_mask_storeu_ps(task.out + (row + r) * task.out_stride + first, mask,
                          _mm512_add_ps(out[r], bias));
  }
}

template <PackedType type, ActivationBits bits>
void Group(const PackedTask& task, const std::byte* group, std::size_t first, std::size_t row,
           std::size_t rows) {
  constexpr std::size_t kMost = 8;
  std::size_t r = 0;
  for (; r + kMost <= rows; r += kMost) {
    GroupOfRows<type, bits, kMost>(task, group, first, row + r);
  }
  switch (rows - r) {
    case 7:
      return GroupOfRows<type, bits, 7>(task, group, first, row + r);
    case 6:
      return GroupOfRows<type, bits, 6>(task, group, first, row + r);
    case 5:
      return GroupOfRows<type, bits, 5>(task, group, first, row + r);
    case 4:
      return GroupOfRows<type, bits, 4>(task, group, first, row + r);
    case 3:
      return GroupOfRows<type, bits, 3>(task, group, first, row + r);
    case 2:
      return GroupOfRows<type, bits, 2>(task, group, first, row + r);
    case 1:
      return GroupOfRows<type, bits, 1>(task, group, first, row + r);
    default:
      return;
  }
}

template <PackedType type, ActivationBits bits>
void Groups(const PackedTask& task) {
  for (std::size_t row = 0; row < task.rows; row += kPackedRowBlock) {
    const std::size_t left = task.rows - row;
    const std::byte* group = task.weights;
    for (std::size_t first = 0; first < task.outputs; first += kPackedOutputs) {
      Group<type, bits>(task, group, first, row, left < kPackedRowBlock ? left : kPackedRowBlock);
      group += PackedGroupBytes(type, task.blocks);
    }
  }
}

inline void PackedIntegers(const PackedTask& task) {
  const bool wide = task.bits == ActivationBits::k16;
  if (task.type == PackedType::kMxfp4) {
    wide ? Groups<PackedType::kMxfp4, ActivationBits::k16>(task)
         : Groups<PackedType::kMxfp4, ActivationBits::k8>(task);
  } else {
    wide ? Groups<PackedType::kQ8, ActivationBits::k16>(task)
         : Groups<PackedType::kQ8, ActivationBits::k8>(task);
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu
