#include "moderation/cascade/budget/demand.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace safeguard::moderation::budget {
namespace {

constexpr double kBinsAnOctave = 8;
constexpr double kLeastOctave = -48;            // gain per token 2^-48 and less is one bin
constexpr double kGolden = 0.6180339887498949;  // the most even of all additive sequences
constexpr double kForgetEverySeconds = 0.05;
constexpr double kSecondsLeast = 1;  // one burst at the start is no rate

double SecondsOf(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::size_t Demand::BinOf(double gain_per_token) {
  if (!(gain_per_token > 0)) {
    return 0;
  }
  const double bin = (std::log2(gain_per_token) - kLeastOctave) * kBinsAnOctave;
  return static_cast<std::size_t>(std::clamp(bin, 0.0, static_cast<double>(kBins - 1)));
}

void Demand::Forget(Duration now) {
  if (!started_) {
    started_ = true;
    start_ = now;
    at_ = now;
  }
  const double passed = SecondsOf(now - at_);
  if (passed < kForgetEverySeconds) {
    return;
  }
  const double kept = std::exp(-passed / kMemorySeconds);
  for (double& cost : cost_) {
    cost *= kept;
  }
  total_ = std::accumulate(cost_.begin(), cost_.end(), 0.0);
  at_ = now;
}

double Demand::Seconds() const {
  // An exponential window that began at start_ holds less than kMemorySeconds at first.
  const double age = SecondsOf(at_ - start_);
  return std::max(kSecondsLeast, kMemorySeconds * (1 - std::exp(-age / kMemorySeconds)));
}

void Demand::Add(double gain_per_token, double tokens, Duration now) {
  Forget(now);
  cost_[BinOf(gain_per_token)] += tokens;
  total_ += tokens;
}

double Demand::Rate(Duration now) {
  Forget(now);
  return total_ / Seconds();
}

double Demand::Below(double gain_per_token, Duration now) {
  Forget(now);
  const std::size_t bin = BinOf(gain_per_token);
  const double below =
      std::accumulate(cost_.begin(), cost_.begin() + static_cast<std::ptrdiff_t>(bin), 0.0);
  turn_ += kGolden;
  turn_ -= std::floor(turn_);
  return (below + turn_ * cost_[bin]) / Seconds();
}

}  // namespace safeguard::moderation::budget
