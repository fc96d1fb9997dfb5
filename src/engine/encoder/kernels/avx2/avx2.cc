// AVX2, FMA and F16C: every x86 server processor since 2013 (Intel) or 2017 (AMD). vpmaddwd gives
// twice the multiply-adds a cycle of binary32 FMA, so linear layers run in 16-bit integers.
#include "engine/encoder/kernels/avx2/lanes.h"
#include "engine/encoder/kernels/int16_linear.h"
#include "engine/encoder/kernels/int8_attention.h"
#include "engine/encoder/kernels/int8_layout.h"
#include "engine/encoder/kernels/int8_linear.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/encoder/kernels/lane_pair.h"
#include "engine/encoder/kernels/vector_attention.h"
#include "engine/encoder/kernels/vector_math.h"

namespace safeguard::engine {
namespace {

// 6 rows by 2 registers of sums, 2 of weights, 1 of activations, 1 of products: all 16.
constexpr std::size_t kTileRows = 6;

bool Supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

std::size_t PackedBytes(std::size_t outputs, std::size_t inputs, InputKind /*kind*/) {
  return Int16PackedBytes(outputs, inputs);
}

std::size_t PreparedBytes(std::size_t rows, std::size_t inputs, InputKind /*kind*/) {
  return rows * Int16RowBytes(inputs);
}

void PrepareGelu(const PrepareTask& task) {
  for (std::size_t r = 0; r < task.rows; ++r) {
    Gelu<Lanes8>(task.x + r * task.x_stride, task.columns);
  }
  Int16PrepareRows<Lanes8>(task);
}

std::size_t Int8PackedSize(std::size_t outputs, std::size_t inputs, InputKind kind) {
  return Int8PackedBytes(outputs, inputs, kind);
}

std::size_t Int8PreparedSize(std::size_t rows, std::size_t inputs, InputKind kind) {
  return rows * Int8RowBytes(inputs, kind);
}

}  // namespace

const KernelTable kAvx2Kernels = {
    .name = "avx2",
    .precision = Precision::k16Bit,
    .supported = Supported,
    .row_quantum = kTileRows,
    .inner_block = kInputBlock,
    .sorts_channels = false,
    .packed_bytes = PackedBytes,
    .pack_weights = Int16PackWeights<Lanes8>,
    .prepared_bytes = PreparedBytes,
    .prepare_rows = Int16PrepareRows<Lanes8>,
    .prepare_gelu = PrepareGelu,
    .multiply = Int16Multiply<Lanes8, kTileRows>,
    .attention = Attention<Lanes8>,
    .add_layer_norm = AddLayerNorm<Lanes8>,
    .gelu = Gelu<Lanes8>,
    .widen_f16 = WidenF16<Lanes8>,
};

const KernelTable kAvx2Int8Kernels = {
    .name = "avx2",
    .precision = Precision::k8Bit,
    .supported = Supported,
    .row_quantum = 4,
    .inner_block = kInt8InnerBlock,
    .sorts_channels = true,
    .packed_bytes = Int8PackedSize,
    .pack_weights = Int8PackWeights<LanePair<Lanes8>, 1>,
    .prepared_bytes = Int8PreparedSize,
    .prepare_rows = Int8PrepareRows<LanePair<Lanes8>>,
    .prepare_gelu = Int8PrepareGelu<LanePair<Lanes8>>,
    .multiply = Int8Multiply<LanePair<Lanes8>, 4, 1>,
    .attention = Int8Attention<LanePair<Lanes8>, 4, 1>,
    .add_layer_norm = AddLayerNorm<LanePair<Lanes8>>,
    .gelu = Int8Gelu<LanePair<Lanes8>>,
    .widen_f16 = WidenF16<Lanes8>,
};

}  // namespace safeguard::engine
