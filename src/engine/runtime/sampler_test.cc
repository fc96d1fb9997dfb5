#include "engine/runtime/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "engine/runtime/counter_random.h"

namespace safeguard::engine {
namespace {

class OnlyThese final : public TokenFilter {
 public:
  OnlyThese(std::size_t vocabulary, const std::vector<std::uint32_t>& ids) : mask_(vocabulary) {
    for (const std::uint32_t id : ids) {
      mask_.Allow(id);
    }
  }
  bool Allows(std::uint32_t id) override { return mask_.Allows(id); }
  const TokenMask& Mask() override { return mask_; }

 private:
  TokenMask mask_;
};

std::uint32_t Choose(const std::vector<float>& logits, const SamplingSettings& settings,
                     std::uint64_t position = 0, TokenFilter* filter = nullptr) {
  Sampler sampler;
  const auto token = sampler.Choose({.values = logits}, settings, filter, position);
  EXPECT_TRUE(token.has_value());
  return token ? token->id : 0;
}

// How often each id is drawn.
std::map<std::uint32_t, int> Histogram(const std::vector<float>& logits, SamplingSettings settings,
                                       int draws = 20'000) {
  std::map<std::uint32_t, int> counts;
  Sampler sampler;
  for (int i = 0; i < draws; ++i) {
    ++counts[sampler.Choose({.values = logits}, settings, nullptr, static_cast<std::uint64_t>(i))
                 ->id];
  }
  return counts;
}

// The known answers of Random123's kat_vectors.
TEST(CounterRandomTest, KnownAnswers) {
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(Philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    EXPECT_GE(UniformAt(7, i), 0);
    EXPECT_LT(UniformAt(7, i), 1);
  }
}

TEST(SamplerTest, GreedyTakesTheLowestOfEqualIds) {
  EXPECT_EQ(Choose({1, 3, 3, 2}, {}), 1U);
  OnlyThese filter(4, {2, 3});
  EXPECT_EQ(Choose({1, 3, 3, 2}, {}, 0, &filter), 2U);
  SamplingSettings bias;
  bias.logit_bias = {{3, 2.0F}};
  EXPECT_EQ(Choose({1, 3, 3, 2}, bias), 3U);
}

TEST(SamplerTest, GreedyFindsTheLargestWhereverItStands) {
  for (const std::size_t size : {1U, 15U, 16U, 17U, 1023U, 1024U, 1025U, 5000U}) {
    for (const std::size_t at : {std::size_t{0}, size / 3, size / 2, size - 1}) {
      std::vector<float> logits(size, -7);
      logits[at] = -6.5F;
      EXPECT_EQ(Choose(logits, {}), at) << size;
      logits[size - 1] = -6.5F;  // an equal one later on, in another stretch or lane
      EXPECT_EQ(Choose(logits, {}), at) << size;
    }
    EXPECT_EQ(Choose(std::vector<float>(size, std::numeric_limits<float>::lowest()), {}), 0U);
  }
}

TEST(SamplerTest, LogprobsAreOfTheModelAndNotOfTheFilters) {
  const std::vector<float> logits{0.5F, -1, 2, 2};
  SamplingSettings settings;
  settings.top_logprobs = 3;
  settings.logit_bias = {{1, 50.0F}};
  Sampler sampler;
  const auto token = sampler.Choose({.values = logits}, settings, nullptr, 0);
  ASSERT_TRUE(token.has_value());
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp(static_cast<double>(logit));
  }
  EXPECT_EQ(token->id, 1U);
  EXPECT_NEAR(*token->logprob, -1 - std::log(sum), 1e-12);
  ASSERT_EQ(token->top.size(), 3U);
  EXPECT_EQ(token->top[0].id, 2U);
  EXPECT_EQ(token->top[1].id, 3U);
  EXPECT_EQ(token->top[2].id, 0U);
  EXPECT_NEAR(token->top[0].logprob, 2 - std::log(sum), 1e-12);
}

TEST(SamplerTest, TopKKeepsExactlyKOfEqualOnes) {
  SamplingSettings settings{.temperature = 1, .top_k = 2};
  const auto counts = Histogram({1, 1, 1, 1}, settings, 2000);
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_TRUE(counts.contains(0) && counts.contains(1));
}

TEST(SamplerTest, TopPKeepsTheShortestListThatReachesIt) {
  const std::vector<float> logits{std::log(0.1F), std::log(0.5F), std::log(0.3F), std::log(0.1F)};
  EXPECT_EQ(Histogram(logits, {.temperature = 1, .top_p = 0.45}, 2000).size(), 1U);
  EXPECT_EQ(Histogram(logits, {.temperature = 1, .top_p = 0.7}, 2000).size(), 2U);
  const auto three = Histogram(logits, {.temperature = 1, .top_p = 0.85}, 5000);
  EXPECT_EQ(three.size(), 3U);
  EXPECT_TRUE(three.contains(0)) << "of the two equal ones the lower id";
}

TEST(SamplerTest, MinPIsRelativeToTheLikeliest) {
  const std::vector<float> logits{std::log(0.1F), std::log(0.5F), std::log(0.3F), std::log(0.1F)};
  EXPECT_EQ(Histogram(logits, {.temperature = 1, .min_p = 0.25}, 5000).size(), 2U);
}

TEST(SamplerTest, DrawsFollowTheDistribution) {
  const std::vector<float> logits{0, 1, 2, -1};
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp(logit / 1.5);
  }
  const auto counts = Histogram(logits, {.temperature = 1.5, .seed = 9});
  for (std::uint32_t id = 0; id < 4; ++id) {
    const double p = std::exp(logits[id] / 1.5) / sum;
    EXPECT_NEAR(counts.at(id) / 20'000.0, p, 5 * std::sqrt(p / 20'000)) << id;
  }
}

TEST(SamplerTest, TheDrawIsAFunctionOfSeedAndPosition) {
  std::vector<float> logits(1000);
  std::mt19937 random(5);  // NOLINT(cert-msc*)
  for (float& logit : logits) {
    logit = static_cast<float>(random() % 1000) / 300.0F;
  }
  const SamplingSettings settings{.temperature = 1, .top_p = 0.9, .seed = 4};
  SamplingSettings other = settings;
  other.seed = 5;
  int differ = 0;
  for (std::uint64_t position = 0; position < 50; ++position) {
    EXPECT_EQ(Choose(logits, settings, position), Choose(logits, settings, position));
    differ += Choose(logits, settings, position) != Choose(logits, other, position) ? 1 : 0;
  }
  EXPECT_GT(differ, 25);
}

TEST(SamplerTest, BadLogitsAreErrors) {
  Sampler sampler;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    const auto token = sampler.Choose({.values = std::vector<float>{0, bad, 1}}, {}, nullptr, 0);
    ASSERT_FALSE(token.has_value());
    EXPECT_NE(token.error().message.find("token 1"), std::string::npos);
  }
  OnlyThese nothing(2, {});
  EXPECT_FALSE(sampler.Choose({.values = std::vector<float>{0, 1}}, {}, &nothing, 0).has_value());
}

TEST(SamplerTest, SettingsAreChecked) {
  EXPECT_TRUE(CheckSampling({}, 10).has_value());
  EXPECT_FALSE(CheckSampling({.temperature = -1}, 10).has_value());
  EXPECT_FALSE(CheckSampling({.temperature = std::nan("")}, 10).has_value());
  EXPECT_FALSE(CheckSampling({.top_p = 0}, 10).has_value());
  EXPECT_FALSE(CheckSampling({.min_p = 1.5}, 10).has_value());
  EXPECT_FALSE(CheckSampling({.logit_bias = {{10, 1.0F}}}, 10).has_value());
  EXPECT_FALSE(CheckSampling({.logit_bias = {{1, 1.0F}, {1, 1.0F}}}, 10).has_value());
}

}  // namespace
}  // namespace safeguard::engine
