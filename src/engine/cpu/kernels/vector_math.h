// Row functions written once over a vector type `V`: 8 or 16 lanes of binary32 with the operations
// of avx2/lanes.h. Each instruction-set folder instantiates them with its own V, which lives in an
// unnamed namespace, so that no two folders share a symbol.
#pragma once

#include <cstddef>

#include "engine/cpu/kernels/kernel_table.h"

namespace safeguard::engine::cpu {

// e^x to 3e-7 of its value for x in [-87, 88]; clamped outside (1.6e-38 below); exactly 1 at 0.
// Range reduction by ln 2 in two parts (Cody and Waite 1980), then the Taylor polynomial of degree
// 6 on |r| <= ln(2) / 2.
template <class V>
[[gnu::always_inline]] inline typename V::Float Exp(typename V::Float x) {
  x = V::Max(V::Set(-87.0F), V::Min(V::Set(88.0F), x));  // the second operand passes a NaN on
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

// Four chains of sums, so that they do not wait for one another.
template <class V>
void RmsNorm(const NormTask& task) {
  constexpr std::size_t kStep = 4 * V::kWidth;
  typename V::Float sums[4] = {V::Zero(), V::Zero(), V::Zero(), V::Zero()};
  std::size_t i = 0;
  for (; i + kStep <= task.width; i += kStep) {
    for (std::size_t c = 0; c < 4; ++c) {
      const typename V::Float x = V::Load(task.x + i + c * V::kWidth);
      sums[c] = V::MulAdd(x, x, sums[c]);
    }
  }
  float total = V::Total(V::Add(V::Add(sums[0], sums[1]), V::Add(sums[2], sums[3])));
  for (std::size_t j = i; j < task.width; ++j) {
    total += task.x[j] * task.x[j];
  }
  const float mean = total / static_cast<float>(task.width);
  const float inverse = 1.0F / __builtin_sqrtf(mean + task.epsilon);
  for (i = 0; i + V::kWidth <= task.width; i += V::kWidth) {
    const typename V::Float x = V::Mul(V::Load(task.x + i), V::Set(inverse));
    V::Store(task.out + i, V::Mul(x, V::Load(task.weight + i)));
  }
  for (; i < task.width; ++i) {
    task.out[i] = task.x[i] * inverse * task.weight[i];
  }
}

template <class V>
[[gnu::always_inline]] inline void SwigluVector(const float* pairs, float alpha, float limit,
                                                float* out) {
  typename V::Float gate = V::Zero();
  typename V::Float up = V::Zero();
  V::LoadPairs(pairs, gate, up);
  gate = V::Min(V::Set(limit), gate);
  up = V::Max(V::Set(-limit), V::Min(V::Set(limit), up));
  const typename V::Float e = Exp<V>(V::Mul(gate, V::Set(-alpha)));
  const typename V::Float swish = V::Div(gate, V::Add(V::Set(1.0F), e));
  V::Store(out, V::Mul(swish, V::Add(up, V::Set(1.0F))));
}

template <class V>
void Swiglu(const SwigluTask& task) {
  std::size_t i = 0;
  for (; i + V::kWidth <= task.count; i += V::kWidth) {
    SwigluVector<V>(task.pairs + 2 * i, task.alpha, task.limit, task.out + i);
  }
  if (i < task.count) {
    float pairs[2 * V::kWidth] = {};
    float out[V::kWidth];
    __builtin_memcpy(pairs, task.pairs + 2 * i, (task.count - i) * 2 * sizeof(float));
    SwigluVector<V>(pairs, task.alpha, task.limit, out);
    __builtin_memcpy(task.out + i, out, (task.count - i) * sizeof(float));
  }
}

}  // namespace safeguard::engine::cpu
