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

// Sums of a block of kRows rows with kGroups groups of outputs. Few sums go in chains that take
// turns, or each dot product would wait for the one before.
template <ActivationBits bits, std::size_t kGroups, std::size_t kRows>
struct BlockSums {
  static constexpr bool kWide = bits == ActivationBits::k16;
  static constexpr std::size_t kChains = kGroups * kRows == 1 ? 2 : 1;
  __m512i high[kChains][kGroups][kRows];  // for 8 bits the only ones
  __m512i low[kChains][kGroups][kRows];

  // `from`: where the first row's correction is, the others' are alike.
  [[gnu::always_inline]] void Begin(const std::byte* const* x, std::size_t correction) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i first = Repeat(x[r] + correction);
#pragma GCC unroll 2
      for (std::size_t g = 0; g < kGroups; ++g) {
#pragma GCC unroll 2
        for (std::size_t c = 0; c < kChains; ++c) {
          (kWide ? low : high)[c][g][r] = c == 0 ? first : _mm512_setzero_si512();
          if constexpr (kWide) {
            high[c][g][r] = _mm512_setzero_si512();
          }
        }
      }
    }
  }
  // `at`: the block's bytes within a row. A row's bytes are loaded once for all groups: loads,
  // of which there is one a cycle, would be the limit before the products are.
  [[gnu::always_inline]] void Add(std::size_t step, const __m512i* weights,
                                  const std::byte* const* x, std::size_t at) {
    const std::size_t c = step % kChains;
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i four = Repeat(x[r] + at + 4 * step);
#pragma GCC unroll 2
      for (std::size_t g = 0; g < kGroups; ++g) {
        high[c][g][r] = _mm512_dpbusd_epi32(high[c][g][r], weights[g], four);
      }
      if constexpr (kWide) {
        const __m512i four_low = Repeat(x[r] + at + kPackedBlock + 4 * step);
#pragma GCC unroll 2
        for (std::size_t g = 0; g < kGroups; ++g) {
          low[c][g][r] = _mm512_dpbusd_epi32(low[c][g][r], weights[g], four_low);
        }
      }
    }
  }
  [[gnu::always_inline]] __m512i Total(std::size_t g, std::size_t r) const {
    __m512i sum = high[0][g][r];
    if constexpr (kChains == 2) {
      sum = _mm512_add_epi32(sum, high[1][g][r]);
    }
    if constexpr (kWide) {
      sum = _mm512_add_epi32(_mm512_slli_epi32(sum, 8), low[0][g][r]);
      if constexpr (kChains == 2) {
        sum = _mm512_add_epi32(sum, low[1][g][r]);
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

// `groups`: bytes from a group to the next.
template <PackedType type, ActivationBits bits, std::size_t kGroups, std::size_t kRows>
[[gnu::always_inline]] inline void AddBlock(BlockSums<bits, kGroups, kRows>& sums,
                                            const std::byte* codes, std::size_t groups,
                                            __m512i table, const std::byte* const* x,
                                            std::size_t at) {
  if constexpr (type == PackedType::kMxfp4) {
    const __m512i low = _mm512_set1_epi8(15);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) {
      __m512i first[kGroups];
      __m512i second[kGroups];
#pragma GCC unroll 2
      for (std::size_t g = 0; g < kGroups; ++g) {
        const std::byte* from = codes + g * groups + v * 64;
        Prefetch(from + kAhead);
        const __m512i pair = Load(from);
        first[g] = _mm512_shuffle_epi8(table, _mm512_and_si512(pair, low));
        second[g] = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(pair, 4), low));
      }
      sums.Add(2 * v, first, x, at);
      sums.Add(2 * v + 1, second, x, at);
    }
  } else {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < 8; ++v) {
      __m512i weights[kGroups];
#pragma GCC unroll 2
      for (std::size_t g = 0; g < kGroups; ++g) {
        const std::byte* from = codes + g * groups + v * 64;
        Prefetch(from + kAhead);
        weights[g] = Load(from);
      }
      sums.Add(v, weights, x, at);
    }
  }
}

template <PackedType type>
inline __m512 BlockScales(const std::byte* scales) {
  if constexpr (type == PackedType::kMxfp4) {
    return Lanes16::PowersOfTwo(scales);
  } else {
    return Lanes16::LoadF16(scales);
  }
}

// kGroups groups of outputs of kRows rows. `first`: the first output.
template <PackedType type, ActivationBits bits, std::size_t kGroups, std::size_t kRows>
void Tile(const PackedTask& task, const std::byte* group, std::size_t first, std::size_t row) {
  const std::byte* x[kRows];
  __m512 out[kGroups][kRows];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    x[r] = task.x[row + r];
#pragma GCC unroll 2
    for (std::size_t g = 0; g < kGroups; ++g) {
      out[g][r] = _mm512_setzero_ps();
    }
  }
  const __m512i table = E2m1Table();
  const std::size_t groups = PackedGroupBytes(type, task.blocks);
  const std::byte* codes = group;
  const std::byte* scales = group + task.blocks * PackedCodeBytes(type);
  std::size_t behind = 64 * task.blocks;  // of the row's scale
  const std::size_t correction = (type == PackedType::kMxfp4 ? 4 : 8) * task.blocks;
  for (std::size_t at = 0; at < 64 * task.blocks; at += 64, behind += 4) {
    BlockSums<bits, kGroups, kRows> sums;
    sums.Begin(x, behind + correction);
    Prefetch(scales + kGroups * groups);  // of the next groups
    if constexpr (kGroups == 2) {
      Prefetch(scales + 3 * groups);
    }
    AddBlock<type, bits, kGroups, kRows>(sums, codes, groups, table, x, at);
    __m512 scale[kGroups];
#pragma GCC unroll 2
    for (std::size_t g = 0; g < kGroups; ++g) {
      scale[g] = BlockScales<type>(scales + g * groups);
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512 of_row = RepeatFloat(x[r] + behind);
#pragma GCC unroll 2
      for (std::size_t g = 0; g < kGroups; ++g) {
        out[g][r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums.Total(g, r)),
                                    _mm512_mul_ps(of_row, scale[g]), out[g][r]);
      }
    }
    codes += PackedCodeBytes(type);
    scales += PackedScaleBytes(type);
  }
#pragma GCC unroll 2
  for (std::size_t g = 0; g < kGroups; ++g) {
    const std::size_t at = first + g * kPackedOutputs;
    const __m512 bias = _mm512_loadu_ps(task.bias + at);
    const std::size_t left = task.outputs - at;
    const auto mask = static_cast<__mmask16>(left < kPackedOutputs ? (1U << left) - 1U : 0xFFFFU);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      _mm512_mask_storeu_ps(task.out + (row + r) * task.out_stride + at, mask,
                            _mm512_add_ps(out[g][r], bias));
    }
  }
}

// Sums, outputs, weights, the table and a row's bytes fill the 32 registers.
constexpr std::size_t MostTileRows(ActivationBits bits, std::size_t groups) {
  return (bits == ActivationBits::k16 ? 8 : 12) / groups;
}

template <PackedType type, ActivationBits bits, std::size_t kGroups, std::size_t kRows>
void TileOf(const PackedTask& task, const std::byte* group, std::size_t first, std::size_t row,
            std::size_t rows) {
  if (rows == kRows) {
    Tile<type, bits, kGroups, kRows>(task, group, first, row);
  } else if constexpr (kRows > 1) {
    TileOf<type, bits, kGroups, kRows - 1>(task, group, first, row, rows);
  }
}

// Tiles as equal as can be: one of a single row would read the weights for that row alone.
template <PackedType type, ActivationBits bits, std::size_t kGroups>
void RowTiles(const PackedTask& task, const std::byte* group, std::size_t first, std::size_t row,
              std::size_t rows) {
  constexpr std::size_t kMost = MostTileRows(bits, kGroups);
  for (std::size_t tiles = (rows + kMost - 1) / kMost; tiles > 0; --tiles) {
    const std::size_t count = (rows + tiles - 1) / tiles;
    TileOf<type, bits, kGroups, kMost>(task, group, first, row, count);
    row += count;
    rows -= count;
  }
}

template <PackedType type, ActivationBits bits>
void Groups(const PackedTask& task) {
  const std::size_t bytes = PackedGroupBytes(type, task.blocks);
  for (std::size_t row = 0; row < task.rows; row += kPackedRowBlock) {
    const std::size_t left = task.rows - row;
    const std::size_t rows = left < kPackedRowBlock ? left : kPackedRowBlock;
    const std::byte* group = task.weights;
    std::size_t first = 0;
    // Measured: a single row, and rows that fill a tile of one group, gain nothing by a second.
    const bool pairs = rows > 1 && rows <= MostTileRows(bits, 2);
    for (; pairs && first + kPackedOutputs < task.outputs; first += 2 * kPackedOutputs) {
      RowTiles<type, bits, 2>(task, group, first, row, rows);
      group += 2 * bytes;
    }
    for (; first < task.outputs; first += kPackedOutputs) {
      RowTiles<type, bits, 1>(task, group, first, row, rows);
      group += bytes;
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
