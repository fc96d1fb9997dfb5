// Activations become integers or bfloat16 (packed_linear.h): plain C++ that a compiler turns into
// vectors, the same bits for every instruction set. In an unnamed namespace: each kernel folder
// compiles its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/bf16_rounding.h"
#include "engine/cpu/kernels/packed_linear.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

enum class IntegerOrder : std::uint8_t {
  kPlain,   // 32 numbers of 16 bits
  kPairs,   // of every four columns 0, 2, 1, 3: 16 bits each
  kHalves,  // q = 256 * h + l: 32 bytes h, then 32 bytes l; of 8 bits: 32 bytes
};

// q and s of one block.
inline float QuantizeBlock(const float* x, float limit, std::int32_t* q) {
  std::int32_t largest = 0;
  for (std::size_t k = 0; k < kPackedBlock; ++k) {
    const std::int32_t bits = __builtin_bit_cast(std::int32_t, x[k]) & 0x7FFFFFFF;
    largest = bits > largest ? bits : largest;
  }
  constexpr std::int32_t kInfinity = 0x7F800000;
  constexpr std::int32_t kLeast = (127 - 100) << 23;  // 2^-100
  if (largest >= kInfinity || largest < kLeast) {
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      q[k] = 0;
    }
    return largest < kLeast ? 0.0F : __builtin_nanf("");
  }
  const float most = __builtin_bit_cast(float, largest);
  const float inverse = limit / most;
  constexpr float kRound = 12'582'912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  for (std::size_t k = 0; k < kPackedBlock; ++k) {
    q[k] = __builtin_bit_cast(std::int32_t, x[k] * inverse + kRound) -
           __builtin_bit_cast(std::int32_t, kRound);
  }
  return most / limit;
}

template <IntegerOrder order>
void StoreIntegers(const std::int32_t* q, ActivationBits bits, std::byte* to) {
  if constexpr (order == IntegerOrder::kHalves) {
    std::int8_t halves[2 * kPackedBlock];
    const bool wide = bits == ActivationBits::k16;
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      const std::int32_t high = (q[k] + 128) >> 8;
      halves[k] = static_cast<std::int8_t>(wide ? high : q[k]);
      halves[kPackedBlock + k] = static_cast<std::int8_t>(q[k] - 256 * high);
    }
    __builtin_memcpy(to, halves, sizeof halves);
  } else {
    std::int16_t numbers[kPackedBlock];
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      const std::size_t at = order == IntegerOrder::kPlain || k % 4 == 0 || k % 4 == 3 ? k : k ^ 3;
      numbers[k] = static_cast<std::int16_t>(q[at]);
    }
    __builtin_memcpy(to, numbers, sizeof numbers);
  }
}

inline void PrepareBf16(const PrepareTask& task) {
  for (std::size_t block = 0; block < task.blocks; ++block) {
    const float* x = task.x + block * kPackedBlock;
    std::uint16_t rounded[kPackedBlock];
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      rounded[k] = RoundToBf16(x[k]);
    }
    std::uint16_t numbers[kPackedBlock];
    for (std::uint32_t at = 0; at < kPackedBlock; ++at) {
      numbers[at] = rounded[Bf16Column(at)];
    }
    __builtin_memcpy(task.row + 64 * block, numbers, sizeof numbers);
  }
}

template <IntegerOrder order>
void Prepare(const PrepareTask& task) {
  if (task.bits == ActivationBits::kBf16) {
    PrepareBf16(task);
    return;
  }
  const float limit = task.bits == ActivationBits::k16 ? 32'639.0F : 127.0F;
  auto* scales = reinterpret_cast<float*>(task.row + 64 * task.blocks);
  auto* corrections = reinterpret_cast<std::int32_t*>(scales + task.blocks);
  for (std::size_t block = 0; block < task.blocks; ++block) {
    std::int32_t q[kPackedBlock];
    scales[block] = QuantizeBlock(task.x + block * kPackedBlock, limit, q);
    std::int32_t sum = 0;
    for (const std::int32_t number : q) {
      sum += number;
    }
    corrections[block] = -12 * sum;
    corrections[task.blocks + block] = -128 * sum;
    StoreIntegers<order>(q, task.bits, task.row + 64 * block);
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu
