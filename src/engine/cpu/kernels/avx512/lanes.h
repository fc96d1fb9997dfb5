// Sixteen lanes of binary32, as avx2/lanes.h. In an unnamed namespace for the same reason: included
// by this folder's source only.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/model/weights.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

struct Lanes16 {
  using Float = __m512;
  using Int = __m512i;
  static constexpr std::size_t kWidth = 16;

  // 4 rows of activations by 6 outputs: 24 sums, 4 activations and 1 weight of 32 registers.
  static constexpr std::size_t kTileRows = 4;
  static constexpr std::size_t kTileOutputs = 6;
  static constexpr std::size_t kFusedRows = 4;
  static constexpr std::size_t kAttentionVectors = 4;

  static Float Load(const float* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, Float x) { _mm512_storeu_ps(to, x); }
  static Float Set(float x) { return _mm512_set1_ps(x); }
  static Float Zero() { return _mm512_setzero_ps(); }
  static Float Add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Float Sub(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static Float Mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float Div(Float a, Float b) { return _mm512_div_ps(a, b); }
  static Float Max(Float a, Float b) { return _mm512_max_ps(a, b); }
  static Float Min(Float a, Float b) { return _mm512_min_ps(a, b); }
  static Float MulAdd(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static Float NegatedMulAdd(Float a, Float b, Float c) { return _mm512_fnmadd_ps(a, b, c); }

  static float Total(Float x) { return _mm512_reduce_add_ps(x); }
  static float Largest(Float x) { return _mm512_reduce_max_ps(x); }

  static Int RoundToInt(Float x) { return _mm512_cvtps_epi32(x); }  // to nearest, ties to even
  static Float ToFloat(Int x) { return _mm512_cvtepi32_ps(x); }
  static Float TimesPowerOfTwo(Float x, Int n) {
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), _mm512_slli_epi32(n, 23)));
  }
  static __mmask16 Between(std::size_t first, std::size_t begin, std::size_t end) {
    const Int lane =
        _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                         _mm512_set1_epi32(static_cast<int>(first)));
    const __mmask16 from =
        _mm512_cmpge_epi32_mask(lane, _mm512_set1_epi32(static_cast<int>(begin)));
    return _mm512_mask_cmplt_epi32_mask(from, lane, _mm512_set1_epi32(static_cast<int>(end)));
  }
  static Float Select(__mmask16 mask, Float yes, Float no) {
    return _mm512_mask_blend_ps(mask, no, yes);
  }

  static void LoadPairs(const float* from, Float& even, Float& odd) {
    const Int evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const Int odds = _mm512_add_epi32(evens, _mm512_set1_epi32(1));
    const Float a = Load(from);
    const Float b = Load(from + kWidth);
    even = _mm512_permutex2var_ps(a, evens, b);
    odd = _mm512_permutex2var_ps(a, odds, b);
  }

  static Float LoadBytes(const std::byte* from) {
    return _mm512_castsi512_ps(_mm512_loadu_si512(from));
  }
  static Float LoadBf16(const std::byte* from) {
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
  }
  static Float LoadF16(const std::byte* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static Float RepeatF16(const std::byte* from) {
    std::int16_t half = 0;
    __builtin_memcpy(&half, from, sizeof half);
    return _mm512_cvtph_ps(_mm256_set1_epi16(half));
  }
  static Float LoadInt8(const std::byte* from) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
  }

  // The 32 values of a block's 16 bytes of codes, times the block's scale. The scale goes into the
  // table of 16 values. A shift puts a lane's code at its lowest four bits, which are all that a
  // lookup takes.
  template <NibbleOrder order>
  static void ReadMxfp4(const std::byte* codes, float scale, Float* out) {
    const Float values = _mm512_setr_ps(0.0F, 0.5F, 1.0F, 1.5F, 2.0F, 3.0F, 4.0F, 6.0F, -0.0F,
                                        -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F);
    const Float table = _mm512_mul_ps(values, Set(scale));
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
    if constexpr (order == NibbleOrder::kHalves) {
      const Int wide = _mm512_cvtepu8_epi32(bytes);
      out[0] = _mm512_permutexvar_ps(wide, table);
      out[1] = _mm512_permutexvar_ps(_mm512_srli_epi32(wide, 4), table);
    } else {
      const Int all = _mm512_castsi128_si512(bytes);
      const Int first = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
      const Int second = _mm512_setr_epi32(2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
      const Int shift = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
      const Int low = _mm512_srlv_epi32(_mm512_permutexvar_epi32(first, all), shift);
      const Int high = _mm512_srlv_epi32(_mm512_permutexvar_epi32(second, all), shift);
      out[0] = _mm512_permutexvar_ps(low, table);
      out[1] = _mm512_permutexvar_ps(high, table);
    }
  }
  // ---- integers, for vector_packed.h ----
  static constexpr std::size_t kPackedRows = 12;
  static Int LoadInt(const std::byte* from) { return _mm512_load_si512(from); }
  static void StoreInt(std::byte* to, Int x) { _mm512_store_si512(to, x); }
  static Int SetInt(std::int32_t x) { return _mm512_set1_epi32(x); }
  static Int RepeatInt(const std::byte* from) {
    int number = 0;
    __builtin_memcpy(&number, from, sizeof number);
    return _mm512_set1_epi32(number);
  }
  static Float RepeatFloat(const std::byte* from) { return _mm512_castsi512_ps(RepeatInt(from)); }
  static Int And(Int a, Int b) { return _mm512_and_si512(a, b); }
  static Int Xor(Int a, Int b) { return _mm512_xor_si512(a, b); }
  static Int AddInt(Int a, Int b) { return _mm512_add_epi32(a, b); }
  template <int bits>
  static Int Right16(Int x) {
    return _mm512_srli_epi16(x, bits);
  }
  template <int bits>
  static Int Left32(Int x) {
    return _mm512_slli_epi32(x, bits);
  }
  template <int bits>
  static Int Right32(Int x) {
    return _mm512_srli_epi32(x, bits);
  }
  template <int bits>
  static Int Arithmetic32(Int x) {
    return _mm512_srai_epi32(x, bits);
  }
  static Float AsFloat(Int x) { return _mm512_castsi512_ps(x); }
  static Int AsInt(Float x) { return _mm512_castps_si512(x); }
  // Computes x here: GCC puts additions off until the sum is used, and keeps what is to be added.
  [[gnu::always_inline]] static void ComputeNow(Int& x) { asm("" : "+v"(x)); }
  static Int Add16(Int a, Int b) { return _mm512_add_epi16(a, b); }
  // Products of bytes, `a` without and `b` with a sign, added in pairs: within 16 bits, please.
  static Int MulAddBytes(Int a, Int b) { return _mm512_maddubs_epi16(a, b); }
  // Products of 16-bit integers, added in pairs.
  static Int MulAdd16(Int a, Int b) { return _mm512_madd_epi16(a, b); }
  // Twice the E2M1 value of every byte's code.
  static Int E2m1Twice(Int codes) {
    const Int table = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12));
    return _mm512_shuffle_epi8(table, codes);
  }
  // The same plus 12.
  static Int E2m1TwicePlus12(Int codes) {
    const Int table = _mm512_broadcast_i32x4(
        _mm_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0));
    return _mm512_shuffle_epi8(table, codes);
  }
  // 2^(e - 127) of sixteen bytes e of 1 to 254.
  static Float PowersOfTwo(const std::byte* from) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu8_epi32(bytes), 23));
  }

  // Into the L2 cache. Always inlined: GCC drops calls of a function that does nothing but
  // prefetch.
  [[gnu::always_inline]] static void Prefetch(const std::byte* at) {
    _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
  }
};

}  // namespace
}  // namespace safeguard::engine::cpu
