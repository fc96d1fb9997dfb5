// AMX: linear layers in bf16 tiles with binary32 sums, everything else as AVX-512.
//
// Packed weights: for each 16 outputs, for each 32 inputs, one tile of 1 KiB: 16 pairs of inputs by
// 16 outputs. Prepared rows: bf16 row-major, filled up with zero rows to a multiple of 32.
#include "engine/encoder/kernels/avx512/lanes.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/encoder/kernels/vector_attention.h"
#include "engine/encoder/kernels/vector_math.h"
#include "engine/tiles/tiles.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kTileInputs = 32;
constexpr std::size_t kTileOutputs = 16;
constexpr std::size_t kTileNumbers = kTileInputs * kTileOutputs;  // of one tile of weights
constexpr std::size_t kRowsAtOnce = 2 * kTileRows;
constexpr std::size_t kOutputsAtOnce = 2 * kTileOutputs;
constexpr std::size_t kTileStride = 64;  // bytes of a row of any tile

bool Supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && TilesSupported();
}

std::size_t PackedBytes(std::size_t outputs, std::size_t inputs, InputKind /*kind*/) {
  return outputs * inputs * sizeof(std::uint16_t);
}

// Cache lines of their own, and not a power of two apart.
constexpr std::size_t RowBytes(std::size_t inputs) {
  return RoundUp(inputs * sizeof(std::uint16_t), 64) + 64;
}

std::size_t PreparedBytes(std::size_t rows, std::size_t inputs, InputKind /*kind*/) {
  return RoundUp(rows, kRowsAtOnce) * RowBytes(inputs);
}

// To nearest, ties to even. REQUIRES: finite numbers.
void ToBf16(const float* from, std::size_t count, std::uint16_t* to) {
  for (std::size_t i = 0; i < count; i += Lanes16::kWidth) {
    const __m512i bits = _mm512_castps_si512(_mm512_loadu_ps(from + i));
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7FFF));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
  }
}

void PackWeights(const PackTask& task) {
  auto* packed = reinterpret_cast<std::uint16_t*>(task.packed);
  alignas(64) std::uint16_t numbers[kTileInputs];
  const std::size_t tiles = task.inputs / kTileInputs;
  for (std::size_t c = 0; c < task.count; ++c) {
    const std::size_t output = task.first + c;
    for (std::size_t t = 0; t < tiles; ++t) {
      ToBf16(task.rows + c * task.inputs + t * kTileInputs, kTileInputs, numbers);
      std::uint16_t* tile = packed + (output / kTileOutputs * tiles + t) * kTileNumbers;
      for (std::size_t i = 0; i < kTileInputs; i += 2) {
        std::memcpy(tile + i * kTileOutputs + output % kTileOutputs * 2, numbers + i,
                    2 * sizeof(std::uint16_t));
      }
    }
  }
}

void PrepareRows(const PrepareTask& task) {
  const std::size_t row_bytes = RowBytes(task.inputs);
  std::byte* to = task.prepared + task.column_begin * sizeof(std::uint16_t);
  for (std::size_t r = 0; r < task.rows; ++r) {
    ToBf16(task.x + r * task.x_stride, task.columns,
           reinterpret_cast<std::uint16_t*>(to + r * row_bytes));
  }
  for (std::size_t r = task.rows; r < RoundUp(task.rows, kRowsAtOnce); ++r) {
    std::memset(to + r * row_bytes, 0, task.columns * sizeof(std::uint16_t));
  }
}

void PrepareGelu(const PrepareTask& task) {
  for (std::size_t r = 0; r < task.rows; ++r) {
    Gelu<Lanes16>(task.x + r * task.x_stride, task.columns);
  }
  PrepareRows(task);
}

TileConfig FullTiles() {
  TileConfig config;
  for (std::size_t tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = kTileStride;
    config.rows[tile] = kTileRows;
  }
  return config;
}

// sums = 32 rows by 32 outputs, row-major. `weights` of the first 16 outputs; the next 16 stand
// `tiles` tiles behind.
void SumTiles(const std::byte* rows, std::size_t row_bytes, const std::uint16_t* weights,
              std::size_t tiles, float* sums) {
  SAFEGUARD_TILE_ZERO(0);
  SAFEGUARD_TILE_ZERO(1);
  SAFEGUARD_TILE_ZERO(2);
  SAFEGUARD_TILE_ZERO(3);
  const std::uint16_t* next = weights + tiles * kTileNumbers;
  for (std::size_t t = 0; t < tiles; ++t) {
    // Zeroed after its last use, a tile gives its physical register back: few are left while the
    // core's other hyperthread works.
    SAFEGUARD_TILE_LOAD(4, rows + t * kTileStride, row_bytes);
    SAFEGUARD_TILE_LOAD(6, weights + t * kTileNumbers, kTileStride);
    SAFEGUARD_TILE_DOT(0, 4, 6);
    SAFEGUARD_TILE_LOAD(7, next + t * kTileNumbers, kTileStride);
    SAFEGUARD_TILE_DOT(1, 4, 7);
    SAFEGUARD_TILE_ZERO(4);
    SAFEGUARD_TILE_LOAD(5, rows + kTileRows * row_bytes + t * kTileStride, row_bytes);
    SAFEGUARD_TILE_DOT(2, 5, 6);
    SAFEGUARD_TILE_ZERO(6);
    SAFEGUARD_TILE_DOT(3, 5, 7);
    SAFEGUARD_TILE_ZERO(5);
    SAFEGUARD_TILE_ZERO(7);
  }
  constexpr std::size_t kSumStride = kOutputsAtOnce * sizeof(float);
  SAFEGUARD_TILE_STORE(0, sums, kSumStride);
  SAFEGUARD_TILE_STORE(1, sums + kTileOutputs, kSumStride);
  SAFEGUARD_TILE_STORE(2, sums + kTileRows * kOutputsAtOnce, kSumStride);
  SAFEGUARD_TILE_STORE(3, sums + kTileRows * kOutputsAtOnce + kTileOutputs, kSumStride);
}

void Multiply(const MultiplyTask& task) {
  alignas(64) float sums[kRowsAtOnce * kOutputsAtOnce];
  const auto* weights = reinterpret_cast<const std::uint16_t*>(task.weights);
  const std::size_t tiles = task.inputs / kTileInputs;
  const std::size_t row_bytes = RowBytes(task.inputs);
  const TileConfig config = FullTiles();
  TileConfigure(config);
  for (std::size_t column = task.column_begin; column < task.column_end; column += kOutputsAtOnce) {
    const __m512 bias0 = _mm512_loadu_ps(task.bias + column);
    const __m512 bias1 = _mm512_loadu_ps(task.bias + column + kTileOutputs);
    for (std::size_t row = 0; row < task.rows; row += kRowsAtOnce) {
      SumTiles(task.prepared + row * row_bytes, row_bytes,
               weights + column / kTileOutputs * tiles * kTileNumbers, tiles, sums);
      const std::size_t left = task.rows - row;
      for (std::size_t r = 0; r < (left < kRowsAtOnce ? left : kRowsAtOnce); ++r) {
        float* out = task.out + (row + r) * task.out_stride + (column - task.column_begin);
        const float* sum = sums + r * kOutputsAtOnce;
        _mm512_storeu_ps(out, _mm512_add_ps(_mm512_loadu_ps(sum), bias0));
        _mm512_storeu_ps(out + kTileOutputs,
                         _mm512_add_ps(_mm512_loadu_ps(sum + kTileOutputs), bias1));
      }
    }
  }
  TileRelease();
}

}  // namespace

const KernelTable kAmxKernels = {
    .name = "amx",
    .precision = Precision::k16Bit,
    .supported = Supported,
    .row_quantum = kRowsAtOnce,
    .inner_block = kInputBlock,
    .sorts_channels = false,
    .packed_bytes = PackedBytes,
    .pack_weights = PackWeights,
    .prepared_bytes = PreparedBytes,
    .prepare_rows = PrepareRows,
    .prepare_gelu = PrepareGelu,
    .multiply = Multiply,
    .attention = Attention<Lanes16>,
    .add_layer_norm = AddLayerNorm<Lanes16>,
    .gelu = Gelu<Lanes16>,
    .widen_f16 = WidenF16<Lanes16>,
};

}  // namespace safeguard::engine
