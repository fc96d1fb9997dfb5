// The estimate and its gamma limits.
#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "eval/flips/gamma_quantile.h"
#include "eval/stratified_sample.h"

namespace safeguard::eval {
namespace {

// The doubtful part of a weighted count.
struct Moments {
  double total = 0;
  double variance = 0;         // of the sum, were the counts Poisson
  double finite_variance = 0;  // with finite populations and shares counted in
  double weight_max = 0;
  double finite_max = 0;  // of the cell with that weight: what is left of its population
  double certain = 0;
  double seen = 0;
  double items = 0;

  void Add(const SampleCell& cell, std::size_t hits) {
    const auto count = static_cast<double>(hits);
    const auto sampled = static_cast<double>(cell.sampled);
    seen += count;
    items += cell.weight * sampled;
    if (cell.whole || cell.sampled == 0) {
      certain += count;
      return;
    }
    const double left = 1 - sampled / static_cast<double>(cell.size);
    const double share = count / (sampled + 1);
    total += cell.weight * count;
    variance += cell.weight * cell.weight * count;
    finite_variance += cell.weight * cell.weight * count * left * (1 - share);
    if (cell.weight > weight_max) {
      weight_max = cell.weight;
      finite_max = left;
    }
  }
};

struct Limits {
  double below = 0;  // distances from the total
  double above = 0;
};

Limits GammaLimits(const Moments& m, double tail) {
  Limits limits;
  if (m.weight_max == 0) {
    return limits;
  }
  const double variance = m.variance + m.weight_max * m.weight_max;
  const double finite = m.finite_variance + m.weight_max * m.weight_max * m.finite_max;
  const double mean = m.total + m.weight_max;
  const double high = variance / mean * GammaQuantile(mean * mean / variance, 1 - tail);
  limits.above = (high - m.total) * std::sqrt(finite / variance);
  if (m.total > 0) {
    const double low = m.variance / m.total * GammaQuantile(m.total * m.total / m.variance, tail);
    limits.below = (m.total - low) * std::sqrt(m.finite_variance / m.variance);
  }
  return limits;
}

}  // namespace

TotalEstimate EstimateTotal(std::span<const SampleCell> cells, double confidence) {
  Moments hits;
  Moments misses;
  for (const SampleCell& cell : cells) {
    CHECK(cell.hits <= cell.sampled && cell.sampled <= cell.size);
    hits.Add(cell, cell.hits);
    misses.Add(cell, cell.sampled - cell.hits);
  }
  const double tail = (1 - confidence) / 2;
  // Counts are nearly Poisson for whichever of the two is the rarer.
  const bool mirrored = hits.total > misses.total;
  Limits limits = GammaLimits(mirrored ? misses : hits, tail);
  if (mirrored) {
    std::swap(limits.below, limits.above);
  }
  TotalEstimate estimate;
  estimate.total = hits.certain + hits.total;
  estimate.low = std::max(hits.seen, estimate.total - limits.below);
  estimate.high = std::min(hits.items - misses.seen, estimate.total + limits.above);
  estimate.total = std::clamp(estimate.total, estimate.low, std::max(estimate.low, estimate.high));
  estimate.high = std::max(estimate.high, estimate.total);
  return estimate;
}

}  // namespace safeguard::eval
