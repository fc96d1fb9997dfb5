#include "moderation/cascade/budget/latency.h"

#include <algorithm>

namespace safeguard::moderation::budget {
namespace {

constexpr Duration kRecent = std::chrono::seconds(60);
constexpr std::size_t kCallsLeast = 8;
constexpr std::size_t kTryEvery = 16;

}  // namespace

void Latencies::Add(Duration latency, Duration now) {
  calls_[count_++ % kKept] = {latency, now};
}

bool Latencies::InTime(Duration left, Duration now) {
  std::size_t recent = 0;
  std::size_t fast = 0;
  for (std::size_t i = 0; i < std::min(count_, kKept); ++i) {
    if (now - calls_[i].at <= kRecent) {
      ++recent;
      fast += calls_[i].latency <= left ? 1 : 0;
    }
  }
  if (recent < kCallsLeast || 2 * fast >= recent) {
    return true;
  }
  return ++refused_ % kTryEvery == 0;
}

}  // namespace safeguard::moderation::budget
