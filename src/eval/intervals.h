// Intervals of a share, k of n, that hold for small n and at the ends, where the usual "plus or
// minus two standard errors" would claim certainty.
//
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <optional>

#include "eval/bootstrap.h"

namespace safeguard::eval {

// P(X <= k) of a binomial of n trials with chance p. REQUIRES: 0 <= p <= 1. O(k).
double BinomialCdf(std::size_t k, std::size_t n, double p);

// Score interval (Wilson 1927): the one to show, about right on average (Brown, Cai and DasGupta
// 2001). Not defined for n = 0. REQUIRES: k <= n, 0 < confidence < 1.
std::optional<Interval> WilsonInterval(std::size_t k, std::size_t n, double confidence = 0.95);

// Exact two-sided interval (Clopper and Pearson 1934): never covers less than it says. Not defined
// for n = 0. REQUIRES: as above.
std::optional<Interval> ClopperPearsonInterval(std::size_t k, std::size_t n,
                                               double confidence = 0.95);

// The largest chance that `k` of `n` does not rule out with this confidence: the exact one-sided
// upper bound. 1 for n = 0. REQUIRES: as above.
double ClopperPearsonUpper(std::size_t k, std::size_t n, double confidence);

}  // namespace safeguard::eval
