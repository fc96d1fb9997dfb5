#include "eval/bootstrap.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <numeric>
#include <vector>

#include "eval/metrics.h"

namespace safeguard::eval {
namespace {

using Values = std::vector<std::optional<double>>;

std::vector<std::uint8_t> Outcomes(std::size_t n, std::size_t positives) {
  std::vector<std::uint8_t> outcomes(n, 0);
  std::fill_n(outcomes.begin(), positives, 1);
  return outcomes;
}

double Share(const std::vector<std::uint8_t>& outcomes, std::span<const std::uint32_t> weights) {
  double hits = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    hits += outcomes[i] != 0 ? weights[i] : 0;
  }
  return hits / static_cast<double>(outcomes.size());
}

TEST(BootstrapTest, IntervalOfAShareIsTheBinomialOne) {
  const auto outcomes = Outcomes(400, 100);
  BootstrapOptions options;
  options.resamples = 4000;
  const auto intervals = BootstrapIntervals(
      outcomes, 1, [&](std::span<const std::uint32_t> w) { return Values{Share(outcomes, w)}; },
      options);
  ASSERT_TRUE(intervals[0]);
  const double half = 1.96 * std::sqrt(0.25 * 0.75 / 400);
  EXPECT_NEAR(intervals[0]->low, 0.25 - half, 0.006);
  EXPECT_NEAR(intervals[0]->high, 0.25 + half, 0.006);
}

TEST(BootstrapTest, OneSeedOneAnswer) {
  const auto outcomes = Outcomes(50, 20);
  const auto measure = [&](std::span<const std::uint32_t> w) { return Values{Share(outcomes, w)}; };
  BootstrapOptions options;
  const auto a = BootstrapIntervals(outcomes, 1, measure, options);
  const auto b = BootstrapIntervals(outcomes, 1, measure, options);
  EXPECT_EQ(a[0]->low, b[0]->low);
  EXPECT_EQ(a[0]->high, b[0]->high);
}

TEST(BootstrapTest, EveryResampleHasAsManyCasesAndStrataKeepTheirSize) {
  const auto outcomes = Outcomes(60, 7);
  BootstrapOptions options;
  options.resamples = 50;
  options.stratified = true;
  const auto measure = [&](std::span<const std::uint32_t> w) {
    EXPECT_EQ(std::accumulate(w.begin(), w.end(), 0U), 60U);
    EXPECT_DOUBLE_EQ(Share(outcomes, w), 7.0 / 60.0);
    return Values{1.0};
  };
  EXPECT_TRUE(BootstrapIntervals(outcomes, 1, measure, options)[0]);
}

TEST(BootstrapTest, AFigureThatIsOftenNotDefinedHasNoInterval) {
  const auto outcomes = Outcomes(10, 1);
  int calls = 0;
  const auto measure = [&calls](std::span<const std::uint32_t>) {
    ++calls;
    return Values{calls % 5 == 0 ? std::nullopt : std::optional(0.5),
                  calls % 20 == 0 ? std::nullopt : std::optional(0.5)};
  };
  const auto intervals = BootstrapIntervals(outcomes, 2, measure, {});
  EXPECT_FALSE(intervals[0]);
  EXPECT_TRUE(intervals[1]);
}

TEST(BootstrapTest, NoCasesOrNoResamplesNoInterval) {
  const auto measure = [](std::span<const std::uint32_t>) { return Values{1.0}; };
  EXPECT_FALSE(BootstrapIntervals({}, 1, measure, {})[0]);
  BootstrapOptions none;
  none.resamples = 0;
  EXPECT_FALSE(BootstrapIntervals(Outcomes(3, 1), 1, measure, none)[0]);
}

TEST(BootstrapTest, UniformBelowIsUniform) {
  std::mt19937_64 random(3);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) {
    ++counts[UniformBelow(random, 7)];
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, 10'000, 500);
  }
  EXPECT_EQ(UniformBelow(random, 1), 0U);
}

// The interval of a rank figure over as many cases as ToxicChat has: seconds would be too slow.
TEST(BootstrapTest, AThousandResamplesOfFiveThousandCasesAreQuick) {
  std::vector<Scored> cases;
  std::vector<std::uint8_t> outcomes;
  std::mt19937_64 random(5);
  for (int i = 0; i < 5083; ++i) {
    const bool positive = UniformBelow(random, 100) < 7;
    cases.push_back({UniformBelow(random, 10'000) / 10'000.0 + (positive ? 0.2 : 0), positive});
    outcomes.push_back(positive ? 1 : 0);
  }
  const Ranking ranking(cases);
  const auto begin = std::chrono::steady_clock::now();
  const auto intervals = BootstrapIntervals(
      outcomes, 1,
      [&](std::span<const std::uint32_t> w) { return Values{ranking.Measure({}, w).roc_auc}; }, {});
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ASSERT_TRUE(intervals[0]);
  EXPECT_LT(intervals[0]->low, *ranking.Measure({}).roc_auc);
  EXPECT_GT(intervals[0]->high, *ranking.Measure({}).roc_auc);
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds,
            20);  // well under a second in a release build; sanitizers and busy machines are slower
}

}  // namespace
}  // namespace safeguard::eval
