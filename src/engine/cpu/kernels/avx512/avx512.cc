// AVX-512 (F, BW, VL): the same arithmetic as AVX2 in registers of sixteen numbers.
#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/vector_attention.h"
#include "engine/cpu/kernels/vector_linear.h"
#include "engine/cpu/kernels/vector_math.h"
#include "engine/cpu/kernels/vector_packed.h"

namespace safeguard::engine::cpu {
namespace {

bool Supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

}  // namespace

const KernelTable kAvx512Kernels = {
    .name = "avx512",
    .supported = Supported,
    .linear = Linear<Lanes16>,
    .attention = Attention<Lanes16>,
    .rms_norm = RmsNorm<Lanes16>,
    .swiglu = Swiglu<Lanes16>,
    .prepare = Prepare<IntegerOrder::kParts>,
    .packed_linear = PackedLinear<Lanes16>,
};

}  // namespace safeguard::engine::cpu
