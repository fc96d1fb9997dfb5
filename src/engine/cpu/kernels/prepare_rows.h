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
  kHalves,  // q = 256 * h + l: 32 bytes h, then 32 bytes l; of 8 bits: 32 bytes
  // As vector_packed.h takes them, by the type of the weights.
  //   kMxfp4: 32 bytes q; of 16 bits q = 256 * h + l: 32 bytes l, then 32 bytes h.
  //   kQ8: q = 16 * h + l likewise; of 16 bits numbers of 16 bits, of every four columns 0, 2,
  //   1, 3.
  // Corrections of bytes: for l, then for h, two numbers of 16 bits modulo 2^16, -12 or -128 times
  // their sums over columns 0 and 1 and over 2 and 3 of every four. Of 16-bit numbers: the first
  // is -128 times the sum.
  kParts,
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

// The parts of q = high * 2^shift + low.
inline void SplitIntegers(const std::int32_t* q, int shift, std::int8_t* low, std::int8_t* high) {
  const std::int32_t half = (1 << shift) / 2;
  for (std::size_t k = 0; k < kPackedBlock; ++k) {
    const std::int32_t above = (q[k] + half) >> shift;
    high[k] = static_cast<std::int8_t>(above);
    low[k] = static_cast<std::int8_t>(q[k] - (above << shift));
  }
}

inline std::int32_t SumOf(const std::int32_t* q) {
  std::int32_t sum = 0;
  for (std::size_t k = 0; k < kPackedBlock; ++k) {
    sum += q[k];
  }
  return sum;
}

// `times` the sums over columns 0 and 1 and over 2 and 3 of every four, as two 16-bit numbers.
inline std::int32_t PairCorrection(const std::int8_t* part, std::int32_t times) {
  std::int32_t sums[4] = {};
  for (std::size_t k = 0; k < kPackedBlock; k += 4) {
    for (std::size_t j = 0; j < 4; ++j) {
      sums[j] += part[k + j];
    }
  }
  const auto first = static_cast<std::uint32_t>(times * (sums[0] + sums[1]));
  const auto second = static_cast<std::uint32_t>(times * (sums[2] + sums[3]));
  return static_cast<std::int32_t>((first & 0xFFFF) | second << 16);
}

// Stores one block's integers and corrections.
inline void StoreParts(const PrepareTask& task, std::size_t block, const std::int32_t* q,
                       std::int32_t* corrections) {
  std::byte* to = task.row + 64 * block;
  const bool wide = task.bits == ActivationBits::k16;
  if (task.type == PackedType::kQ8 && wide) {
    std::int16_t numbers[kPackedBlock];
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      numbers[k] = static_cast<std::int16_t>(q[k % 4 == 0 || k % 4 == 3 ? k : k ^ 3]);
    }
    __builtin_memcpy(to, numbers, sizeof numbers);
    corrections[block] = -128 * SumOf(q);
    return;
  }
  const std::int32_t times = task.type == PackedType::kQ8 ? -128 : -12;
  std::int8_t parts[2 * kPackedBlock];
  if (task.type == PackedType::kMxfp4 && !wide) {
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      parts[k] = static_cast<std::int8_t>(q[k]);
      parts[kPackedBlock + k] = 0;
    }
  } else {
    SplitIntegers(q, wide ? 8 : 4, parts, parts + kPackedBlock);
    corrections[task.blocks + block] = PairCorrection(parts + kPackedBlock, times);
  }
  __builtin_memcpy(to, parts, sizeof parts);
  corrections[block] = PairCorrection(parts, times);
}

inline void StoreHalves(const PrepareTask& task, std::size_t block, const std::int32_t* q,
                        std::int32_t* corrections) {
  std::int8_t halves[2 * kPackedBlock];
  SplitIntegers(q, 8, halves + kPackedBlock, halves);
  if (task.bits == ActivationBits::k8) {
    for (std::size_t k = 0; k < kPackedBlock; ++k) {
      halves[k] = static_cast<std::int8_t>(q[k]);
    }
  }
  __builtin_memcpy(task.row + 64 * block, halves, sizeof halves);
  const std::int32_t sum = SumOf(q);
  corrections[block] = -12 * sum;
  corrections[task.blocks + block] = -128 * sum;
}

inline void StorePlain(const PrepareTask& task, std::size_t block, const std::int32_t* q) {
  std::int16_t numbers[kPackedBlock];
  for (std::size_t k = 0; k < kPackedBlock; ++k) {
    numbers[k] = static_cast<std::int16_t>(q[k]);
  }
  __builtin_memcpy(task.row + 64 * block, numbers, sizeof numbers);
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
    if constexpr (order == IntegerOrder::kParts) {
      StoreParts(task, block, q, corrections);
    } else if constexpr (order == IntegerOrder::kHalves) {
      StoreHalves(task, block, q, corrections);
    } else {
      StorePlain(task, block, q);
    }
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu
