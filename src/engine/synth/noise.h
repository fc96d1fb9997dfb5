// Random numbers by counter: number i of a stream costs the same as number 0, so that any part of
// a tensor can be made by any thread and in any format.
#pragma once

#include <cstdint>
#include <string_view>

namespace safeguard::engine {

// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection that mixes well.
inline std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

class Noise {
 public:
  Noise() = default;
  // Streams of other seeds or names are independent.
  Noise(std::uint64_t seed, std::string_view name) : key_(Mix(seed + 0x9E3779B97F4A7C15U)) {
    for (const char c : name) {
      key_ = Mix(key_ ^ static_cast<unsigned char>(c));
    }
  }

  [[nodiscard]] std::uint64_t Bits(std::uint64_t i) const {
    return Mix(key_ + i * 0x9E3779B97F4A7C15U);
  }
  // Close to normal, mean 0 and deviation 1: the sum of four even numbers, within +-3.47.
  [[nodiscard]] float Normal(std::uint64_t i) const {
    const std::uint64_t bits = Bits(i);
    const std::uint64_t sum =
        (bits & 0xFFFFU) + (bits >> 16 & 0xFFFFU) + (bits >> 32 & 0xFFFFU) + (bits >> 48);
    return (static_cast<float>(sum) - 131070.0F) * (1.0F / 37837.2F);
  }

 private:
  std::uint64_t key_ = 0;
};

}  // namespace safeguard::engine
