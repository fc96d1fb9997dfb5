// Eight lanes of binary32: what vector_math.h, vector_attention.h and int16_linear.h ask of a
// vector type. In an unnamed namespace on purpose: included by this folder's source only, so that
// nothing compiled for AVX2 can be linked in for older processors.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace safeguard::engine {
namespace {  // NOLINT(google-build-namespaces): see above

struct Lanes8 {
  using Float = __m256;
  using Int = __m256i;
  // Eight outputs by four neighbouring inputs, and four neighbouring inputs in every lane: the
  // first and third as 16-bit numbers, the second and fourth.
  struct Weights {
    Int even, odd;
  };
  using Quad = Weights;
  static constexpr std::size_t kWidth = 8;

  static Float Load(const float* from) { return _mm256_loadu_ps(from); }
  static void Store(float* to, Float x) { _mm256_storeu_ps(to, x); }
  static Float Set(float x) { return _mm256_set1_ps(x); }
  static Float Zero() { return _mm256_setzero_ps(); }
  static Float Add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Float Sub(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static Float Mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static Float Div(Float a, Float b) { return _mm256_div_ps(a, b); }
  static Float Max(Float a, Float b) { return _mm256_max_ps(a, b); }
  static Float Min(Float a, Float b) { return _mm256_min_ps(a, b); }
  static Float Abs(Float x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), x); }
  static Float MulAdd(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  static Float NegatedMulAdd(Float a, Float b, Float c) { return _mm256_fnmadd_ps(a, b, c); }

  static float Total(Float x) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float Largest(Float x) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }

  static Int ZeroInt() { return _mm256_setzero_si256(); }
  static Int LoadInt(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
  }
  static Int RoundToInt(Float x) { return _mm256_cvtps_epi32(x); }  // to nearest, ties to even
  static Float ToFloat(Int x) { return _mm256_cvtepi32_ps(x); }
  // x * 2^n for results in the normal range.
  static Float TimesPowerOfTwo(Float x, Int n) {
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), _mm256_slli_epi32(n, 23)));
  }
  // 16 whole numbers that fit 16 bits.
  static void StoreInt16(std::int16_t* to, Int low, Int high) {
    const Int packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), packed);
  }
  // Two neighbouring 16-bit numbers in every 32-bit lane.
  static Int RepeatPair(const void* from) {
    std::int32_t pair = 0;
    std::memcpy(&pair, from, sizeof pair);
    return _mm256_set1_epi32(pair);
  }
  static Int MulAddPairs(Int sum, Int a, Int b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }

  static Int SetInt(std::int32_t x) { return _mm256_set1_epi32(x); }
  static void StoreInt(void* to, Int x) { _mm256_storeu_si256(static_cast<__m256i*>(to), x); }
  static Int AddInt(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static Int SubInt(Int a, Int b) { return _mm256_sub_epi32(a, b); }
  static Int MaxInt(Int a, Int b) { return _mm256_max_epi32(a, b); }
  static std::int32_t TotalInt(Int x) {
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
  }
  static std::int32_t LargestInt(Int x) {
    const __m128i four = _mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    const __m128i two = _mm_max_epi32(four, _mm_unpackhi_epi64(four, four));
    return _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 1)));
  }
  // Shifts the second byte of every lane down to the first.
  static Int HighByte(Int x) { return _mm256_srli_epi32(x, 8); }
  // The low byte of every lane.
  static void StoreBytes(std::uint8_t* to, Int x) {
    const Int low = _mm256_and_si256(x, _mm256_set1_epi32(255));
    const Int words = _mm256_packus_epi32(low, low);
    const Int bytes = _mm256_packus_epi16(words, words);
    const std::int32_t first = _mm256_extract_epi32(bytes, 0);
    const std::int32_t second = _mm256_extract_epi32(bytes, 4);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + 4, &second, sizeof second);
  }
  // The low bytes of four vectors in every lane, the first lowest.
  static Int JoinBytes(Int x0, Int x1, Int x2, Int x3) {
    const Int byte = _mm256_set1_epi32(255);
    const Int low = _mm256_or_si256(_mm256_and_si256(x0, byte),
                                    _mm256_slli_epi32(_mm256_and_si256(x1, byte), 8));
    const Int high = _mm256_or_si256(_mm256_slli_epi32(_mm256_and_si256(x2, byte), 16),
                                     _mm256_slli_epi32(x3, 24));
    return _mm256_or_si256(low, high);
  }
  static Weights LoadWeights(const std::int8_t* from) {
    const Int bytes = LoadInt(from);
    return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
  }
  static Quad RepeatQuad(const void* from) {
    const Int bytes = RepeatPair(from);
    return {_mm256_and_si256(bytes, _mm256_set1_epi16(255)), _mm256_srli_epi16(bytes, 8)};
  }
  // sum + x0 * w0 + x1 * w1 + x2 * w2 + x3 * w3, exact (vpmaddubsw would saturate).
  static Int Dot(Int sum, const Quad& x, const Weights& w) {
    return _mm256_add_epi32(_mm256_add_epi32(sum, _mm256_madd_epi16(x.even, w.even)),
                            _mm256_madd_epi16(x.odd, w.odd));
  }

  static Float LoadF16(const void* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(from)));
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
