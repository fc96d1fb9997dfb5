#include "engine/cpu/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace safeguard::engine::cpu {

Rope::Rope(const RopeConfig& config, std::size_t head_dim) {
  const auto dim = static_cast<double>(head_dim);
  // The pair that turns `turns` times within the original context.
  const auto pair_of = [&](double turns) {
    return dim * std::log(config.original_context / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(config.theta));
  };
  double low = pair_of(config.beta_fast);
  double high = pair_of(config.beta_slow);
  if (config.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dim - 1);
  if (low == high) {
    high += 0.001;  // a step instead of a division by zero
  }
  for (std::size_t j = 0; j < head_dim / 2; ++j) {
    const double plain = std::pow(config.theta, -2.0 * static_cast<double>(j) / dim);
    const double ramp = std::clamp((static_cast<double>(j) - low) / (high - low), 0.0, 1.0);
    frequencies_.push_back(static_cast<float>(plain * (1 - ramp) + plain / config.factor * ramp));
  }
  concentration_ = config.factor > 1 ? 0.1 * std::log(config.factor) + 1 : 1;
}

void Rope::Angles(std::size_t position, float* cosines, float* sines) const {
  for (std::size_t j = 0; j < frequencies_.size(); ++j) {
    const double angle = double{static_cast<float>(position) * frequencies_[j]};
    cosines[j] = static_cast<float>(std::cos(angle) * concentration_);
    sines[j] = static_cast<float>(std::sin(angle) * concentration_);
  }
}

void Rotate(const float* cosines, const float* sines, std::size_t head_dim, float scale,
            float* head) {
  const std::size_t half = head_dim / 2;
  for (std::size_t j = 0; j < half; ++j) {
    const float a = head[j];
    const float b = head[j + half];
    head[j] = (a * cosines[j] - b * sines[j]) * scale;
    head[j + half] = (b * cosines[j] + a * sines[j]) * scale;
  }
}

}  // namespace safeguard::engine::cpu
