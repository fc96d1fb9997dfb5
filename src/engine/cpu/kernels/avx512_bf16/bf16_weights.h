// Packed weights as bfloat16: a block becomes 16 vectors, each a pair of columns of 16 outputs,
// which is a tile of AMX, too. In an unnamed namespace: for the sources of folders whose flags have
// AVX-512 BF16.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/packed_linear.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

constexpr std::size_t kBf16BlockBytes = PackedCodeBytes(PackedType::kBf16);

// Twice the E2M1 values of the codes, at 2^124, the largest that there is room for. A lookup takes
// five bits, of which the fifth belongs to another code.
inline __m512i Bf16Values() {
  alignas(64) static constexpr std::uint16_t kValues[16] = {
      0, 0x7D80, 0x7E00, 0x7E40, 0x7E80, 0x7EC0, 0x7F00, 0x7F40,
      0, 0xFD80, 0xFE00, 0xFE40, 0xFE80, 0xFEC0, 0xFF00, 0xFF40};
  return _mm512_broadcast_i64x4(_mm256_load_si256(reinterpret_cast<const __m256i*>(kValues)));
}

// What a block's scales take off the exponents of all of its numbers, two a lane.
[[gnu::always_inline]] inline __m512i Mxfp4Less(const std::byte* scales) {
  const __m512i exponents =
      _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(scales)));
  const __m512i less =
      _mm512_slli_epi32(_mm512_sub_epi32(_mm512_set1_epi32(124 + 127), exponents), 7);
  return _mm512_or_si512(less, _mm512_slli_epi32(less, 16));
}

// The scale comes off the exponent. A zero stays zero, because what would be below saturates there.
[[gnu::always_inline]] inline void UnpackMxfp4Vector(const std::byte* codes, __m512i values,
                                                     __m512i less, std::byte* to) {
  const __m512i raw = _mm512_load_si512(codes);
  const auto store = [&](std::size_t pair, __m512i index) {
    _mm512_store_si512(to + 64 * pair,
                       _mm512_subs_epu16(_mm512_permutexvar_epi16(index, values), less));
  };
  // Bytes are exchanged rather than shifted: shifts and subtractions that saturate have one unit of
  // two, lookups and permutations the other.
  const __m512i high = _mm512_srli_epi16(raw, 4);
  const __m512i exchanged =
      _mm512_broadcast_i32x4(_mm_setr_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
  store(0, raw);
  store(1, _mm512_shuffle_epi8(raw, exchanged));
  store(2, high);
  store(3, _mm512_shuffle_epi8(high, exchanged));
}

inline void UnpackMxfp4(const std::byte* codes, const std::byte* scales, std::byte* to) {
  const __m512i values = Bf16Values();
  const __m512i less = Mxfp4Less(scales);
#pragma GCC unroll 4
  for (std::size_t v = 0; v < 4; ++v) {
    UnpackMxfp4Vector(codes + 64 * v, values, less, to + 256 * v);
  }
}

// Integers times their scale are exact in binary32 and rounded once.
inline void UnpackQ8(const std::byte* codes, const std::byte* scales, std::byte* to) {
  const __m512 scale = Lanes16::LoadF16(scales);
  alignas(64) static constexpr std::uint16_t kTurns[32] = {
      0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
      8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i turns = _mm512_load_si512(kTurns);
  const auto weight = [&](__m512i highest) {  // of the highest byte of every four
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_srai_epi32(highest, 24)), scale);
  };
#pragma GCC unroll 2
  for (std::size_t v = 0; v < 8; ++v) {
    const __m512i bytes =
        _mm512_xor_si512(_mm512_load_si512(codes + 64 * v), _mm512_set1_epi8(-128));
    const auto store = [&](std::size_t pair, __m512 first, __m512 second) {
      const auto numbers = __builtin_bit_cast(__m512i, _mm512_cvtne2ps_pbh(second, first));
      _mm512_store_si512(to + 128 * v + 64 * pair, _mm512_permutexvar_epi16(turns, numbers));
    };
    store(0, weight(_mm512_slli_epi32(bytes, 24)), weight(_mm512_slli_epi32(bytes, 8)));
    store(1, weight(_mm512_slli_epi32(bytes, 16)), weight(bytes));
  }
}

// Blocks [begin, begin + count) of a group as bfloat16: in place, or unpacked to `room`.
template <PackedType type>
const std::byte* Bf16Weights(const PackedTask& task, const std::byte* group, std::size_t begin,
                             std::size_t count, std::byte* room) {
  if constexpr (type == PackedType::kBf16) {
    return group + begin * kBf16BlockBytes;
  } else {
    const std::byte* scales = group + task.blocks * PackedCodeBytes(type);
    for (std::size_t i = 0; i < count; ++i) {
      const std::byte* codes = group + (begin + i) * PackedCodeBytes(type);
      const std::byte* scale = scales + (begin + i) * PackedScaleBytes(type);
      std::byte* to = room + i * kBf16BlockBytes;
      type == PackedType::kMxfp4 ? UnpackMxfp4(codes, scale, to) : UnpackQ8(codes, scale, to);
    }
    return room;
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu
