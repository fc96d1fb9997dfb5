#include "moderation/clock.h"

#include <atomic>

namespace safeguard::moderation {
namespace {

class SplitMix final : public RandomSource {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}

  double Uniform() override { return static_cast<double>(Bits() >> 11) * 0x1p-53; }

  std::uint64_t Bits() override {
    std::uint64_t z = state_.fetch_add(kGamma, std::memory_order_relaxed) + kGamma;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

 private:
  static constexpr std::uint64_t kGamma = 0x9E3779B97F4A7C15ULL;
  std::atomic<std::uint64_t> state_;
};

}  // namespace

std::unique_ptr<RandomSource> SeededRandom(std::uint64_t seed) {
  return std::make_unique<SplitMix>(seed);
}

}  // namespace safeguard::moderation
