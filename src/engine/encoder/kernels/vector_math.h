// Row functions written once over a vector type `V`: 8 or 16 lanes of binary32 with the operations
// of avx2/lanes.h. Each instruction-set folder instantiates them with its own V, which lives in an
// unnamed namespace, so that no two folders share a symbol.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {

// e^x to 3e-7 of its value for x in [-87, 88]; below, some 1e-38. Range reduction by ln 2 in two
// parts (Cody and Waite 1980), then the Taylor polynomial of degree 6 on |r| <= ln(2) / 2.
template <class V>
[[gnu::always_inline]] inline typename V::Float Exp(typename V::Float x) {
  x = V::Max(V::Min(x, V::Set(88.0F)), V::Set(-87.0F));
  const typename V::Int n = V::RoundToInt(V::Mul(x, V::Set(1.44269504088896341F)));
  const typename V::Float whole = V::ToFloat(n);
  typename V::Float r = V::NegatedMulAdd(whole, V::Set(0.693359375F), x);
  r = V::NegatedMulAdd(whole, V::Set(-2.12194440e-4F), r);
  typename V::Float p = V::Set(1.0F / 720);
  p = V::MulAdd(p, r, V::Set(1.0F / 120));
  p = V::MulAdd(p, r, V::Set(1.0F / 24));
  p = V::MulAdd(p, r, V::Set(1.0F / 6));
  p = V::MulAdd(p, r, V::Set(0.5F));
  p = V::MulAdd(p, r, V::Set(1.0F));
  p = V::MulAdd(p, r, V::Set(1.0F));
  return V::TimesPowerOfTwo(p, n);
}

// erfc by formula 7.1.26 of Abramowitz and Stegun (1964), absolute error below 1.5e-7:
// gelu(x) = max(x, 0) - |x| / 2 * erfc(|x| / sqrt(2)).
template <class V>
void Gelu(float* x, std::size_t count) {
  for (std::size_t i = 0; i < count; i += V::kWidth) {
    const typename V::Float value = V::Load(x + i);
    const typename V::Float magnitude = V::Abs(value);
    // 0.3275911 / sqrt(2)
    const typename V::Float t =
        V::Div(V::Set(1.0F), V::MulAdd(magnitude, V::Set(0.23164189F), V::Set(1.0F)));
    typename V::Float p = V::Set(1.061405429F);
    p = V::MulAdd(p, t, V::Set(-1.453152027F));
    p = V::MulAdd(p, t, V::Set(1.421413741F));
    p = V::MulAdd(p, t, V::Set(-0.284496736F));
    p = V::MulAdd(p, t, V::Set(0.254829592F));
    const typename V::Float tail = Exp<V>(V::Mul(V::Mul(magnitude, magnitude), V::Set(-0.5F)));
    const typename V::Float half_erfc =
        V::Mul(V::Mul(V::Mul(p, t), V::Set(0.5F)), V::Mul(tail, magnitude));
    V::Store(x + i, V::Sub(V::Max(value, V::Zero()), half_erfc));
  }
}

template <class V>
void AddLayerNorm(const LayerNormTask& task) {
  const float width = static_cast<float>(task.width);
  for (std::size_t r = 0; r < task.rows; ++r) {
    const float* a = task.a + r * task.width;
    const float* b = task.b + r * task.width;
    float* out = task.out + r * task.width;
    typename V::Float sum = V::Zero();
    for (std::size_t i = 0; i < task.width; i += V::kWidth) {
      const typename V::Float value = V::Add(V::Load(a + i), V::Load(b + i));
      V::Store(out + i, value);
      sum = V::Add(sum, value);
    }
    const typename V::Float mean = V::Set(V::Total(sum) / width);
    typename V::Float squares = V::Zero();
    for (std::size_t i = 0; i < task.width; i += V::kWidth) {
      const typename V::Float centred = V::Sub(V::Load(out + i), mean);
      squares = V::MulAdd(centred, centred, squares);
    }
    const float variance = V::Total(squares) / width;
    const typename V::Float inverse = V::Set(1.0F / __builtin_sqrtf(variance + task.epsilon));
    for (std::size_t i = 0; i < task.width; i += V::kWidth) {
      const typename V::Float centred = V::Sub(V::Load(out + i), mean);
      V::Store(out + i, V::MulAdd(V::Mul(centred, inverse), V::Load(task.weight + i),
                                  V::Load(task.bias + i)));
    }
  }
}

// REQUIRES: count is a multiple of V::kWidth.
template <class V>
void WidenF16(const std::byte* from, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; i += V::kWidth) {
    V::Store(to + i, V::LoadF16(from + 2 * i));
  }
}

}  // namespace safeguard::engine
