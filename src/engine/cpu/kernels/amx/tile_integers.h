// Packed linear layers of integers by tiles of bytes (TDPBSSD): a step of 32 columns, which is one
// block, so that its sum is exact and takes its scale as everywhere (packed_linear.h). In an
// unnamed namespace: for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/amx/tile_memory.h"
#include "engine/cpu/kernels/avx512_vnni/packed_integers.h"
#include "engine/cpu/kernels/packed_linear.h"
#include "engine/tiles/tiles.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

// Rows of a last tile that are worth it: fewer, and a task of less than a tile, go by VNNI, whose
// bits are the same.
constexpr std::size_t kTileRowsLeast = 9;

// A block of weights as a tile: 8 rows of 4 columns of 16 outputs, signed.
template <PackedType type>
void UnpackBytes(const std::byte* codes, std::byte* tile) {
  if constexpr (type == PackedType::kMxfp4) {
    const __m512i table = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12));
    const __m512i low = _mm512_set1_epi8(15);
    for (std::size_t v = 0; v < 4; ++v) {
      const __m512i pair = Load(codes + 64 * v);
      const __m512i second = _mm512_and_si512(_mm512_srli_epi16(pair, 4), low);
      _mm512_store_si512(tile + 128 * v, _mm512_shuffle_epi8(table, _mm512_and_si512(pair, low)));
      _mm512_store_si512(tile + 128 * v + 64, _mm512_shuffle_epi8(table, second));
    }
  } else {
    for (std::size_t v = 0; v < 8; ++v) {
      _mm512_store_si512(tile + 64 * v,
                         _mm512_xor_si512(Load(codes + 64 * v), _mm512_set1_epi8(-128)));
    }
  }
}

// Blocks [begin, begin + count) of a group, unpacked.
struct ByteChunk {
  std::size_t begin;
  std::size_t count;
  const std::byte* tiles;
  const float* scales;  // 16 a block
};

// Adds a chunk of 16 rows, from `row`, to `sums`, 16 a row.
template <ActivationBits bits>
void AddByteTiles(const PackedTask& task, const ByteChunk& chunk, std::size_t row, float* sums) {
  constexpr bool kWide = bits == ActivationBits::k16;
  alignas(64) std::int32_t high[kTileRows * kPackedOutputs];
  alignas(64) std::int32_t low[kTileRows * kPackedOutputs];
  const std::size_t stride = PreparedRowBytes(task.blocks);
  const std::byte* x = task.x[row];
  __m512 out[kTileRows];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kTileRows; ++r) {
    out[r] = _mm512_load_ps(sums + r * kPackedOutputs);
  }
  for (std::size_t i = 0; i < chunk.count; ++i) {
    const std::size_t block = chunk.begin + i;
    SAFEGUARD_TILE_ZERO(0);
    SAFEGUARD_TILE_LOAD(4, x + 64 * block, stride);
    SAFEGUARD_TILE_LOAD(6, chunk.tiles + kByteTileBytes * i, kTileStride);
    SAFEGUARD_TILE_DOT_BYTES(0, 4, 6);
    SAFEGUARD_TILE_STORE(0, high, kTileStride);
    if constexpr (kWide) {
      SAFEGUARD_TILE_ZERO(1);
      SAFEGUARD_TILE_LOAD(5, x + 64 * block + kPackedBlock, stride);
      SAFEGUARD_TILE_DOT_BYTES(1, 5, 6);
      SAFEGUARD_TILE_STORE(1, low, kTileStride);
    }
    const __m512 scale = _mm512_load_ps(chunk.scales + kPackedOutputs * i);
    const std::byte* behind = x + 64 * task.blocks + 4 * block;
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kTileRows; ++r) {
      __m512i sum = _mm512_load_si512(high + r * kPackedOutputs);
      if constexpr (kWide) {
        sum = _mm512_add_epi32(_mm512_slli_epi32(sum, 8),
                               _mm512_load_si512(low + r * kPackedOutputs));
      }
      out[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum),
                               _mm512_mul_ps(RepeatFloat(behind + r * stride), scale), out[r]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kTileRows; ++r) {
    _mm512_store_ps(sums + r * kPackedOutputs, out[r]);
  }
}

// Rows [row, row + rows) of a group, at least 16 of them. The last tile begins where it ends with
// the last row: rows that it shares with the one before are computed twice, to the same bits.
template <PackedType type, ActivationBits bits>
void ByteGroup(const PackedTask& task, const std::byte* group, std::size_t first, std::size_t row,
               std::size_t rows) {
  const TileMemory memory(task.scratch);
  const std::size_t tiles = (rows + kTileRows - 1) / kTileRows;
  const auto begin_of = [&](std::size_t t) {
    return row + (t + 1 < tiles ? t * kTileRows : rows - kTileRows);
  };
  __builtin_memset(memory.sums, 0, tiles * kTileRows * kPackedOutputs * sizeof(float));
  const std::byte* scales = group + task.blocks * PackedCodeBytes(type);
  for (std::size_t begin = 0; begin < task.blocks; begin += kTileChunk) {
    const std::size_t left = task.blocks - begin;
    const std::size_t count = left < kTileChunk ? left : kTileChunk;
    for (std::size_t i = 0; i < count; ++i) {
      UnpackBytes<type>(group + (begin + i) * PackedCodeBytes(type),
                        memory.weights + kByteTileBytes * i);
      const std::byte* scale = scales + (begin + i) * PackedScaleBytes(type);
      _mm512_store_ps(memory.scales + kPackedOutputs * i, type == PackedType::kMxfp4
                                                              ? Lanes16::PowersOfTwo(scale)
                                                              : Lanes16::LoadF16(scale));
    }
    for (std::size_t t = 0; t < tiles; ++t) {
      AddByteTiles<bits>(task, {begin, count, memory.weights, memory.scales}, begin_of(t),
                         memory.sums + t * kTileRows * kPackedOutputs);
    }
  }
  for (std::size_t t = 0; t < tiles; ++t) {
    WriteSums(task, memory.sums + t * kTileRows * kPackedOutputs, kPackedOutputs, first,
              begin_of(t), kTileRows);
  }
}

template <PackedType type, ActivationBits bits>
void ByteGroups(const PackedTask& task) {
  TileConfig config;
  config.rows[0] = config.rows[1] = config.rows[4] = config.rows[5] = kTileRows;
  config.row_bytes[0] = config.row_bytes[1] = kTileStride;  // sums
  config.row_bytes[4] = config.row_bytes[5] = kPackedBlock;
  config.rows[6] = kPackedBlock / 4;
  config.row_bytes[6] = kTileStride;
  TileConfigure(config);
  for (std::size_t row = 0; row < task.rows; row += kTileRowBlock) {
    const std::size_t left = task.rows - row;
    const std::size_t rows = left < kTileRowBlock ? left : kTileRowBlock;
    // Of a last piece of a row block too few to fill a tile: VNNI takes them.
    const std::size_t rest = rows % kTileRows < kTileRowsLeast ? rows % kTileRows : 0;
    const std::byte* group = task.weights;
    for (std::size_t first = 0; first < task.outputs; first += kPackedOutputs) {
      if (rows < kTileRows) {
        RowTiles<type, bits, 1>(task, group, first, row, rows);
      } else {
        ByteGroup<type, bits>(task, group, first, row, rows - rest);
        RowTiles<type, bits, 1>(task, group, first, row + rows - rest, rest);
      }
      group += PackedGroupBytes(type, task.blocks);
    }
  }
  TileRelease();
}

inline void TileIntegers(const PackedTask& task) {
  const bool wide = task.bits == ActivationBits::k16;
  if (task.rows < kTileRows) {
    PackedIntegers(task);
  } else if (task.type == PackedType::kMxfp4) {
    wide ? ByteGroups<PackedType::kMxfp4, ActivationBits::k16>(task)
         : ByteGroups<PackedType::kMxfp4, ActivationBits::k8>(task);
  } else {
    wide ? ByteGroups<PackedType::kQ8, ActivationBits::k16>(task)
         : ByteGroups<PackedType::kQ8, ActivationBits::k8>(task);
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu
