// AVX-512 with bfloat16: packed linear layers in bfloat16 by VDPBF16PS, everything else as AVX-512
// with VNNI.
//
// VDPBF16PS adds a pair to a sum as fma(first, fma(second, sum)), to nearest, ties to even, with
// subnormals taken as and made zero. To be fast with one row, pairs go to four sums in turn:
//   sum[i % 4] of pair i of a row, from 0; out = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + bias.
#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/avx512_bf16/bf16_weights.h"
#include "engine/cpu/kernels/avx512_vnni/packed_integers.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/prepare_rows.h"
#include "engine/cpu/kernels/vector_attention.h"
#include "engine/cpu/kernels/vector_linear.h"
#include "engine/cpu/kernels/vector_math.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::size_t kSums = 4;
constexpr std::size_t kRowFloats = kSums * kPackedOutputs;
// Blocks that are unpacked at a time: they stay in the L1 cache for all rows.
constexpr std::size_t kChunk = 8;
static_assert(kPackedRowBlock * kRowFloats + kChunk * kBf16BlockBytes / sizeof(float) <=
              kPackedScratchFloats);

bool Supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

// `count` blocks of kRows rows, from `block`, added to `sums`, kRowFloats a row.
template <std::size_t kRows>
void AddRows(const std::byte* const* rows, std::size_t block, std::size_t count,
             const std::byte* weights, float* sums) {
  __m512 sum[kRows][kSums];
  const std::byte* x[kRows];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < kRows; ++r) {
    x[r] = rows[r] + 64 * block;
#pragma GCC unroll 4
    for (std::size_t s = 0; s < kSums; ++s) {
      sum[r][s] = _mm512_load_ps(sums + r * kRowFloats + s * kPackedOutputs);
    }
  }
  for (std::size_t at = 0; at < 64 * count; at += 4 * kSums, weights += 64 * kSums) {
#pragma GCC unroll 4
    for (std::size_t s = 0; s < kSums; ++s) {
      Prefetch(weights + 64 * s + kAhead);
      const auto pair = __builtin_bit_cast(__m512bh, Load(weights + 64 * s));
#pragma GCC unroll 4
      for (std::size_t r = 0; r < kRows; ++r) {
        const auto repeated = __builtin_bit_cast(__m512bh, Repeat(x[r] + at + 4 * s));
        sum[r][s] = _mm512_dpbf16_ps(sum[r][s], repeated, pair);
      }
    }
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t s = 0; s < kSums; ++s) {
      _mm512_store_ps(sums + r * kRowFloats + s * kPackedOutputs, sum[r][s]);
    }
  }
}

void AddAllRows(const std::byte* const* x, std::size_t rows, std::size_t block, std::size_t count,
                const std::byte* weights, float* sums) {
  std::size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    AddRows<4>(x + r, block, count, weights, sums + r * kRowFloats);
  }
  switch (rows - r) {
    case 3:
      return AddRows<3>(x + r, block, count, weights, sums + r * kRowFloats);
    case 2:
      return AddRows<2>(x + r, block, count, weights, sums + r * kRowFloats);
    case 1:
      return AddRows<1>(x + r, block, count, weights, sums + r * kRowFloats);
    default:
      return;
  }
}

// Outputs from `first` of rows [row, row + rows).
void WriteRows(const PackedTask& task, const float* sums, std::size_t first, std::size_t row,
               std::size_t rows) {
  const __m512 bias = _mm512_loadu_ps(task.bias + first);
  const std::size_t left = task.outputs - first;
  const auto mask = static_cast<__mmask16>(left < kPackedOutputs ? (1U << left) - 1U : 0xFFFFU);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto sum = [&](std::size_t s) {
      return _mm512_load_ps(sums + r * kRowFloats + s * kPackedOutputs);
    };
    const __m512 all = _mm512_add_ps(_mm512_add_ps(sum(0), sum(1)), _mm512_add_ps(sum(2), sum(3)));
    _mm512_mask_storeu_ps(task.out + (row + r) * task.out_stride + first, mask,
                          _mm512_add_ps(all, bias));
  }
}

template <PackedType type>
void Bf16Groups(const PackedTask& task) {
  float* sums = task.scratch;
  auto* room = reinterpret_cast<std::byte*>(sums + kPackedRowBlock * kRowFloats);
  for (std::size_t row = 0; row < task.rows; row += kPackedRowBlock) {
    const std::size_t left = task.rows - row;
    const std::size_t rows = left < kPackedRowBlock ? left : kPackedRowBlock;
    const std::byte* group = task.weights;
    for (std::size_t first = 0; first < task.outputs; first += kPackedOutputs) {
      __builtin_memset(sums, 0, rows * kRowFloats * sizeof(float));
      for (std::size_t begin = 0; begin < task.blocks; begin += kChunk) {
        const std::size_t rest = task.blocks - begin;
        const std::size_t count = rest < kChunk ? rest : kChunk;
        if constexpr (type != PackedType::kBf16) {
          for (std::size_t at = 0; at < count * PackedCodeBytes(type); at += 64) {
            Prefetch(group + begin * PackedCodeBytes(type) + at + kAhead);
          }
        }
        const std::byte* weights = Bf16Weights<type>(task, group, begin, count, room);
        AddAllRows(task.x + row, rows, begin, count, weights, sums);
      }
      WriteRows(task, sums, first, row, rows);
      group += PackedGroupBytes(type, task.blocks);
    }
  }
}

void PackedLinear(const PackedTask& task) {
  if (task.bits != ActivationBits::kBf16) {
    PackedIntegers(task);
  } else if (task.type == PackedType::kMxfp4) {
    Bf16Groups<PackedType::kMxfp4>(task);
  } else if (task.type == PackedType::kQ8) {
    Bf16Groups<PackedType::kQ8>(task);
  } else {
    Bf16Groups<PackedType::kBf16>(task);
  }
}

}  // namespace

const KernelTable kAvx512Bf16Kernels = {
    .name = "avx512bf16",
    .supported = Supported,
    .linear = Linear<Lanes16>,
    .attention = Attention<Lanes16>,
    .rms_norm = RmsNorm<Lanes16>,
    .swiglu = Swiglu<Lanes16>,
    .prepare = Prepare<IntegerOrder::kHalves>,
    .packed_linear = PackedLinear,
};

}  // namespace safeguard::engine::cpu
