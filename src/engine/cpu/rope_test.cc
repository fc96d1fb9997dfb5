#include "engine/cpu/rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace safeguard::engine::cpu {
namespace {

TEST(Rope, YarnOfGptOssHasAnUnroundedRamp) {
  const Rope rope({}, 64);
  EXPECT_NEAR(rope.concentration(), 1.3465735902799727, 1e-15);
  ASSERT_EQ(rope.frequencies().size(), 32U);
  const double low = 8.092779115512402;
  const double high = 17.39802450158856;
  for (std::size_t j = 0; j < 32; ++j) {
    const double plain = std::pow(150'000.0, -static_cast<double>(j) / 32);
    const double ramp = std::fmin(std::fmax((static_cast<double>(j) - low) / (high - low), 0), 1);
    const double expected = plain * (1 - ramp) + plain / 32 * ramp;
    EXPECT_EQ(rope.frequencies()[j], static_cast<float>(expected)) << j;
  }
}

TEST(Rope, TruncateRoundsTheRampOutwards) {
  RopeConfig config;
  config.truncate = true;
  const Rope rope(config, 64);
  const double plain = std::pow(150'000.0, -9.0 / 32);
  EXPECT_NEAR(rope.frequencies()[8], std::pow(150'000.0, -8.0 / 32), 1e-8);
  EXPECT_NEAR(rope.frequencies()[9], plain * 0.9 + plain / 32 * 0.1, 1e-8);
}

TEST(Rope, AFactorOfOneIsPlain) {
  RopeConfig config;
  config.factor = 1;
  config.theta = 10'000;
  const Rope rope(config, 8);
  EXPECT_EQ(rope.concentration(), 1.0);
  for (std::size_t j = 0; j < 4; ++j) {
    EXPECT_NEAR(rope.frequencies()[j], std::pow(10.0, -static_cast<double>(j)), 1e-7);
  }
}

TEST(Rope, TurnsHalvesOfAHead) {
  RopeConfig config;
  config.factor = 1;
  const Rope rope(config, 4);
  std::vector<float> cosines(2);
  std::vector<float> sines(2);
  rope.Angles(131'071, cosines.data(), sines.data());
  EXPECT_FLOAT_EQ(cosines[0], static_cast<float>(std::cos(131'071.0)));
  std::vector<float> head = {1, 2, 3, 4};
  Rotate(cosines.data(), sines.data(), 4, 2, head.data());
  EXPECT_FLOAT_EQ(head[0], 2 * (cosines[0] - 3 * sines[0]));
  EXPECT_FLOAT_EQ(head[2], 2 * (3 * cosines[0] + sines[0]));
  EXPECT_FLOAT_EQ(head[1], 2 * (2 * cosines[1] - 4 * sines[1]));
  EXPECT_FLOAT_EQ(head[3], 2 * (4 * cosines[1] + 2 * sines[1]));
}

}  // namespace
}  // namespace safeguard::engine::cpu
