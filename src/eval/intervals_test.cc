#include "eval/intervals.h"

#include <gtest/gtest.h>

#include <cmath>

namespace safeguard::eval {
namespace {

// Reference values: sums of exact binomial terms in Python, sum(comb(n,i) * p**i * (1-p)**(n-i)).
TEST(IntervalsTest, BinomialCdfAgainstExactSums) {
  EXPECT_NEAR(BinomialCdf(2, 10, 0.3), 0.3827827863999998, 1e-12);
  EXPECT_NEAR(BinomialCdf(0, 45, 0.05), 0.09944025698709225, 1e-12);
  EXPECT_NEAR(BinomialCdf(3, 63, 0.05), 0.6128435010239284, 1e-12);
  EXPECT_NEAR(BinomialCdf(40, 1000, 0.05), 0.08063657325668769, 1e-10);
  EXPECT_EQ(BinomialCdf(3, 10, 0), 1);
  EXPECT_EQ(BinomialCdf(3, 10, 1), 0);
  EXPECT_EQ(BinomialCdf(10, 10, 0.9), 1);
  // A normal approximation at a size where single terms underflow: 50,000 is the mean.
  EXPECT_NEAR(BinomialCdf(50'000, 100'000, 0.5), 0.5, 0.002);
}

// The textbook case 7 of 10: Wilson 0.397 .. 0.892, Clopper-Pearson 0.348 .. 0.933.
TEST(IntervalsTest, SevenOfTen) {
  const Interval wilson = *WilsonInterval(7, 10);
  EXPECT_NEAR(wilson.low, 0.3967781474611453, 1e-9);
  EXPECT_NEAR(wilson.high, 0.8922087325936988, 1e-9);
  const Interval exact = *ClopperPearsonInterval(7, 10);
  EXPECT_NEAR(exact.low, 0.3475471499400027, 1e-9);
  EXPECT_NEAR(exact.high, 0.9332604888222655, 1e-9);
}

TEST(IntervalsTest, EndsAndNothing) {
  EXPECT_FALSE(WilsonInterval(0, 0));
  EXPECT_FALSE(ClopperPearsonInterval(0, 0));
  EXPECT_EQ(ClopperPearsonUpper(0, 0, 0.9), 1);
  EXPECT_EQ(WilsonInterval(0, 10)->low, 0);
  EXPECT_NEAR(WilsonInterval(0, 10)->high, 0.2775327998628892, 1e-9);
  EXPECT_EQ(WilsonInterval(10, 10)->high, 1);
  EXPECT_NEAR(ClopperPearsonInterval(0, 10)->low, 0, 1e-12);
  // None of n: 1 - (1 - confidence)^(1/n), the "rule of three" in its exact form.
  EXPECT_NEAR(ClopperPearsonUpper(0, 45, 0.9), 1 - std::pow(0.1, 1.0 / 45), 1e-12);
}

// An exact interval covers at least what it says, for every chance: sums over all outcomes.
TEST(IntervalsTest, ClopperPearsonCovers) {
  constexpr std::size_t n = 25;
  for (double p = 0.02; p < 1; p += 0.07) {
    double covered = 0;
    for (std::size_t k = 0; k <= n; ++k) {
      const Interval interval = *ClopperPearsonInterval(k, n, 0.9);
      const double chance = BinomialCdf(k, n, p) - (k == 0 ? 0 : BinomialCdf(k - 1, n, p));
      covered += interval.low <= p && p <= interval.high ? chance : 0;
    }
    EXPECT_GE(covered, 0.9) << p;
  }
}

}  // namespace
}  // namespace safeguard::eval
