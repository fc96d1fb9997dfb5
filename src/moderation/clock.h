// Time, chance and waiting as the domain sees them: given by the caller, so that a simulation runs
// on a seeded clock and the domain knows no other.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace safeguard::moderation {

using Duration = std::chrono::microseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  // Since some fixed moment; never falls. Thread-safe.
  [[nodiscard]] virtual Duration Now() const = 0;
};

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Uniform in [0, 1). Thread-safe.
  virtual double Uniform() = 0;
  // 64 random bits. Thread-safe.
  virtual std::uint64_t Bits() = 0;
};

// SplitMix64 (Steele, Lea and Flood 2014): the same seed gives the same draws. Not for secrets.
std::unique_ptr<RandomSource> SeededRandom(std::uint64_t seed);

// Runs work that may take longer than the caller can wait.
class TimedCalls {
 public:
  virtual ~TimedCalls() = default;
  enum class End { kDone, kLate, kBusy };
  // Runs `work` and waits for it at most `limit`. kDone: it has returned. kLate: it goes on without
  // the caller, who must not look at what it writes; so `work` owns all that it touches. kBusy: too
  // much is running already; `work` was not begun. Thread-safe.
  virtual End RunWithin(Duration limit, std::function<void()> work) = 0;
};

}  // namespace safeguard::moderation
