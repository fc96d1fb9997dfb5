// AVX-512 with VNNI: vpdpwssd multiplies and adds 32 pairs of 16-bit numbers an instruction. The
// same arithmetic as AVX2, in wider panels.
#include "engine/encoder/kernels/avx512/lanes.h"
#include "engine/encoder/kernels/int16_linear.h"
#include "engine/encoder/kernels/int8_attention.h"
#include "engine/encoder/kernels/int8_layout.h"
#include "engine/encoder/kernels/int8_linear.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/encoder/kernels/vector_attention.h"
#include "engine/encoder/kernels/vector_math.h"

namespace safeguard::engine {
namespace {

// 12 rows by 2 registers of sums, 2 of weights, 1 of activations: 27 of 32.
constexpr std::size_t kTileRows = 12;

bool Supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

std::size_t PackedBytes(std::size_t outputs, std::size_t inputs, InputKind /*kind*/) {
  return Int16PackedBytes(outputs, inputs);
}

std::size_t PreparedBytes(std::size_t rows, std::size_t inputs, InputKind /*kind*/) {
  return rows * Int16RowBytes(inputs);
}

void PrepareGelu(const PrepareTask& task) {
  for (std::size_t r = 0; r < task.rows; ++r) {
    Gelu<Lanes16>(task.x + r * task.x_stride, task.columns);
  }
  Int16PrepareRows<Lanes16>(task);
}

std::size_t Int8PackedSize(std::size_t outputs, std::size_t inputs, InputKind kind) {
  return Int8PackedBytes(outputs, inputs, kind);
}

std::size_t Int8PreparedSize(std::size_t rows, std::size_t inputs, InputKind kind) {
  return rows * Int8RowBytes(inputs, kind);
}

}  // namespace

const KernelTable kAvx512Kernels = {
    .name = "avx512",
    .precision = Precision::k16Bit,
    .supported = Supported,
    .row_quantum = kTileRows,
    .inner_block = kInputBlock,
    .sorts_channels = false,
    .packed_bytes = PackedBytes,
    .pack_weights = Int16PackWeights<Lanes16>,
    .prepared_bytes = PreparedBytes,
    .prepare_rows = Int16PrepareRows<Lanes16>,
    .prepare_gelu = PrepareGelu,
    .multiply = Int16Multiply<Lanes16, kTileRows>,
    .attention = Attention<Lanes16>,
    .add_layer_norm = AddLayerNorm<Lanes16>,
    .gelu = Gelu<Lanes16>,
    .widen_f16 = WidenF16<Lanes16>,
};

const KernelTable kAvx512Int8Kernels = {
    .name = "avx512",
    .precision = Precision::k8Bit,
    .supported = Supported,
    .row_quantum = kTileRows,
    .inner_block = kInt8InnerBlock,
    .sorts_channels = true,
    .packed_bytes = Int8PackedSize,
    .pack_weights = Int8PackWeights<Lanes16, 2>,
    .prepared_bytes = Int8PreparedSize,
    .prepare_rows = Int8PrepareRows<Lanes16>,
    .prepare_gelu = Int8PrepareGelu<Lanes16>,
    .multiply = Int8Multiply<Lanes16, kTileRows, 2>,
    .attention = Int8Attention<Lanes16, kTileRows, 2>,
    .add_layer_norm = AddLayerNorm<Lanes16>,
    .gelu = Int8Gelu<Lanes16>,
    .widen_f16 = WidenF16<Lanes16>,
};

}  // namespace safeguard::engine
