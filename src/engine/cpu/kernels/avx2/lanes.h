// Eight lanes of binary32: what the vector_*.h files and weight_readers.h ask of a vector type. In
// an unnamed namespace on purpose: included by this folder's source only, so that nothing compiled
// for AVX2 can be linked in for older processors.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/model/weights.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

struct Lanes8 {
  using Float = __m256;
  using Int = __m256i;
  static constexpr std::size_t kWidth = 8;

  // Register tiles. Unpacked weights: 3 rows of activations by 4 outputs, so that 12 sums, 3
  // activations and 1 weight fill the 16 registers. Fused: up to 2 rows by 4 outputs.
  static constexpr std::size_t kTileRows = 3;
  static constexpr std::size_t kTileOutputs = 4;
  static constexpr std::size_t kFusedRows = 2;
  // Attention: 6 rows by 2 registers.
  static constexpr std::size_t kAttentionVectors = 2;

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

  static Int RoundToInt(Float x) { return _mm256_cvtps_epi32(x); }  // to nearest, ties to even
  static Float ToFloat(Int x) { return _mm256_cvtepi32_ps(x); }
  // x * 2^n for results in the normal range.
  static Float TimesPowerOfTwo(Float x, Int n) {
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), _mm256_slli_epi32(n, 23)));
  }
  // 1 bits in the lanes l with begin <= first + l < end, of numbers below 2^31.
  static Float Between(std::size_t first, std::size_t begin, std::size_t end) {
    const Int lane = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                                      _mm256_set1_epi32(static_cast<int>(first)));
    const Int before = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(begin)), lane);
    const Int inside = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(end)), lane);
    return _mm256_castsi256_ps(_mm256_andnot_si256(before, inside));
  }
  static Float Select(Float mask, Float yes, Float no) { return _mm256_blendv_ps(no, yes, mask); }

  // even = from[0], from[2], ...; odd = from[1], from[3], ...
  static void LoadPairs(const float* from, Float& even, Float& odd) {
    const __m256 a = Load(from);
    const __m256 b = Load(from + kWidth);
    const __m256 low = _mm256_permute2f128_ps(a, b, 0x20);
    const __m256 high = _mm256_permute2f128_ps(a, b, 0x31);
    even = _mm256_shuffle_ps(low, high, 0x88);
    odd = _mm256_shuffle_ps(low, high, 0xDD);
  }

  // The rest reads at any address.
  static Float LoadBytes(const std::byte* from) {
    return _mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static Float LoadBf16(const std::byte* from) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
  }
  static Float LoadF16(const std::byte* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Float RepeatF16(const std::byte* from) {
    std::int16_t half = 0;
    __builtin_memcpy(&half, from, sizeof half);
    return _mm256_cvtph_ps(_mm_set1_epi16(half));
  }
  static Float LoadInt8(const std::byte* from) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
  }

  // The 32 values of a block's 16 bytes of codes, times the block's scale. The lookup gives values
  // doubled, which are whole.
  template <NibbleOrder order>
  static void ReadMxfp4(const std::byte* codes, float scale, Float* out) {
    const __m128i doubled = _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
    const __m128i nibble = _mm_set1_epi8(15);
    const __m128i low = _mm_shuffle_epi8(doubled, _mm_and_si128(bytes, nibble));
    const __m128i high = _mm_shuffle_epi8(doubled, _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble));
    const bool adjacent = order == NibbleOrder::kAdjacent;
    const __m128i first = adjacent ? _mm_unpacklo_epi8(low, high) : low;
    const __m128i second = adjacent ? _mm_unpackhi_epi8(low, high) : high;
    out[0] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(first));
    out[1] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(first, 8)));
    out[2] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(second));
    out[3] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(second, 8)));
    // Halving a whole number is exact; halving the smallest scale is, too (it is subnormal).
    const Float factor = Set(scale * 0.5F);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) {
      out[v] = Mul(out[v], factor);
    }
  }
  // ---- integers, for vector_packed.h ----
  static constexpr std::size_t kPackedRows = 6;
  static Int LoadInt(const std::byte* from) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
  }
  static void StoreInt(std::byte* to, Int x) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), x);
  }
  static Int SetInt(std::int32_t x) { return _mm256_set1_epi32(x); }
  static Int RepeatInt(const std::byte* from) {
    int number = 0;
    __builtin_memcpy(&number, from, sizeof number);
    return _mm256_set1_epi32(number);
  }
  static Float RepeatFloat(const std::byte* from) { return _mm256_castsi256_ps(RepeatInt(from)); }
  static Int And(Int a, Int b) { return _mm256_and_si256(a, b); }
  static Int Xor(Int a, Int b) { return _mm256_xor_si256(a, b); }
  static Int AddInt(Int a, Int b) { return _mm256_add_epi32(a, b); }
  template <int bits>
  static Int Right16(Int x) {
    return _mm256_srli_epi16(x, bits);
  }
  template <int bits>
  static Int Left32(Int x) {
    return _mm256_slli_epi32(x, bits);
  }
  template <int bits>
  static Int Right32(Int x) {
    return _mm256_srli_epi32(x, bits);
  }
  template <int bits>
  static Int Arithmetic32(Int x) {
    return _mm256_srai_epi32(x, bits);
  }
  static Float AsFloat(Int x) { return _mm256_castsi256_ps(x); }
  static Int AsInt(Float x) { return _mm256_castps_si256(x); }
  // Computes x here: GCC puts additions off until the sum is used, and keeps what is to be added.
  [[gnu::always_inline]] static void ComputeNow(Int& x) { asm("" : "+x"(x)); }
  static Int Add16(Int a, Int b) { return _mm256_add_epi16(a, b); }
  // Products of bytes, `a` without and `b` with a sign, added in pairs: within 16 bits, please.
  static Int MulAddBytes(Int a, Int b) { return _mm256_maddubs_epi16(a, b); }
  // Products of 16-bit integers, added in pairs.
  static Int MulAdd16(Int a, Int b) { return _mm256_madd_epi16(a, b); }
  // Twice the E2M1 value of every byte's code.
  static Int E2m1Twice(Int codes) {
    const Int table = _mm256_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12, 0,
                                       1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
    return _mm256_shuffle_epi8(table, codes);
  }
  // The same plus 12.
  static Int E2m1TwicePlus12(Int codes) {
    const Int table = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0));
    return _mm256_shuffle_epi8(table, codes);
  }
  // 2^(e - 127) of eight bytes e of 1 to 254.
  static Float PowersOfTwo(const std::byte* from) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu8_epi32(bytes), 23));
  }

  // Into the L2 cache. Always inlined: GCC drops calls of a function that does nothing but
  // prefetch.
  [[gnu::always_inline]] static void Prefetch(const std::byte* at) {
    _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
  }
};

}  // namespace
}  // namespace safeguard::engine::cpu
