// SharedBucket: a token bucket that several processes draw from, so that a budget holds over all of
// them. Each tells at every exchange what it wants and sees, and learns what the others do: then
// every one gives up its part of what does not fit, as one governor would.
#pragma once

#include <optional>

#include "moderation/clock.h"

namespace safeguard::moderation {

class SharedBucket {
 public:
  struct Mine {
    double take = 0;     // tokens to draw; negative: gives back
    double rate = 0;     // tokens a second that it sees allowed; infinite: it only looks
    double limit = 0;    // what its settings allow whatever is guarded; infinite: nothing states it
    double burst_s = 0;  // the bucket holds this long of the rate
    double demand = 0;   // tokens a second that serving all of its own would cost
    double guarded = 0;  // its tokens of guarded models of late, as a share is of
  };
  struct Others {
    double level = 0;  // tokens in the bucket now, after `take`; negative: debt
    double rate = 0;   // the least of all that draw from it: what it fills at
    double demand = 0;
    double guarded = 0;
  };

  virtual ~SharedBucket() = default;
  // Refills, draws and tells. Empty: not agreed with the others in the time of a request; then
  // nothing was drawn, and the caller grants nothing until it has agreed. Thread-safe.
  virtual std::optional<Others> Exchange(const Mine& mine) = 0;
};

}  // namespace safeguard::moderation
