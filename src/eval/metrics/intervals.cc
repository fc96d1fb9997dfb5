#include "eval/intervals.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace safeguard::eval {
namespace {

constexpr int kHalvings = 80;  // bisection to the last bit of a double

// The z with P(-z < Z < z) = confidence.
double NormalQuantileOfMiddle(double confidence) {
  double low = 0;
  double high = 40;
  for (int i = 0; i < kHalvings; ++i) {
    const double z = (low + high) / 2;
    (std::erf(z / std::sqrt(2.0)) < confidence ? low : high) = z;
  }
  return (low + high) / 2;
}

}  // namespace

double BinomialCdf(std::size_t k, std::size_t n, double p) {
  CHECK(p >= 0 && p <= 1);
  if (k >= n || p == 0) {
    return 1;
  }
  if (p == 1) {
    return 0;
  }
  // Each term from the one before, in logarithms, so that neither end of a large n underflows.
  const double log_odds = std::log(p) - std::log1p(-p);
  double log_term = static_cast<double>(n) * std::log1p(-p);
  double sum = std::exp(log_term);
  for (std::size_t i = 0; i < k; ++i) {
    log_term +=
        std::log(static_cast<double>(n - i)) - std::log(static_cast<double>(i + 1)) + log_odds;
    sum += std::exp(log_term);
  }
  return std::min(sum, 1.0);
}

std::optional<Interval> WilsonInterval(std::size_t k, std::size_t n, double confidence) {
  CHECK(k <= n && confidence > 0 && confidence < 1);
  if (n == 0) {
    return std::nullopt;
  }
  const double z = NormalQuantileOfMiddle(confidence);
  const auto trials = static_cast<double>(n);
  const double share = static_cast<double>(k) / trials;
  const double centre = share + z * z / (2 * trials);
  const double half = z * std::sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials));
  const double scale = 1 + z * z / trials;
  // The ends are exact there: 0 of n does not rule out 0.
  return Interval{.low = k == 0 ? 0 : (centre - half) / scale,
                  .high = k == n ? 1 : (centre + half) / scale};
}

double ClopperPearsonUpper(std::size_t k, std::size_t n, double confidence) {
  CHECK(k <= n && confidence > 0 && confidence < 1);
  if (k == n) {
    return 1;
  }
  double low = static_cast<double>(k) / static_cast<double>(n);
  double high = 1;
  for (int i = 0; i < kHalvings; ++i) {
    const double p = (low + high) / 2;
    (BinomialCdf(k, n, p) > 1 - confidence ? low : high) = p;
  }
  return high;
}

std::optional<Interval> ClopperPearsonInterval(std::size_t k, std::size_t n, double confidence) {
  CHECK(k <= n && confidence > 0 && confidence < 1);
  if (n == 0) {
    return std::nullopt;
  }
  const double one_sided = (1 + confidence) / 2;
  // The lower end is the upper end of the failures, seen from the other side.
  return Interval{.low = 1 - ClopperPearsonUpper(n - k, n, one_sided),
                  .high = ClopperPearsonUpper(k, n, one_sided)};
}

}  // namespace safeguard::eval
