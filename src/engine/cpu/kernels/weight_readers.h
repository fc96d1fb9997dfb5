// How each type of weight becomes vectors of binary32, exactly: Read gives the 32 weights of block
// `block` of a row in their own order, At where its bytes begin. Written over a vector type as
// vector_math.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/kernel_table.h"

namespace safeguard::engine::cpu {

inline constexpr std::size_t kReadBlock = 32;
static_assert(kReadBlock == kColumnQuantum);

// Vectors of V in a block.
template <class V>
constexpr std::size_t kBlockVectors = kReadBlock / V::kWidth;

template <class V>
struct F32Reader {
  static constexpr std::size_t kBytes = 4;  // of one weight; 0: whole blocks only
  [[gnu::always_inline]] static const std::byte* At(const WeightRow& row, const WeightLayout&,
                                                    std::size_t block) {
    return row.data + block * kReadBlock * kBytes;
  }
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout& layout,
                                          std::size_t block, typename V::Float* out) {
    const std::byte* from = At(row, layout, block);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
      out[v] = V::LoadBytes(from + v * V::kWidth * kBytes);
    }
  }
};

template <class V>
struct Bf16Reader {
  static constexpr std::size_t kBytes = 2;
  [[gnu::always_inline]] static const std::byte* At(const WeightRow& row, const WeightLayout&,
                                                    std::size_t block) {
    return row.data + block * kReadBlock * kBytes;
  }
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout& layout,
                                          std::size_t block, typename V::Float* out) {
    const std::byte* from = At(row, layout, block);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
      out[v] = V::LoadBf16(from + v * V::kWidth * kBytes);
    }
  }
};

template <class V>
struct F16Reader {
  static constexpr std::size_t kBytes = 2;
  [[gnu::always_inline]] static const std::byte* At(const WeightRow& row, const WeightLayout&,
                                                    std::size_t block) {
    return row.data + block * kReadBlock * kBytes;
  }
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout& layout,
                                          std::size_t block, typename V::Float* out) {
    const std::byte* from = At(row, layout, block);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
      out[v] = V::LoadF16(from + v * V::kWidth * kBytes);
    }
  }
};

template <class V>
struct Q8Reader {
  static constexpr std::size_t kBytes = 0;
  [[gnu::always_inline]] static const std::byte* At(const WeightRow& row, const WeightLayout&,
                                                    std::size_t block) {
    return row.data + block * (2 + kReadBlock);
  }
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout& layout,
                                          std::size_t block, typename V::Float* out) {
    const std::byte* from = At(row, layout, block);
    const typename V::Float scale = V::RepeatF16(from);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
      out[v] = V::Mul(scale, V::LoadInt8(from + 2 + v * V::kWidth));
    }
  }
};

// 2^(i - 127) by i; NaN for 255 (OCP Microscaling Formats v1.0, section 5.4.1).
struct E8m0Table {
  float at[256];
};
constexpr E8m0Table MakeE8m0Table() {
  E8m0Table table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    const bool odd = i == 0 || i == 255;  // subnormal; NaN instead of infinity
    table.at[i] = __builtin_bit_cast(float, (i << 23) | (odd ? 0x00400000U : 0U));
  }
  return table;
}

template <class V, NibbleOrder order>
struct Mxfp4Reader {
  static constexpr std::size_t kBytes = 0;
  static constexpr E8m0Table kScales = MakeE8m0Table();

  [[gnu::always_inline]] static const std::byte* At(const WeightRow& row,
                                                    const WeightLayout& layout, std::size_t block) {
    return row.data + block * layout.code_stride;
  }
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout& layout,
                                          std::size_t block, typename V::Float* out) {
    const auto scale = static_cast<std::uint8_t>(row.scales[block * layout.scale_stride]);
    V::template ReadMxfp4<order>(At(row, layout, block), kScales.at[scale], out);
  }
};

}  // namespace safeguard::engine::cpu
