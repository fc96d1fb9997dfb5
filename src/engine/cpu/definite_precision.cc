// What the default precision is depends on the kernels that this processor gets.
#include <cstdlib>
#include <string>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/model_precision.h"

namespace safeguard::engine {
namespace {

ModelPrecision MachinesOwn() {
  return cpu::BestKernels().fast_bf16 ? ModelPrecision::kBf16 : ModelPrecision::kInt16;
}

}  // namespace

Result<ModelPrecision> DefinitePrecision(ModelPrecision precision) {
  if (precision != ModelPrecision::kDefault) {
    return precision;
  }
  const char* named = std::getenv("SAFEGUARD_PRECISION");
  if (named == nullptr || *named == '\0') {
    return MachinesOwn();
  }
  const auto known = ModelPrecisionOf(named);
  if (!known) {
    return Fail(ErrorCode::kInvalidInput,
                "SAFEGUARD_PRECISION is \"" + std::string(named) + "\", which is no precision",
                "set it to f32, int16, int8 or bf16, or leave it unset");
  }
  return *known == ModelPrecision::kDefault ? MachinesOwn() : *known;
}

}  // namespace safeguard::engine
