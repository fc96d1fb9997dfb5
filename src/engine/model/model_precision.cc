#include "engine/model_precision.h"

#include <array>
#include <cstdlib>
#include <string>

namespace safeguard::engine {
namespace {

constexpr std::array kAll = {ModelPrecision::kDefault, ModelPrecision::kF32, ModelPrecision::kInt16,
                             ModelPrecision::kInt8, ModelPrecision::kBf16};

}  // namespace

const char* ToString(ModelPrecision precision) {
  switch (precision) {
    case ModelPrecision::kDefault:
      return "default";
    case ModelPrecision::kF32:
      return "f32";
    case ModelPrecision::kInt16:
      return "int16";
    case ModelPrecision::kInt8:
      return "int8";
    case ModelPrecision::kBf16:
      return "bf16";
  }
  return "unknown";
}

std::optional<ModelPrecision> ModelPrecisionOf(std::string_view name) {
  for (const ModelPrecision precision : kAll) {
    if (name == ToString(precision)) {
      return precision;
    }
  }
  return std::nullopt;
}

Result<ModelPrecision> DefinitePrecision(ModelPrecision precision) {
  if (precision != ModelPrecision::kDefault) {
    return precision;
  }
  const char* named = std::getenv("SAFEGUARD_PRECISION");
  if (named == nullptr || *named == '\0') {
    return ModelPrecision::kInt16;
  }
  const auto known = ModelPrecisionOf(named);
  if (!known) {
    return Fail(ErrorCode::kInvalidInput,
                "SAFEGUARD_PRECISION is \"" + std::string(named) + "\", which is no precision",
                "set it to f32, int16, int8 or bf16, or leave it unset");
  }
  return *known == ModelPrecision::kDefault ? ModelPrecision::kInt16 : *known;
}

}  // namespace safeguard::engine
