#include "engine/model_precision.h"

#include <gtest/gtest.h>

namespace safeguard::engine {
namespace {

TEST(ModelPrecision, NamesAreReadBack) {
  for (const ModelPrecision precision :
       {ModelPrecision::kDefault, ModelPrecision::kF32, ModelPrecision::kInt16,
        ModelPrecision::kInt8, ModelPrecision::kBf16}) {
    EXPECT_EQ(ModelPrecisionOf(ToString(precision)), precision);
  }
  EXPECT_EQ(ModelPrecisionOf("int4"), std::nullopt);
  EXPECT_EQ(ModelPrecisionOf(""), std::nullopt);
}

}  // namespace
}  // namespace safeguard::engine
