// Packed linear layers by multiply-adds of 16-bit integers, for instruction sets without VNNI,
// written once over a vector type. A chunk of a group's weights is widened into the L1 cache once
// for all rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/packed_linear.h"
#include "engine/cpu/kernels/prepare_rows.h"
#include "engine/cpu/kernels/vector_bf16.h"

namespace safeguard::engine::cpu {

inline constexpr std::size_t kChunkBlocks = 8;  // 16 blocks of 1 KB: scratch holds them
inline constexpr std::size_t kWideBlockBytes = kPackedOutputs * kPackedBlock * 2;
static_assert(kPackedRowBlock * kPackedOutputs * 4 + kChunkBlocks * kWideBlockBytes <=
              kPackedScratchFloats * 4);

// 16-bit weights of a block, as [8 steps of 4 columns][columns 0 and 2, 1 and 3][vectors of V].
template <class V, PackedType type>
void WidenBlock(const std::byte* codes, std::byte* to) {
  constexpr std::size_t kVectors = kPackedOutputs / V::kWidth;
  constexpr std::size_t kBytes = V::kWidth * 4;
  const auto store = [&](std::size_t step, std::size_t v, typename V::Int bytes) {
    std::byte* at = to + (step * 2 * kVectors + v) * kBytes;
    if constexpr (type == PackedType::kMxfp4) {
      V::StoreInt(at, V::template Arithmetic16<8>(V::template Left16<8>(bytes)));
      V::StoreInt(at + kVectors * kBytes, V::template Arithmetic16<8>(bytes));
    } else {
      V::StoreInt(at, V::And(bytes, V::SetInt(0x00FF00FF)));
      V::StoreInt(at + kVectors * kBytes, V::template Right16<8>(bytes));
    }
  };
  for (std::size_t v = 0; v < kVectors; ++v) {
    if constexpr (type == PackedType::kMxfp4) {
      for (std::size_t i = 0; i < 4; ++i) {
        const typename V::Int pair = V::LoadInt(codes + i * 64 + v * kBytes);
        const typename V::Int low = V::SetInt(0x0F0F0F0F);
        store(2 * i, v, V::E2m1Twice(V::And(pair, low)));
        store(2 * i + 1, v, V::E2m1Twice(V::And(V::template Right16<4>(pair), low)));
      }
    } else {
      for (std::size_t step = 0; step < 8; ++step) {
        store(step, v, V::LoadInt(codes + step * 64 + v * kBytes));
      }
    }
  }
}

template <class V, PackedType type>
[[gnu::always_inline]] inline typename V::Float PackedScale(const std::byte* scales) {
  if constexpr (type == PackedType::kMxfp4) {
    return V::PowersOfTwo(scales);
  } else {
    return V::LoadF16(scales);
  }
}

// Blocks [begin, end) of kRows rows, added to `sums`, 16 a row.
template <class V, PackedType type, std::size_t kRows>
void AddChunk(const PackedTask& task, const std::byte* const* rows, const std::byte* scales,
              const std::byte* tile, std::size_t begin, std::size_t end, float* sums) {
  constexpr std::size_t kVectors = kPackedOutputs / V::kWidth;
  constexpr std::size_t kBytes = V::kWidth * 4;
  const std::byte* x[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    x[r] = rows[r];
  }
  for (std::size_t block = begin; block < end; ++block, tile += kWideBlockBytes) {
    typename V::Int sum[kRows][kVectors];
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        sum[r][v] = V::SetInt(0);
      }
    }
    for (std::size_t step = 0; step < 16; ++step) {
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        const typename V::Int pair = V::RepeatInt(x[r] + block * 64 + step * 4);
#pragma GCC unroll 2
        for (std::size_t v = 0; v < kVectors; ++v) {
          const typename V::Int weights = V::LoadInt(tile + (step * kVectors + v) * kBytes);
          sum[r][v] = V::AddInt(sum[r][v], V::MulAdd16(weights, pair));
        }
      }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::byte* behind = x[r] + 64 * task.blocks + 4 * block;
      const typename V::Float scale = V::RepeatFloat(behind);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < kVectors; ++v) {
        const typename V::Float of_weights =
            PackedScale<V, type>(scales + block * PackedScaleBytes(type) +
                                 v * V::kWidth * PackedScaleBytes(type) / kPackedOutputs);
        if constexpr (type == PackedType::kQ8) {
          sum[r][v] = V::AddInt(sum[r][v], V::RepeatInt(behind + 8 * task.blocks));
        }
        float* at = sums + r * kPackedOutputs + v * V::kWidth;
        V::Store(at, V::MulAdd(V::ToFloat(sum[r][v]), V::Mul(scale, of_weights), V::Load(at)));
      }
    }
  }
}

template <class V, PackedType type>
void PackedRows(const PackedTask& task, const std::byte* group, std::size_t first, std::size_t row,
                std::size_t rows) {
  float* sums = task.scratch;
  auto* tile = reinterpret_cast<std::byte*>(sums + kPackedRowBlock * kPackedOutputs);
  for (std::size_t i = 0; i < rows * kPackedOutputs; ++i) {
    sums[i] = 0;
  }
  const std::byte* scales = group + task.blocks * PackedCodeBytes(type);
  for (std::size_t begin = 0; begin < task.blocks; begin += kChunkBlocks) {
    const std::size_t end = begin + kChunkBlocks < task.blocks ? begin + kChunkBlocks : task.blocks;
    for (std::size_t block = begin; block < end; ++block) {
      WidenBlock<V, type>(group + block * PackedCodeBytes(type),
                          tile + (block - begin) * kWideBlockBytes);
    }
    std::size_t r = 0;
    for (; r + V::kPackedRows <= rows; r += V::kPackedRows) {
      AddChunk<V, type, V::kPackedRows>(task, task.x + row + r, scales, tile, begin, end,
                                        sums + r * kPackedOutputs);
    }
    for (; r < rows; ++r) {
      AddChunk<V, type, 1>(task, task.x + row + r, scales, tile, begin, end,
                           sums + r * kPackedOutputs);
    }
  }
  const std::size_t left = task.outputs - first;
  const std::size_t count = left < kPackedOutputs ? left : kPackedOutputs;
  for (std::size_t r = 0; r < rows; ++r) {
    float* out = task.out + (row + r) * task.out_stride + first;
    for (std::size_t o = 0; o < count; ++o) {
      out[o] = sums[r * kPackedOutputs + o] + task.bias[first + o];
    }
  }
}

template <class V, PackedType type>
void PackedGroups(const PackedTask& task) {
  for (std::size_t row = 0; row < task.rows; row += kPackedRowBlock) {
    const std::size_t left = task.rows - row;
    const std::byte* group = task.weights;
    for (std::size_t first = 0; first < task.outputs; first += kPackedOutputs) {
      PackedRows<V, type>(task, group, first, row, left < kPackedRowBlock ? left : kPackedRowBlock);
      group += PackedGroupBytes(type, task.blocks);
    }
  }
}

template <class V>
void PackedLinear(const PackedTask& task) {
  if (task.bits == ActivationBits::kBf16) {
    PackedBf16<V>(task);
  } else if (task.type == PackedType::kMxfp4) {
    PackedGroups<V, PackedType::kMxfp4>(task);
  } else {
    PackedGroups<V, PackedType::kQ8>(task);
  }
}

}  // namespace safeguard::engine::cpu
