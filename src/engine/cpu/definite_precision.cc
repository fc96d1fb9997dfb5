// What the default precision is depends on the kernels that this processor gets.
#include <cstdlib>
#include <string>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/model_precision.h"

namespace safeguard::engine {

ModelPrecision MachinesPrecision() {
  return cpu::BestKernels().fast_bf16 ? ModelPrecision::kBf16 : ModelPrecision::kInt16;
}

Result<ModelPrecision> DefinitePrecision(ModelPrecision precision, ModelPrecision otherwise) {
  if (precision != ModelPrecision::kDefault) {
    return precision;
  }
  const char* named = std::getenv("SAFEGUARD_PRECISION");
  if (named == nullptr || *named == '\0') {
    return otherwise;
  }
  const auto known = ModelPrecisionOf(named);
  if (!known) {
    return Fail(ErrorCode::kInvalidInput,
                "SAFEGUARD_PRECISION is \"" + std::string(named) + "\", which is no precision",
                "set it to f32, int16, int8 or bf16, or leave it unset");
  }
  return *known == ModelPrecision::kDefault ? otherwise : *known;
}

}  // namespace safeguard::engine
