// How each type of weight becomes vectors of binary32, exactly: Read gives the 32 weights of block
// `block` of a row in their own order. Written over a vector type as vector_math.h.
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
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout&,
                                          std::size_t block, typename V::Float* out) {
    const std::byte* from = row.data + block * kReadBlock * kBytes;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
      out[v] = V::LoadBytes(from + v * V::kWidth * kBytes);
    }
  }
};

template <class V>
struct Bf16Reader {
  static constexpr std::size_t kBytes = 2;
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout&,
                                          std::size_t block, typename V::Float* out) {
    const std::byte* from = row.data + block * kReadBlock * kBytes;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
      out[v] = V::LoadBf16(from + v * V::kWidth * kBytes);
    }
  }
};

template <class V>
struct F16Reader {
  static constexpr std::size_t kBytes = 2;
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout&,
                                          std::size_t block, typename V::Float* out) {
    const std::byte* from = row.data + block * kReadBlock * kBytes;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
      out[v] = V::LoadF16(from + v * V::kWidth * kBytes);
    }
  }
};

template <class V>
struct Q8Reader {
  static constexpr std::size_t kBytes = 0;
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout&,
                                          std::size_t block, typename V::Float* out) {
    const std::byte* from = row.data + block * (2 + kReadBlock);
    const typename V::Float scale = V::RepeatF16(from);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
      out[v] = V::Mul(scale, V::LoadInt8(from + 2 + v * V::kWidth));
    }
  }
};

template <class V, NibbleOrder order>
struct Mxfp4Reader {
  static constexpr std::size_t kBytes = 0;
  [[gnu::always_inline]] static void Read(const WeightRow& row, const WeightLayout& layout,
                                          std::size_t block, typename V::Float* out) {
    const auto scale = static_cast<std::uint8_t>(row.scales[block * layout.scale_stride]);
    const typename V::Float factor = V::Set(V::Mxfp4Scale(scale));
    V::template LookUpE2m1<order>(row.data + block * layout.code_stride, out);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kBlockVectors<V>; ++v) {
      out[v] = V::Mul(out[v], factor);
    }
  }
};

}  // namespace safeguard::engine::cpu
