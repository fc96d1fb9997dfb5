#include "eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace safeguard::eval {
namespace {

constexpr double kDefinedShareMin = 0.9;

// Linear interpolation between order statistics (definition 7 of Hyndman and Fan 1996).
double Quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double fraction = place - static_cast<double>(below);
  return sorted[below] + fraction * (sorted[above] - sorted[below]);
}

void Draw(std::span<const std::uint32_t> pool, std::mt19937_64& random,
          std::vector<std::uint32_t>& weights) {
  const auto size = static_cast<std::uint32_t>(pool.size());
  for (std::uint32_t i = 0; i < size; ++i) {
    ++weights[pool[UniformBelow(random, size)]];
  }
}

}  // namespace

std::uint32_t UniformBelow(std::mt19937_64& random, std::uint32_t bound) {
  CHECK(bound > 0);
  const std::uint32_t reject = (0U - bound) % bound;
  while (true) {
    const std::uint64_t product = (random() >> 32) * bound;
    if (static_cast<std::uint32_t>(product) >= reject) {
      return static_cast<std::uint32_t>(product >> 32);
    }
  }
}

std::vector<std::optional<Interval>> BootstrapIntervals(
    std::span<const std::uint8_t> positive, std::size_t figures,
    const std::function<std::vector<std::optional<double>>(std::span<const std::uint32_t>)>&
        measure,
    const BootstrapOptions& options) {
  CHECK(positive.size() < std::numeric_limits<std::uint32_t>::max());
  std::vector<std::optional<Interval>> intervals(figures);
  if (positive.empty() || options.resamples == 0) {
    return intervals;
  }
  std::vector<std::vector<std::uint32_t>> pools(options.stratified ? 2 : 1);
  for (std::uint32_t i = 0; i < positive.size(); ++i) {
    pools[options.stratified && positive[i] != 0 ? 1 : 0].push_back(i);
  }
  std::mt19937_64 random(options.seed);
  std::vector<std::vector<double>> values(figures);
  std::vector<std::uint32_t> weights(positive.size());
  for (std::size_t resample = 0; resample < options.resamples; ++resample) {
    std::ranges::fill(weights, 0U);
    for (const std::vector<std::uint32_t>& pool : pools) {
      Draw(pool, random, weights);
    }
    const std::vector<std::optional<double>> measured = measure(weights);
    CHECK(measured.size() == figures);
    for (std::size_t i = 0; i < figures; ++i) {
      if (measured[i]) {
        values[i].push_back(*measured[i]);
      }
    }
  }
  const double tail = (1 - options.confidence) / 2;
  for (std::size_t i = 0; i < figures; ++i) {
    const auto defined = static_cast<double>(values[i].size());
    if (defined > 0 && defined >= kDefinedShareMin * static_cast<double>(options.resamples)) {
      std::ranges::sort(values[i]);
      intervals[i] = {.low = Quantile(values[i], tail), .high = Quantile(values[i], 1 - tail)};
    }
  }
  return intervals;
}

}  // namespace safeguard::eval
