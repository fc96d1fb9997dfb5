#include "engine/model_precision.h"

#include <array>

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

}  // namespace safeguard::engine
