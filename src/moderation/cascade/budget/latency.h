// The latencies of one reasoner's recent calls.
#pragma once

#include <array>
#include <cstddef>

#include "moderation/clock.h"

namespace safeguard::moderation::budget {

class Latencies {
 public:
  void Add(Duration latency, Duration now);
  // Whether at least half of the recent calls took at most `left`. Yes without recent calls, and
  // every sixteenth time regardless: who is never asked can never be seen to have recovered.
  bool InTime(Duration left, Duration now);

 private:
  static constexpr std::size_t kKept = 128;
  struct Call {
    Duration latency{};
    Duration at{};
  };
  std::array<Call, kKept> calls_{};
  std::size_t count_ = 0;  // ever
  std::size_t refused_ = 0;
};

}  // namespace safeguard::moderation::budget
