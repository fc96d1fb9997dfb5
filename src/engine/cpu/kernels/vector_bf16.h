// Packed linear layers in bfloat16 for instruction sets without it: the sums of packed_linear.h by
// fused multiply-adds of binary32, written once over a vector type. A chunk of a group's weights is
// widened into the L1 cache once for all rows.
#pragma once

#include <xmmintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/packed_linear.h"

namespace safeguard::engine::cpu {

inline constexpr std::size_t kBf16ChunkBlocks = 8;  // of 2 KB
static_assert(kPackedRowBlock * kPackedOutputs + kBf16ChunkBlocks * kPackedOutputs * kPackedBlock <=
              kPackedScratchFloats);

// Widened weights of a block, as [16 pairs][first, second][vectors of V]. A weight's integer is
// byte `byte` of its output's four.
template <class V, PackedType type, int byte>
[[gnu::always_inline]] inline typename V::Float Bf16Weight(typename V::Int bytes,
                                                           typename V::Float scale) {
  const typename V::Int number =
      V::template Arithmetic32<24>(V::template Left32<24 - 8 * byte>(bytes));
  const typename V::Float weight = V::Mul(V::ToFloat(number), scale);
  if constexpr (type == PackedType::kMxfp4) {
    return weight;
  } else {  // to nearest, ties to even: a normal number or zero
    const typename V::Int bits = V::AsInt(weight);
    const typename V::Int odd = V::And(V::template Right32<16>(bits), V::SetInt(1));
    return V::AsFloat(
        V::And(V::AddInt(V::AddInt(bits, odd), V::SetInt(0x7FFF)), V::SetInt(-0x10000)));
  }
}

// Columns 0 to 3 of four, from vector v of the outputs' integers, become two pairs.
template <class V, PackedType type>
[[gnu::always_inline]] inline void WidenFour(typename V::Int bytes, typename V::Float scale,
                                             float* to, std::size_t v) {
  V::Store(to + v * V::kWidth, Bf16Weight<V, type, 0>(bytes, scale));
  V::Store(to + kPackedOutputs + v * V::kWidth, Bf16Weight<V, type, 2>(bytes, scale));
  V::Store(to + 2 * kPackedOutputs + v * V::kWidth, Bf16Weight<V, type, 1>(bytes, scale));
  V::Store(to + 3 * kPackedOutputs + v * V::kWidth, Bf16Weight<V, type, 3>(bytes, scale));
}

template <class V, PackedType type>
void WidenBf16Block(const std::byte* codes, const std::byte* scales, float* to) {
  for (std::size_t v = 0; v < kPackedOutputs / V::kWidth; ++v) {
    const std::size_t at = v * V::kWidth * 4;
    if constexpr (type == PackedType::kBf16) {
      for (std::size_t pair = 0; pair < kPackedBlock / 2; ++pair) {
        const typename V::Int both = V::LoadInt(codes + 64 * pair + at);
        float* here = to + 2 * pair * kPackedOutputs + v * V::kWidth;
        V::Store(here, V::AsFloat(V::template Left32<16>(both)));
        V::Store(here + kPackedOutputs, V::AsFloat(V::And(both, V::SetInt(-0x10000))));
      }
    } else if constexpr (type == PackedType::kMxfp4) {
      const typename V::Float scale = V::PowersOfTwo(scales + v * V::kWidth);
      const typename V::Int low = V::SetInt(0x0F0F0F0F);
      for (std::size_t i = 0; i < 4; ++i) {
        const typename V::Int pair = V::LoadInt(codes + 64 * i + at);
        float* here = to + 8 * i * kPackedOutputs;
        WidenFour<V, type>(V::E2m1Twice(V::And(pair, low)), scale, here, v);
        WidenFour<V, type>(V::E2m1Twice(V::And(V::template Right16<4>(pair), low)), scale,
                           here + 4 * kPackedOutputs, v);
      }
    } else {
      const typename V::Float scale = V::LoadF16(scales + 2 * v * V::kWidth);
      for (std::size_t i = 0; i < 8; ++i) {
        const typename V::Int biased = V::LoadInt(codes + 64 * i + at);
        // Without a borrow from byte to byte, taking 128 off is turning the highest bit.
        WidenFour<V, type>(V::Xor(biased, V::SetInt(static_cast<std::int32_t>(0x80808080))), scale,
                           to + 4 * i * kPackedOutputs, v);
      }
    }
  }
}

// Blocks [begin, end) of kRows rows, added to `sums`, 16 a row.
template <class V, std::size_t kRows>
void AddBf16Chunk(const std::byte* const* rows, const float* tile, std::size_t begin,
                  std::size_t end, float* sums) {
  constexpr std::size_t kVectors = kPackedOutputs / V::kWidth;
  using Float = typename V::Float;
  for (std::size_t block = begin; block < end; ++block) {
    Float even[kRows][kVectors];
    Float odd[kRows][kVectors];
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        even[r][v] = V::Zero();
        odd[r][v] = V::Zero();
      }
    }
    for (std::size_t pair = 0; pair < kPackedBlock / 2; ++pair, tile += 2 * kPackedOutputs) {
#pragma GCC unroll 4
      for (std::size_t r = 0; r < kRows; ++r) {
        const typename V::Int both = V::RepeatInt(rows[r] + 64 * block + 4 * pair);
        const Float first = V::AsFloat(V::template Left32<16>(both));
        const Float second = V::AsFloat(V::And(both, V::SetInt(-0x10000)));
#pragma GCC unroll 2
        for (std::size_t v = 0; v < kVectors; ++v) {
          even[r][v] = V::MulAdd(first, V::Load(tile + v * V::kWidth), even[r][v]);
          odd[r][v] = V::MulAdd(second, V::Load(tile + kPackedOutputs + v * V::kWidth), odd[r][v]);
        }
      }
    }
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        float* at = sums + r * kPackedOutputs + v * V::kWidth;
        V::Store(at, V::Add(V::Load(at), V::Add(even[r][v], odd[r][v])));
      }
    }
  }
}

template <class V, PackedType type>
[[gnu::noinline]] void Bf16Rows(const PackedTask& task, const std::byte* group, std::size_t row,
                                std::size_t rows, float* sums) {
  constexpr std::size_t kRows = 4;
  float* tile = sums + kPackedRowBlock * kPackedOutputs;
  const std::byte* scales = group + task.blocks * PackedCodeBytes(type);
  for (std::size_t begin = 0; begin < task.blocks; begin += kBf16ChunkBlocks) {
    const std::size_t left = task.blocks - begin;
    const std::size_t end = begin + (left < kBf16ChunkBlocks ? left : kBf16ChunkBlocks);
    for (std::size_t block = begin; block < end; ++block) {
      WidenBf16Block<V, type>(group + block * PackedCodeBytes(type),
                              scales + block * PackedScaleBytes(type),
                              tile + (block - begin) * kPackedOutputs * kPackedBlock);
    }
    std::size_t r = 0;
    for (; r + kRows <= rows; r += kRows) {
      AddBf16Chunk<V, kRows>(task.x + row + r, tile, begin, end, sums + r * kPackedOutputs);
    }
    for (; r < rows; ++r) {
      AddBf16Chunk<V, 1>(task.x + row + r, tile, begin, end, sums + r * kPackedOutputs);
    }
  }
}

template <class V, PackedType type>
void Bf16Groups(const PackedTask& task) {
  float* sums = task.scratch;
  for (std::size_t row = 0; row < task.rows; row += kPackedRowBlock) {
    const std::size_t left = task.rows - row;
    const std::size_t rows = left < kPackedRowBlock ? left : kPackedRowBlock;
    const std::byte* group = task.weights;
    for (std::size_t first = 0; first < task.outputs; first += kPackedOutputs) {
      for (std::size_t i = 0; i < rows * kPackedOutputs; ++i) {
        sums[i] = 0;
      }
      // Subnormals are zero: what the instructions for bfloat16 do by themselves.
      const unsigned before = _mm_getcsr();
      _mm_setcsr(before | 0x8040U);
      Bf16Rows<V, type>(task, group, row, rows, sums);
      _mm_setcsr(before);
      const std::size_t rest = task.outputs - first;
      for (std::size_t r = 0; r < rows; ++r) {
        float* out = task.out + (row + r) * task.out_stride + first;
        for (std::size_t o = 0; o < (rest < kPackedOutputs ? rest : kPackedOutputs); ++o) {
          out[o] = sums[r * kPackedOutputs + o] + task.bias[first + o];
        }
      }
      group += PackedGroupBytes(type, task.blocks);
    }
  }
}

template <class V>
void PackedBf16(const PackedTask& task) {
  if (task.type == PackedType::kMxfp4) {
    Bf16Groups<V, PackedType::kMxfp4>(task);
  } else if (task.type == PackedType::kQ8) {
    Bf16Groups<V, PackedType::kQ8>(task);
  } else {
    Bf16Groups<V, PackedType::kBf16>(task);
  }
}

}  // namespace safeguard::engine::cpu
