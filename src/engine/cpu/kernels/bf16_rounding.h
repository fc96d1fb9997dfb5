// bfloat16 as VDPBF16PS and TDPBF16PS take it. In an unnamed namespace: each kernel folder compiles
// its own.
#pragma once

#include <cstdint>

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

// The nearest bfloat16, ties to even. Subnormals become zeros, a NaN stays one.
[[maybe_unused]] inline std::uint16_t RoundToBf16(float x) {
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  const std::uint32_t rounded = (bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16;
  const std::uint32_t number = magnitude > 0x7F800000U ? (bits >> 16 | 0x40U) : rounded;
  return static_cast<std::uint16_t>(magnitude < 0x00800000U ? bits >> 16 & 0x8000U : number);
}

// The column of a block that stands at place `at` of its 32 bfloat16: of every four columns 0, 2,
// 1, 3, so that a pair takes its two numbers from bytes two apart.
constexpr std::uint32_t Bf16Column(std::uint32_t at) {
  return at % 4 == 1 || at % 4 == 2 ? at ^ 3U : at;
}

}  // namespace
}  // namespace safeguard::engine::cpu
