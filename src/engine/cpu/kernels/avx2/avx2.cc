// AVX2, FMA and F16C: every x86 server processor since 2013 (Intel) or 2017 (AMD).
#include "engine/cpu/kernels/avx2/lanes.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kernels/vector_attention.h"
#include "engine/cpu/kernels/vector_linear.h"
#include "engine/cpu/kernels/vector_math.h"
#include "engine/cpu/kernels/vector_packed.h"

namespace safeguard::engine::cpu {
namespace {

bool Supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

}  // namespace

const KernelTable kAvx2Kernels = {
    .name = "avx2",
    .supported = Supported,
    .linear = Linear<Lanes8>,
    .attention = Attention<Lanes8>,
    .rms_norm = RmsNorm<Lanes8>,
    .swiglu = Swiglu<Lanes8>,
    .prepare = Prepare<IntegerOrder::kParts>,
    .packed_linear = PackedLinear<Lanes8>,
};

}  // namespace safeguard::engine::cpu
