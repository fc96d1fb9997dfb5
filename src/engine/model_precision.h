// How exactly a gpt-oss network computes: the same words in options, environment and verdicts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace safeguard::engine {

// Logits: kF32 exact in binary32; kInt16 some 3e-5 off; kInt8 some 1e-2 off, as llama.cpp computes,
// and faster; kBf16 some 1e-2 off, fast where the processor has AMX (engine/cpu/cpu_forward.h).
enum class ModelPrecision : std::uint8_t {
  kDefault,  // as DefinitePrecision decides
  kF32,
  kInt16,
  kInt8,
  kBf16,
};

// "default", "f32", "int16", "int8", "bf16".
const char* ToString(ModelPrecision precision);
std::optional<ModelPrecision> ModelPrecisionOf(std::string_view name);

// What judges best on this machine: kBf16 where the kernels in use multiply by tiles (AMX), else
// kInt16.
ModelPrecision MachinesPrecision();

// kDefault made definite: what the environment's SAFEGUARD_PRECISION names, else `otherwise`.
// Other precisions as they are. kInvalidInput when SAFEGUARD_PRECISION is no precision.
Result<ModelPrecision> DefinitePrecision(ModelPrecision precision,
                                         ModelPrecision otherwise = MachinesPrecision());

}  // namespace safeguard::engine
