// Sixteen lanes of binary32, as avx2/lanes.h. In an unnamed namespace for the same reason: included
// only by sources that are compiled for AVX-512 (and by their emulation in the tests).
#pragma once

#ifdef SAFEGUARD_EMULATED_INTRINSICS
#include "engine/encoder/kernels/emulated/avx512_intrinsics.h"
#else
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace safeguard::engine {
namespace {  // NOLINT(google-build-namespaces): see above

struct Lanes16 {
  using Float = __m512;
  using Int = __m512i;
  using Weights = __m512i;  // 16 outputs by four neighbouring inputs, signed bytes
  using Quad = __m512i;     // four neighbouring inputs in every lane, unsigned bytes
  static constexpr std::size_t kWidth = 16;

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
  static Float Abs(Float x) { return _mm512_abs_ps(x); }
  static Float MulAdd(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static Float NegatedMulAdd(Float a, Float b, Float c) { return _mm512_fnmadd_ps(a, b, c); }

  static float Total(Float x) { return _mm512_reduce_add_ps(x); }
  static float Largest(Float x) { return _mm512_reduce_max_ps(x); }

  static Int ZeroInt() { return _mm512_setzero_si512(); }
  static Int LoadInt(const void* from) { return _mm512_loadu_si512(from); }
  static Int RoundToInt(Float x) { return _mm512_cvtps_epi32(x); }  // to nearest, ties to even
  static Float ToFloat(Int x) { return _mm512_cvtepi32_ps(x); }
  static Float TimesPowerOfTwo(Float x, Int n) {
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), _mm512_slli_epi32(n, 23)));
  }
  static void StoreInt16(std::int16_t* to, Int low, Int high) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(low));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + kWidth), _mm512_cvtepi32_epi16(high));
  }
  static Int RepeatPair(const void* from) {
    std::int32_t pair = 0;
    std::memcpy(&pair, from, sizeof pair);
    return _mm512_set1_epi32(pair);
  }
  static Int MulAddPairs(Int sum, Int a, Int b) {
#ifdef SAFEGUARD_EMULATED_INTRINSICS
    return _mm512_dpwssd_epi32(sum, a, b);
#else
    // The intrinsic makes GCC 12 copy sums between registers and spill them in the innermost loop.
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
#endif
  }

  static Int SetInt(std::int32_t x) { return _mm512_set1_epi32(x); }
  static void StoreInt(void* to, Int x) { _mm512_storeu_si512(to, x); }
  static Int AddInt(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static Int SubInt(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static Int MaxInt(Int a, Int b) { return _mm512_max_epi32(a, b); }
  static std::int32_t TotalInt(Int x) { return _mm512_reduce_add_epi32(x); }
  static std::int32_t LargestInt(Int x) { return _mm512_reduce_max_epi32(x); }
  // Shifts the second byte of every lane down to the first.
  static Int HighByte(Int x) { return _mm512_srli_epi32(x, 8); }
  // The low byte of every lane.
  static void StoreBytes(std::uint8_t* to, Int x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(x));
  }
  // The low bytes of four vectors in every lane, the first lowest.
  static Int JoinBytes(Int x0, Int x1, Int x2, Int x3) {
    const Int byte = _mm512_set1_epi32(255);
    const Int low = _mm512_or_si512(_mm512_and_si512(x0, byte),
                                    _mm512_slli_epi32(_mm512_and_si512(x1, byte), 8));
    const Int high = _mm512_or_si512(_mm512_slli_epi32(_mm512_and_si512(x2, byte), 16),
                                     _mm512_slli_epi32(x3, 24));
    return _mm512_or_si512(low, high);
  }
  static Weights LoadWeights(const std::int8_t* from) { return _mm512_loadu_si512(from); }
  static Quad RepeatQuad(const void* from) { return RepeatPair(from); }
  // sum + x0 * w0 + x1 * w1 + x2 * w2 + x3 * w3, exact.
  static Int Dot(Int sum, Quad x, Weights w) {
#ifdef SAFEGUARD_EMULATED_INTRINSICS
    return _mm512_dpbusd_epi32(sum, x, w);
#else  // as above
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
    return sum;
#endif
  }

  static Float LoadF16(const void* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(from)));
  }
  // to[c * to_stride + r] = from[r * from_stride + c] * scale for r, c in [0, 4).
  static void Turn4x4(const float* from, std::size_t from_stride, float scale, float* to,
                      std::size_t to_stride) {
    const __m128 factor = _mm_set1_ps(scale);
    __m128 row0 = _mm_mul_ps(_mm_loadu_ps(from), factor);
    __m128 row1 = _mm_mul_ps(_mm_loadu_ps(from + from_stride), factor);
    __m128 row2 = _mm_mul_ps(_mm_loadu_ps(from + 2 * from_stride), factor);
    __m128 row3 = _mm_mul_ps(_mm_loadu_ps(from + 3 * from_stride), factor);
    _MM_TRANSPOSE4_PS(row0, row1, row2, row3);
    _mm_storeu_ps(to, row0);
    _mm_storeu_ps(to + to_stride, row1);
    _mm_storeu_ps(to + 2 * to_stride, row2);
    _mm_storeu_ps(to + 3 * to_stride, row3);
  }
};

}  // namespace
}  // namespace safeguard::engine
