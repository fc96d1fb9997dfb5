// How the tile kernels cut a task, and where they keep what they unpack. In an unnamed namespace:
// for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "engine/cpu/kernels/packed_linear.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kTileStride = 64;  // bytes of a row of weights or sums
// Blocks of integers that are unpacked at a time: they stay in the L1 cache for all rows.
constexpr std::size_t kTileChunk = 10;
// Rows that share an unpacked chunk.
constexpr std::size_t kTileRowBlock = 128;
constexpr std::size_t kByteTileBytes = kPackedOutputs * kPackedBlock;

// Not std::min: nothing compiled for AMX may be shared.
constexpr std::size_t Least(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}

struct TileMemory {
  static constexpr std::size_t kWeightsAt =
      2 * kTileRowBlock * kPackedOutputs + kTileChunk * kPackedOutputs;
  explicit TileMemory(float* scratch)
      : sums(scratch),
        scales(sums + 2 * kTileRowBlock * kPackedOutputs),
        weights(reinterpret_cast<std::byte*>(scratch + kWeightsAt)) {}
  float* sums;         // of a row block, 32 outputs
  float* scales;       // of a chunk
  std::byte* weights;  // of a chunk: 32 outputs of two bytes
};
static_assert(TileMemory::kWeightsAt +
                  2 * kTileChunk * PackedCodeBytes(PackedType::kBf16) / sizeof(float) <=
              kPackedScratchFloats);

// Rows [row, row + rows) of 16 outputs from `first`, with their bias. Asks for the lines of the
// next two groups' outputs, which would else be waited for when they are written.
inline void WriteSums(const PackedTask& task, const float* sums, std::size_t stride,
                      std::size_t first, std::size_t row, std::size_t rows) {
  const __m512 bias = _mm512_loadu_ps(task.bias + first);
  const std::size_t left = task.outputs - first;
  const auto mask = static_cast<__mmask16>(left < kPackedOutputs ? (1U << left) - 1U : 0xFFFFU);
  for (std::size_t r = 0; r < rows; ++r) {
    float* out = task.out + (row + r) * task.out_stride + first;
    __builtin_prefetch(out + 2 * kPackedOutputs, 1);
    _mm512_mask_storeu_ps(out, mask, _mm512_add_ps(_mm512_load_ps(sums + r * stride), bias));
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu
