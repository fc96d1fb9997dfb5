// AVX2, FMA and F16C: every x86 server processor since 2013 (Intel) or 2017 (AMD). vpmaddwd gives
// twice the multiply-adds a cycle of binary32 FMA, so linear layers run in 16-bit integers.
#include "engine/encoder/kernels/avx2/lanes.h"
#include "engine/encoder/kernels/int16_linear.h"
#include "engine/encoder/kernels/kernel_table.h"
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

std::size_t PackedBytes(std::size_t outputs, std::size_t inputs) {
  return Int16PackedBytes(outputs, inputs);
}

std::size_t PreparedBytes(std::size_t rows, std::size_t inputs) {
  return rows * Int16RowBytes(inputs);
}

}  // namespace

const KernelTable kAvx2Kernels = {
    .name = "avx2",
    .supported = Supported,
    .row_quantum = kTileRows,
    .packed_bytes = PackedBytes,
    .pack_weights = Int16PackWeights<Lanes8>,
    .prepared_bytes = PreparedBytes,
    .prepare_rows = Int16PrepareRows<Lanes8>,
    .multiply = Int16Multiply<Lanes8, kTileRows>,
    .attention = Attention<Lanes8>,
    .add_layer_norm = AddLayerNorm<Lanes8>,
    .gelu = Gelu<Lanes8>,
    .widen_f16 = WidenF16<Lanes8>,
};

}  // namespace safeguard::engine
