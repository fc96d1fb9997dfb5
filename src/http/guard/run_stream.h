// A guard with scorers that answer at once: for commands, tests and measurements. Servers drive the
// machine themselves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/guard/stream_guard.h"
#include "http/guard/window_scorer.h"

namespace safeguard::guard {

struct StreamOutput {
  std::string released;
  std::vector<GuardEvent> events;
  std::size_t asked = 0;  // requests, of every kind
};

// Takes what `step` says, asks the scorers, and goes on until nothing is left to ask. `slow` may be
// null where there is no slow judge.
void Carry(StreamGuard& guard, Step step, WindowScorer& fast, WindowScorer* slow, Duration now,
           StreamOutput& output);

// A whole stream that is there already, in pieces of `chunk` bytes (0: at once).
StreamOutput RunStream(StreamGuard& guard, std::string_view bytes, std::size_t chunk,
                       WindowScorer& fast, WindowScorer* slow);

}  // namespace safeguard::guard
