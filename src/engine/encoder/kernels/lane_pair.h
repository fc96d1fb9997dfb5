// Two registers of eight lanes as one of sixteen, so that sums over lanes are taken in the order of
// a 512-bit register and 8-bit layers give the same bits on both.
#pragma once

#include <cstddef>
#include <cstdint>

namespace safeguard::engine {

template <class L>
struct LanePair {
  struct Float {
    typename L::Float a, b;
  };
  struct Int {
    typename L::Int a, b;
  };
  struct Weights {
    typename L::Weights a, b;
  };
  using Quad = typename L::Quad;
  static constexpr std::size_t kHalf = L::kWidth;
  static constexpr std::size_t kWidth = 2 * kHalf;

  static Float Load(const float* from) { return {L::Load(from), L::Load(from + kHalf)}; }
  static void Store(float* to, Float x) {
    L::Store(to, x.a);
    L::Store(to + kHalf, x.b);
  }
  static Float Set(float x) { return {L::Set(x), L::Set(x)}; }
  static Float Zero() { return {L::Zero(), L::Zero()}; }
  static Float Add(Float x, Float y) { return {L::Add(x.a, y.a), L::Add(x.b, y.b)}; }
  static Float Sub(Float x, Float y) { return {L::Sub(x.a, y.a), L::Sub(x.b, y.b)}; }
  static Float Mul(Float x, Float y) { return {L::Mul(x.a, y.a), L::Mul(x.b, y.b)}; }
  static Float Div(Float x, Float y) { return {L::Div(x.a, y.a), L::Div(x.b, y.b)}; }
  static Float Max(Float x, Float y) { return {L::Max(x.a, y.a), L::Max(x.b, y.b)}; }
  static Float Min(Float x, Float y) { return {L::Min(x.a, y.a), L::Min(x.b, y.b)}; }
  static Float Abs(Float x) { return {L::Abs(x.a), L::Abs(x.b)}; }
  static Float MulAdd(Float x, Float y, Float z) {
    return {L::MulAdd(x.a, y.a, z.a), L::MulAdd(x.b, y.b, z.b)};
  }
  static float Total(Float x) { return L::Total(L::Add(x.a, x.b)); }
  static float Largest(Float x) { return L::Largest(L::Max(x.a, x.b)); }

  static Int ZeroInt() { return {L::ZeroInt(), L::ZeroInt()}; }
  static Int SetInt(std::int32_t x) { return {L::SetInt(x), L::SetInt(x)}; }
  static Int LoadInt(const std::int32_t* from) {
    return {L::LoadInt(from), L::LoadInt(from + kHalf)};
  }
  static void StoreInt(void* to, Int x) {
    L::StoreInt(to, x.a);
    L::StoreInt(static_cast<std::byte*>(to) + 4 * kHalf, x.b);
  }
  static Int AddInt(Int x, Int y) { return {L::AddInt(x.a, y.a), L::AddInt(x.b, y.b)}; }
  static Int SubInt(Int x, Int y) { return {L::SubInt(x.a, y.a), L::SubInt(x.b, y.b)}; }
  static Int MaxInt(Int x, Int y) { return {L::MaxInt(x.a, y.a), L::MaxInt(x.b, y.b)}; }
  static std::int32_t TotalInt(Int x) { return L::TotalInt(L::AddInt(x.a, x.b)); }
  static std::int32_t LargestInt(Int x) { return L::LargestInt(L::MaxInt(x.a, x.b)); }
  static Int RoundToInt(Float x) { return {L::RoundToInt(x.a), L::RoundToInt(x.b)}; }
  static Float ToFloat(Int x) { return {L::ToFloat(x.a), L::ToFloat(x.b)}; }
  static Float TimesPowerOfTwo(Float x, Int n) {
    return {L::TimesPowerOfTwo(x.a, n.a), L::TimesPowerOfTwo(x.b, n.b)};
  }
  static Int HighByte(Int x) { return {L::HighByte(x.a), L::HighByte(x.b)}; }
  static void StoreBytes(std::uint8_t* to, Int x) {
    L::StoreBytes(to, x.a);
    L::StoreBytes(to + kHalf, x.b);
  }
  static Int JoinBytes(Int x0, Int x1, Int x2, Int x3) {
    return {L::JoinBytes(x0.a, x1.a, x2.a, x3.a), L::JoinBytes(x0.b, x1.b, x2.b, x3.b)};
  }
  static Weights LoadWeights(const std::int8_t* from) {
    return {L::LoadWeights(from), L::LoadWeights(from + 4 * kHalf)};
  }
  static Quad RepeatQuad(const void* from) { return L::RepeatQuad(from); }
  static Int Dot(Int sum, Quad x, Weights w) {
    return {L::Dot(sum.a, x, w.a), L::Dot(sum.b, x, w.b)};
  }
  static Float LoadF16(const std::byte* from) {
    return {L::LoadF16(from), L::LoadF16(from + 2 * kHalf)};
  }
};

}  // namespace safeguard::engine
