// Rotary position embedding with YaRN's frequencies (arXiv:2309.00071, "NTK by parts").
#pragma once

#include <cstddef>
#include <vector>

#include "engine/model/gpt_oss_config.h"

namespace safeguard::engine::cpu {

class Rope {
 public:
  Rope(const RopeConfig& config, std::size_t head_dim);

  // Radians a position, by pair of components: head_dim / 2 of them.
  [[nodiscard]] const std::vector<float>& frequencies() const { return frequencies_; }
  // What cos and sin are multiplied by: 0.1 ln(factor) + 1, 1 for a factor up to 1.
  [[nodiscard]] double concentration() const { return concentration_; }

  // cos and sin of every pair at `position`, times the concentration: head_dim / 2 floats each.
  // An angle is position * frequency rounded to binary32, as in the models' own code: they were
  // trained with that rounding, which comes to 0.004 at position 131071. cos and sin of it are
  // exact.
  void Angles(std::size_t position, float* cosines, float* sines) const;

 private:
  std::vector<float> frequencies_;
  double concentration_ = 1;
};

// Turns the pairs (i, i + head_dim / 2) of one head in place, then multiplies by `scale`.
void Rotate(const float* cosines, const float* sines, std::size_t head_dim, float scale,
            float* head);

}  // namespace safeguard::engine::cpu
