// Demand of the recent past: what serving everything would cost a second, by gain per token.
#pragma once

#include <array>
#include <cstddef>

#include "moderation/clock.h"

namespace safeguard::moderation::budget {

// Cost by gain per token, forgotten exponentially. Bins are an eighth of an octave wide, so a
// threshold is exact to 9 %; Position() spreads the cases of one bin evenly, so that shares are
// exact.
class Demand {
 public:
  static constexpr double kMemorySeconds = 20;

  void Add(double gain_per_token, double tokens, Duration now);
  // Tokens a second.
  [[nodiscard]] double Rate(Duration now);
  // Tokens a second that are asked for with less gain per token than a case of this one; within its
  // bin the cases take turns.
  [[nodiscard]] double Below(double gain_per_token, Duration now);

 private:
  static constexpr std::size_t kBins = 512;
  static std::size_t BinOf(double gain_per_token);
  void Forget(Duration now);
  [[nodiscard]] double Seconds() const;  // that the sums stand for

  std::array<double, kBins> cost_{};
  double total_ = 0;
  bool started_ = false;
  Duration start_{};
  Duration at_{};
  double turn_ = 0;
};

}  // namespace safeguard::moderation::budget
