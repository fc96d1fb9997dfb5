// Bootstrap intervals: how far a figure would move on another sample of cases of the same kind
// (percentile method; Efron and Tibshirani 1993, chapter 13). Deterministic: one seed gives the
// same interval on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace safeguard::eval {

struct BootstrapOptions {
  std::size_t resamples = 1000;  // 0: no intervals
  double confidence = 0.95;
  std::uint64_t seed = 1;
  // Draws positives and negatives apart, so that every resample has as many of each as the data.
  bool stratified = false;
};

struct Interval {
  double low = 0;
  double high = 0;
};

// A uniform number in [0, bound), the same on every platform (Lemire 2019, multiply and reject).
// REQUIRES: 0 < bound.
std::uint32_t UniformBelow(std::mt19937_64& random, std::uint32_t bound);

// Measures `figures` figures on each resample. `measure` gets how often each case was drawn and
// returns one optional for each figure. A figure that is not defined in more than one resample in
// ten has no interval: its spread would be that of the lucky ones.
// REQUIRES: positive.size() < 2^32.
std::vector<std::optional<Interval>> BootstrapIntervals(
    std::span<const std::uint8_t> positive, std::size_t figures,
    const std::function<std::vector<std::optional<double>>(std::span<const std::uint32_t>)>&
        measure,
    const BootstrapOptions& options);

}  // namespace safeguard::eval
