#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "engine/cpu/kernels/kernel_table.h"
#include "engine/model_precision.h"

namespace safeguard::engine {
namespace {

TEST(DefinitePrecision, TheEnvironmentDecidesOnlyWhatIsLeftOpen) {
  const ModelPrecision own = MachinesPrecision();
  ::setenv("SAFEGUARD_PRECISION", "int8", 1);
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kDefault).value(), ModelPrecision::kInt8);
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kF32).value(), ModelPrecision::kF32);
  ::setenv("SAFEGUARD_PRECISION", "default", 1);
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kDefault).value(), own);
  ::setenv("SAFEGUARD_PRECISION", "int4", 1);
  const auto refused = DefinitePrecision(ModelPrecision::kDefault);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("int4"), std::string::npos);
  ::unsetenv("SAFEGUARD_PRECISION");
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kDefault).value(), own);
}

TEST(DefinitePrecision, WhatTheCallerWantsComesAfterTheEnvironment) {
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kDefault, ModelPrecision::kF32).value(),
            ModelPrecision::kF32);
  ::setenv("SAFEGUARD_PRECISION", "int8", 1);
  EXPECT_EQ(DefinitePrecision(ModelPrecision::kDefault, ModelPrecision::kF32).value(),
            ModelPrecision::kInt8);
  ::unsetenv("SAFEGUARD_PRECISION");
}

TEST(DefinitePrecision, OnlyTilesMakeBfloat16TheDefault) {
  for (std::size_t i = 0; i < cpu::AllKernels().count; ++i) {
    const cpu::KernelTable& table = *cpu::AllKernels().tables[i];
    EXPECT_EQ(table.fast_bf16, std::string_view(table.name) == "amx") << table.name;
  }
}

}  // namespace
}  // namespace safeguard::engine
