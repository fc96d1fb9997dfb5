#include "engine/machine_limits.h"

#include <gtest/gtest.h>

namespace safeguard::engine {
namespace {

TEST(MachineLimits, AreOfAPlausibleSize) {
  const MachineLimits limits = MeasureMachineLimits(1, std::size_t{1} << 26);
  EXPECT_GT(limits.read_gb_s, 0.1);
  EXPECT_LT(limits.read_gb_s, 5000);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") != 0) {
    EXPECT_GT(limits.f32_gmac_s, 0.5);
  }
  EXPECT_EQ(limits.int8_gmac_s > 0, __builtin_cpu_supports("avx512vnni") != 0);
#endif
  EXPECT_GE(limits.BestGmac(), limits.f32_gmac_s);
  EXPECT_LT(limits.BestGmac(), 1e6);
}

TEST(MachineLimits, TheLargerOfEachCounts) {
  const MachineLimits both = Larger({.read_gb_s = 20, .f32_gmac_s = 1, .int8_gmac_s = 7},
                                    {.read_gb_s = 10, .f32_gmac_s = 2, .amx_bf16_gmac_s = 9});
  EXPECT_EQ(both.read_gb_s, 20);
  EXPECT_EQ(both.f32_gmac_s, 2);
  EXPECT_EQ(both.bf16_gmac_s, 0);
  EXPECT_EQ(both.int8_gmac_s, 7);
  EXPECT_EQ(both.amx_bf16_gmac_s, 9);
}

}  // namespace
}  // namespace safeguard::engine
