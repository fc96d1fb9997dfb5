// AMX: packed linear layers and attention in tiles, everything else as AVX-512.
#include "engine/cpu/kernels/amx/tile_attention.h"
#include "engine/cpu/kernels/amx/tile_bf16.h"
#include "engine/cpu/kernels/amx/tile_integers.h"
#include "engine/cpu/kernels/amx/tile_prepare.h"
#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/prepare_rows.h"
#include "engine/cpu/kernels/vector_attention.h"
#include "engine/cpu/kernels/vector_linear.h"
#include "engine/cpu/kernels/vector_math.h"

namespace safeguard::engine::cpu {
namespace {

bool Supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") && TilesSupported();
}

void PackedLinear(const PackedTask& task) {
  task.bits == ActivationBits::kBf16 ? TileBf16(task) : TileIntegers(task);
}

void PrepareRow(const PrepareTask& task) {
  task.bits == ActivationBits::kBf16 ? TilePrepareBf16(task) : Prepare<IntegerOrder::kHalves>(task);
}

void AttentionRows(const AttentionTask& task) {
  task.type == KvType::kBf16 ? AttentionByTiles(task) : Attention<Lanes16>(task);
}

}  // namespace

const KernelTable kAmxKernels = {
    .name = "amx",
    .supported = Supported,
    .linear = Linear<Lanes16>,
    .attention = AttentionRows,
    .rms_norm = RmsNorm<Lanes16>,
    .swiglu = Swiglu<Lanes16>,
    .prepare = PrepareRow,
    .packed_linear = PackedLinear,
    .rows_in_order = true,
    .fast_bf16 = true,
};

}  // namespace safeguard::engine::cpu
