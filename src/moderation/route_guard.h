// RouteGuard: what a route says about traffic that passes through the guarding proxy under it, each
// direction for itself. Values alone; http/proxy keeps what they promise.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "moderation/clock.h"

namespace safeguard::moderation {

// What a violation comes to. kScore: it is told and stops nothing.
enum class GuardMode { kBlock, kScore };

// What comes of text that could not be judged: it is stopped, it passes and that is told, or a
// slower judge is asked and what that cannot judge either is stopped.
enum class GuardFailure { kClosed, kOpen, kDegrade };

// Requests, or answers.
struct GuardSide {
  GuardMode mode = GuardMode::kBlock;
  GuardFailure fails = GuardFailure::kClosed;
  std::vector<std::string> policies{};  // of the route's, as it names them; empty: all of them
};

inline constexpr std::size_t kVisibleTokensMax = 100'000;
inline constexpr Duration kVisibleTimeMax = std::chrono::seconds(60);

struct RouteGuard {
  GuardSide input;
  GuardSide output;
  // Of a stream: at most so many tokens are ever visible before they are judged, and none for
  // longer. With either 0 nothing is.
  std::size_t visible_tokens = 0;                          // 0..kVisibleTokensMax
  Duration visible_time = std::chrono::milliseconds(500);  // 0..kVisibleTimeMax
};

}  // namespace safeguard::moderation
