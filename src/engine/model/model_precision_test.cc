#include "engine/model_precision.h"

#include <gtest/gtest.h>

#include <cstdlib>

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

TEST(ModelPrecision, TheEnvironmentDecidesOnlyWhatIsLeftOpen) {
  ::setenv("SAFEGUARD_PRECISION", "int8", 1);
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kDefault).value(), ModelPrecision::kInt8);
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kF32).value(), ModelPrecision::kF32);
  ::setenv("SAFEGUARD_PRECISION", "default", 1);
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kDefault).value(), ModelPrecision::kInt16);
  ::setenv("SAFEGUARD_PRECISION", "int4", 1);
  const auto refused = DefinitePrecision(ModelPrecision::kDefault);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("int4"), std::string::npos);
  ::unsetenv("SAFEGUARD_PRECISION");
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kDefault).value(), ModelPrecision::kInt16);
}

}  // namespace
}  // namespace safeguard::engine
