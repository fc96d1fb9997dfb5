// Packed linear layers of integers by multiply-adds of bytes, for instruction sets without VNNI,
// written once over a vector type.
//
// Weights are bytes plus an offset, never negative (MXFP4: 0 to 24, Q8_0: 0 to 255); a row's
// integers are one part of a byte, or two (prepare_rows.h):
//   MXFP4: 8 bits q; 16 bits 256 * h + l.
//   Q8_0: 8 bits 16 * h + l, so that l and h are 8 at most.
// Two products are added into 16 bits, 2 * 24 * 128 or 2 * 255 * 8 at most. A block's sums of these
// may wrap around, because they begin with minus the offset's share: what they end with is a sum of
// 16 products of true weights, 16 * 12 * 128 or 16 * 128 * 8 at most, which 16 bits hold.
// Q8_0 with 16 bits: words of 16 bits, whose products are added into 32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/packed_linear.h"
#include "engine/cpu/kernels/prepare_rows.h"
#include "engine/cpu/kernels/vector_bf16.h"

namespace safeguard::engine::cpu {

inline constexpr std::size_t kChunkBlocks = 8;  // their unpacked weights stay in the L1 cache

template <class V, PackedType packed_type, ActivationBits bits>
struct PackedKind {
  using Vector = V;
  static constexpr PackedType kType = packed_type;
  static constexpr bool kMxfp4 = kType == PackedType::kMxfp4;
  static constexpr bool kWords = !kMxfp4 && bits == ActivationBits::k16;
  static constexpr std::size_t kParts = kMxfp4 == (bits == ActivationBits::k16) ? 2 : 1;
  static constexpr std::int32_t kHigh = kMxfp4 ? 256 : 16;  // what the second part counts
  static constexpr std::size_t kVectors = kPackedOutputs / V::kWidth;
  static constexpr std::size_t kBytes = V::kWidth * 4;  // of a vector
  // Rows whose sums fill the registers.
  static constexpr std::size_t kMostRows = V::kPackedRows / kParts;
  // Weights as the inner loop takes them: 64 bytes a step, of four columns or, in words, two.
  static constexpr std::size_t kReadyBytes = kWords ? 1024 : 512;
  static constexpr bool kPackedReady = !kMxfp4 && !kWords;
  static_assert(kPackedRowBlock * kPackedOutputs * 4 + kChunkBlocks * kReadyBytes <=
                kPackedScratchFloats * 4);
};

// A block's sums of kRows rows.
template <class Kind, std::size_t kRows>
struct PackedSums {
  using V = typename Kind::Vector;
  using Weights = typename V::Int[Kind::kVectors];
  typename V::Int part[Kind::kParts][kRows][Kind::kVectors];

  // From what stands for the weights' offset.
  [[gnu::always_inline]] void Begin(const std::byte* const* x, std::size_t blocks,
                                    std::size_t block) {
#pragma GCC unroll 2
    for (std::size_t p = 0; p < Kind::kParts; ++p) {
#pragma GCC unroll 16
      for (std::size_t r = 0; r < kRows; ++r) {
        const auto offset = V::RepeatInt(x[r] + (64 + 4 * (1 + p)) * blocks + 4 * block);
#pragma GCC unroll 2
        for (std::size_t v = 0; v < Kind::kVectors; ++v) {
          part[p][r][v] = offset;
        }
      }
    }
  }
  [[gnu::always_inline]] void Add(std::size_t step, const Weights& weights,
                                  const std::byte* const* x, std::size_t block) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (std::size_t p = 0; p < Kind::kParts; ++p) {
        const auto numbers = V::RepeatInt(x[r] + 64 * block + kPackedBlock * p + 4 * step);
#pragma GCC unroll 2
        for (std::size_t v = 0; v < Kind::kVectors; ++v) {
          typename V::Int& sum = part[p][r][v];
          if constexpr (Kind::kWords) {
            sum = V::AddInt(sum, V::MulAdd16(weights[v], numbers));
          } else {
            sum = V::Add16(sum, V::MulAddBytes(weights[v], numbers));
          }
          V::ComputeNow(sum);
        }
      }
    }
  }
  [[gnu::always_inline]] typename V::Float Total(std::size_t r, std::size_t v) const {
    if constexpr (Kind::kWords) {
      return V::ToFloat(part[0][r][v]);
    } else {
      auto total = V::MulAdd16(part[0][r][v], V::SetInt(0x00010001));
      if constexpr (Kind::kParts == 2) {
        const auto high = V::SetInt(Kind::kHigh * 0x00010001);
        total = V::AddInt(total, V::MulAdd16(part[1][r][v], high));
      }
      return V::ToFloat(total);
    }
  }
};

// Calls `take` with every step of a block of packed codes, its number and weights, and asks memory
// for what comes 4 KB behind: over the next page's edge in time.
template <class Kind, class Take>
[[gnu::always_inline]] inline void UnpackBlock(const std::byte* codes, const Take& take) {
  using V = typename Kind::Vector;
  constexpr std::size_t kLines = PackedCodeBytes(Kind::kType) / 64;
  const auto low = V::SetInt(Kind::kMxfp4 ? 0x0F0F0F0F : 0x00FF00FF);
#pragma GCC unroll 8
  for (std::size_t line = 0; line < kLines; ++line) {
    V::Prefetch(codes + line * 64 + 4096);
    typename V::Int both[Kind::kVectors];
    typename V::Int weights[Kind::kVectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Kind::kVectors; ++v) {
      both[v] = V::LoadInt(codes + line * 64 + v * Kind::kBytes);
      if constexpr (Kind::kMxfp4) {
        weights[v] = V::E2m1TwicePlus12(V::And(both[v], low));
      } else {
        weights[v] = Kind::kWords ? V::And(both[v], low) : both[v];
      }
    }
    if constexpr (Kind::kPackedReady) {
      take(line, weights);
    } else {
      take(2 * line, weights);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Kind::kVectors; ++v) {
        if constexpr (Kind::kMxfp4) {
          weights[v] = V::E2m1TwicePlus12(V::And(V::template Right16<4>(both[v]), low));
        } else {
          weights[v] = V::template Right16<8>(both[v]);
        }
      }
      take(2 * line + 1, weights);
    }
  }
}

// The same of a block's unpacked weights.
template <class Kind, class Take>
[[gnu::always_inline]] inline void ReadBlock(const std::byte* ready, const Take& take) {
  using V = typename Kind::Vector;
#pragma GCC unroll 16
  for (std::size_t step = 0; step < Kind::kReadyBytes / 64; ++step) {
    typename V::Int weights[Kind::kVectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Kind::kVectors; ++v) {
      weights[v] = V::LoadInt(ready + step * 64 + v * Kind::kBytes);
    }
    take(step, weights);
  }
}

template <class Kind>
[[gnu::always_inline]] inline typename Kind::Vector::Float PackedScale(const std::byte* scales,
                                                                       std::size_t v) {
  using V = typename Kind::Vector;
  if constexpr (Kind::kMxfp4) {
    return V::PowersOfTwo(scales + v * V::kWidth);
  } else {
    return V::LoadF16(scales + 2 * v * V::kWidth);
  }
}

// Where the weights of a group's blocks [begin, end) stand.
struct PackedSpan {
  const std::byte* weights;  // of block `begin`
  const std::byte* scales;   // of the group
  std::size_t begin;
  std::size_t end;
};

// Adds the blocks of `span` to kRows rows' `sums`, 16 a row. The weights are packed codes or, if
// `ready`, unpacked.
template <class Kind, bool ready, std::size_t kRows>
[[gnu::noinline]] void AddPacked(const PackedTask& task, const std::byte* const* rows,
                                 const PackedSpan& span, float* sums) {
  using V = typename Kind::Vector;
  const std::byte* x[kRows];
  typename V::Float out[kRows][Kind::kVectors];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    x[r] = rows[r];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Kind::kVectors; ++v) {
      out[r][v] = V::Load(sums + r * kPackedOutputs + v * V::kWidth);
    }
  }
  const std::byte* weights = span.weights;
  const std::byte* scales = span.scales + span.begin * PackedScaleBytes(Kind::kType);
  for (std::size_t block = span.begin; block < span.end; ++block) {
    PackedSums<Kind, kRows> of_block;
    of_block.Begin(x, task.blocks, block);
    const auto take = [&](std::size_t step, const auto& of_step)
                          __attribute__((always_inline)) { of_block.Add(step, of_step, x, block); };
    if constexpr (ready) {
      ReadBlock<Kind>(weights, take);
      weights += Kind::kReadyBytes;
    } else {
      V::Prefetch(scales + PackedGroupBytes(Kind::kType, task.blocks));  // of the next group
      UnpackBlock<Kind>(weights, take);
      weights += PackedCodeBytes(Kind::kType);
    }
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Kind::kVectors; ++v) {
      const auto scale = PackedScale<Kind>(scales, v);
#pragma GCC unroll 16
      for (std::size_t r = 0; r < kRows; ++r) {
        const auto both = V::Mul(V::RepeatFloat(x[r] + 64 * task.blocks + 4 * block), scale);
        out[r][v] = V::MulAdd(of_block.Total(r, v), both, out[r][v]);
      }
    }
    scales += PackedScaleBytes(Kind::kType);
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Kind::kVectors; ++v) {
      V::Store(sums + r * kPackedOutputs + v * V::kWidth, out[r][v]);
    }
  }
}

// AddPacked of `rows` rows, kMost at most.
template <class Kind, bool ready, std::size_t kMost = Kind::kMostRows>
void AddRows(const PackedTask& task, const std::byte* const* x, std::size_t rows,
             const PackedSpan& span, float* sums) {
  if (rows == kMost) {
    AddPacked<Kind, ready, kMost>(task, x, span, sums);
  } else if constexpr (kMost > 1) {
    AddRows<Kind, ready, kMost - 1>(task, x, rows, span, sums);
  }
}

// Unpacks the chunk `span` once for many rows.
template <class Kind>
const std::byte* UnpackChunk(const PackedTask& task, const PackedSpan& span) {
  using V = typename Kind::Vector;
  auto* ready = reinterpret_cast<std::byte*>(task.scratch + kPackedRowBlock * kPackedOutputs);
  const std::byte* codes = span.weights;
  for (std::size_t block = 0; block < span.end - span.begin; ++block) {
    std::byte* to = ready + block * Kind::kReadyBytes;
    UnpackBlock<Kind>(codes, [to](std::size_t step, const auto& weights) {
      for (std::size_t v = 0; v < Kind::kVectors; ++v) {
        V::StoreInt(to + step * 64 + v * Kind::kBytes, weights[v]);
      }
    });
    codes += PackedCodeBytes(Kind::kType);
  }
  return ready;
}

// Rows go over a chunk of weights in tiles as even as can be. Where there is nothing to unpack the
// first tile asks memory for what comes.
template <class Kind>
void AddChunk(const PackedTask& task, const std::byte* const* x, std::size_t rows, PackedSpan span,
              float* sums) {
  if constexpr (!Kind::kPackedReady) {
    span.weights = UnpackChunk<Kind>(task, span);
  }
  for (bool first = true; rows > 0; first = false) {
    const std::size_t tiles = (rows + Kind::kMostRows - 1) / Kind::kMostRows;
    const std::size_t count = (rows + tiles - 1) / tiles;
    if (Kind::kPackedReady && first) {
      AddRows<Kind, false>(task, x, count, span, sums);
    } else {
      AddRows<Kind, true>(task, x, count, span, sums);
    }
    x += count;
    rows -= count;
    sums += count * kPackedOutputs;
  }
}

template <class Kind>
void PackedRows(const PackedTask& task, const std::byte* group, std::size_t first, std::size_t row,
                std::size_t rows) {
  float* sums = task.scratch;
  for (std::size_t i = 0; i < rows * kPackedOutputs; ++i) {
    sums[i] = 0;
  }
  const std::byte* scales = group + task.blocks * PackedCodeBytes(Kind::kType);
  if (rows <= Kind::kMostRows) {
    AddRows<Kind, false>(task, task.x + row, rows, {group, scales, 0, task.blocks}, sums);
  } else {
    for (std::size_t begin = 0; begin < task.blocks; begin += kChunkBlocks) {
      const std::size_t left = task.blocks - begin;
      const std::size_t end = begin + (left < kChunkBlocks ? left : kChunkBlocks);
      AddChunk<Kind>(task, task.x + row, rows,
                     {group + begin * PackedCodeBytes(Kind::kType), scales, begin, end}, sums);
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

template <class V, PackedType type, ActivationBits bits>
void PackedGroups(const PackedTask& task) {
  for (std::size_t row = 0; row < task.rows; row += kPackedRowBlock) {
    const std::size_t left = task.rows - row;
    const std::size_t rows = left < kPackedRowBlock ? left : kPackedRowBlock;
    const std::byte* group = task.weights;
    for (std::size_t first = 0; first < task.outputs; first += kPackedOutputs) {
      PackedRows<PackedKind<V, type, bits>>(task, group, first, row, rows);
      group += PackedGroupBytes(type, task.blocks);
    }
  }
}

template <class V>
void PackedLinear(const PackedTask& task) {
  const bool wide = task.bits == ActivationBits::k16;
  if (task.bits == ActivationBits::kBf16) {
    PackedBf16<V>(task);
  } else if (task.type == PackedType::kMxfp4) {
    wide ? PackedGroups<V, PackedType::kMxfp4, ActivationBits::k16>(task)
         : PackedGroups<V, PackedType::kMxfp4, ActivationBits::k8>(task);
  } else {
    wide ? PackedGroups<V, PackedType::kQ8, ActivationBits::k16>(task)
         : PackedGroups<V, PackedType::kQ8, ActivationBits::k8>(task);
  }
}

}  // namespace safeguard::engine::cpu
