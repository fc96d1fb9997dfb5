// The AVX-512 intrinsics that the kernels use, in portable C++, so that their sources can be tested
// on processors without AVX-512. Most come from SIMDe; the rest stand here, from Intel's
// Intrinsics Guide. Only for the test's own copy of a kernel source (kernels_test.cc).
#pragma once

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace safeguard::engine {
namespace {

template <typename To, typename From>
To BitsAs(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

template <typename T, std::size_t kCount>
struct Numbers {
  T at[kCount];
};

inline __m512i _mm512_cvtps_epi32(__m512 x) {
  const auto from = BitsAs<Numbers<float, 16>>(x);
  Numbers<std::int32_t, 16> to;
  for (int i = 0; i < 16; ++i) {
    to.at[i] = static_cast<std::int32_t>(std::nearbyintf(from.at[i]));
  }
  return BitsAs<__m512i>(to);
}

inline __m512 _mm512_cvtepi32_ps(__m512i x) {
  const auto from = BitsAs<Numbers<std::int32_t, 16>>(x);
  Numbers<float, 16> to;
  for (int i = 0; i < 16; ++i) {
    to.at[i] = static_cast<float>(from.at[i]);
  }
  return BitsAs<__m512>(to);
}

inline __m256i _mm512_cvtepi32_epi16(__m512i x) {
  const auto from = BitsAs<Numbers<std::int32_t, 16>>(x);
  Numbers<std::int16_t, 16> to;
  for (int i = 0; i < 16; ++i) {
    to.at[i] = static_cast<std::int16_t>(from.at[i]);
  }
  return BitsAs<__m256i>(to);
}

inline __m512i _mm512_cvtepu16_epi32(__m256i x) {
  const auto from = BitsAs<Numbers<std::uint16_t, 16>>(x);
  Numbers<std::uint32_t, 16> to;
  for (int i = 0; i < 16; ++i) {
    to.at[i] = from.at[i];
  }
  return BitsAs<__m512i>(to);
}

inline __m512 _mm512_cvtph_ps(__m256i x) {
  const auto halves = BitsAs<Numbers<__m128i, 2>>(x);
  Numbers<__m256, 2> to;
  to.at[0] = _mm256_cvtph_ps(halves.at[0]);
  to.at[1] = _mm256_cvtph_ps(halves.at[1]);
  return BitsAs<__m512>(to);
}

// The real one's order of addition is the compiler's choice too: halves, quarters, and so on.
inline float _mm512_reduce_add_ps(__m512 x) {
  auto sums = BitsAs<Numbers<float, 16>>(x);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) {
      sums.at[i] += sums.at[i + width];
    }
  }
  return sums.at[0];
}

inline float _mm512_reduce_max_ps(__m512 x) {
  const auto from = BitsAs<Numbers<float, 16>>(x);
  float largest = from.at[0];
  for (const float number : from.at) {
    largest = number > largest ? number : largest;
  }
  return largest;
}

inline __m128i _mm512_cvtepi32_epi8(__m512i x) {
  const auto from = BitsAs<Numbers<std::int32_t, 16>>(x);
  Numbers<std::int8_t, 16> to;
  for (int i = 0; i < 16; ++i) {
    to.at[i] = static_cast<std::int8_t>(from.at[i]);
  }
  return BitsAs<__m128i>(to);
}

inline std::int32_t _mm512_reduce_add_epi32(__m512i x) {
  std::int32_t sum = 0;
  for (const std::int32_t number : BitsAs<Numbers<std::int32_t, 16>>(x).at) {
    sum += number;
  }
  return sum;
}

inline std::int32_t _mm512_reduce_max_epi32(__m512i x) {
  const auto from = BitsAs<Numbers<std::int32_t, 16>>(x);
  std::int32_t largest = from.at[0];
  for (const std::int32_t number : from.at) {
    largest = number > largest ? number : largest;
  }
  return largest;
}

}  // namespace
}  // namespace safeguard::engine
