// AVX-512 with VNNI: packed linear layers by dot products of bytes, everything else as AVX-512.
#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/avx512_vnni/packed_integers.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/prepare_rows.h"
#include "engine/cpu/kernels/vector_attention.h"
#include "engine/cpu/kernels/vector_bf16.h"
#include "engine/cpu/kernels/vector_linear.h"
#include "engine/cpu/kernels/vector_math.h"

namespace safeguard::engine::cpu {
namespace {

bool Supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

void PackedLinear(const PackedTask& task) {
  task.bits == ActivationBits::kBf16 ? PackedBf16<Lanes16>(task) : PackedIntegers(task);
}

}  // namespace

const KernelTable kAvx512VnniKernels = {
    .name = "avx512vnni",
    .supported = Supported,
    .linear = Linear<Lanes16>,
    .attention = Attention<Lanes16>,
    .rms_norm = RmsNorm<Lanes16>,
    .swiglu = Swiglu<Lanes16>,
    .prepare = Prepare<IntegerOrder::kHalves>,
    .packed_linear = PackedLinear,
};

}  // namespace safeguard::engine::cpu
