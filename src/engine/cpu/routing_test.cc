#include "engine/cpu/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace safeguard::engine::cpu {
namespace {

using testing::ElementsAre;

TEST(SelectExperts, LargestFirstAndOfEqualOnesTheLowestIndex) {
  const std::vector<float> logits = {1, 5, 3, 5, 3, -2, 3};
  std::vector<std::uint32_t> experts(4);
  std::vector<float> weights(4);
  SelectExperts(logits, experts, weights);
  EXPECT_THAT(experts, ElementsAre(1U, 3U, 2U, 4U));
  const float total = 2 + 2 * std::exp(-2.0F);
  EXPECT_FLOAT_EQ(weights[0], 1 / total);
  EXPECT_FLOAT_EQ(weights[3], std::exp(-2.0F) / total);
}

TEST(SelectExperts, AllOfThem) {
  const std::vector<float> logits = {-1, 2};
  std::vector<std::uint32_t> experts(2);
  std::vector<float> weights(2);
  SelectExperts(logits, experts, weights);
  EXPECT_THAT(experts, ElementsAre(1U, 0U));
  EXPECT_FLOAT_EQ(weights[0] + weights[1], 1);
}

TEST(SelectExperts, ANanIsTheSmallest) {
  const std::vector<float> logits = {NAN, 1, NAN, 2};
  std::vector<std::uint32_t> experts(2);
  std::vector<float> weights(2);
  SelectExperts(logits, experts, weights);
  EXPECT_THAT(experts, ElementsAre(3U, 1U));
}

TEST(RouteTokens, GroupsByExpertInRowOrder) {
  const std::vector<float> logits = {0, 3, 2,  //
                                     5, 4, 0,  //
                                     0, 9, 1};
  const Routing routing = RouteTokens(logits, 3, 2);
  EXPECT_THAT(routing.experts, ElementsAre(1U, 2U, 0U, 1U, 1U, 2U));
  EXPECT_THAT(routing.begin, ElementsAre(0U, 1U, 4U, 6U));
  EXPECT_THAT(routing.rows, ElementsAre(1U, 0U, 1U, 2U, 0U, 2U));
  EXPECT_THAT(routing.slots, ElementsAre(1U, 4U, 0U, 2U, 3U, 5U));
}

}  // namespace
}  // namespace safeguard::engine::cpu
