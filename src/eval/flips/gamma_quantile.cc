// The regularised incomplete gamma function by its series and its continued fraction (Abramowitz
// and Stegun 6.5.29 and 6.5.31), inverted by bisection.
#include "eval/flips/gamma_quantile.h"

#include <cmath>

#include "base/check.h"

namespace safeguard::eval {
namespace {

constexpr double kPrecision = 1e-15;
constexpr int kTermsMax = 100'000;

double LogPrefix(double a, double x) {
  return a * std::log(x) - x - std::lgamma(a);
}

// P(a, x) for x < a + 1.
double LowerBySeries(double a, double x) {
  double term = 1 / a;
  double sum = term;
  for (int n = 1; n < kTermsMax && term > sum * kPrecision; ++n) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * std::exp(LogPrefix(a, x));
}

// 1 - P(a, x) for x >= a + 1, by the method of Lentz.
double UpperByFraction(double a, double x) {
  constexpr double kTiny = 1e-300;
  double b = x + 1 - a;
  double c = 1 / kTiny;
  double d = 1 / b;
  double value = d;
  for (int n = 1; n < kTermsMax; ++n) {
    const double an = -n * (n - a);
    b += 2;
    d = an * d + b;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = b + an / c;
    c = std::abs(c) < kTiny ? kTiny : c;
    value *= d * c;
    if (std::abs(d * c - 1) < kPrecision) {
      break;
    }
  }
  return value * std::exp(LogPrefix(a, x));
}

double Lower(double a, double x) {
  return x <= 0 ? 0 : x < a + 1 ? LowerBySeries(a, x) : 1 - UpperByFraction(a, x);
}

}  // namespace

double GammaQuantile(double shape, double share) {
  CHECK(shape > 0 && share > 0 && share < 1);
  double low = 0;
  double high = shape + 1;
  while (Lower(shape, high) < share) {
    high *= 2;
  }
  for (int step = 0; step < 200 && high - low > 1e-11 * high; ++step) {
    const double middle = (low + high) / 2;
    (Lower(shape, middle) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace safeguard::eval
