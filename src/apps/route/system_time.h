// Time and threads for a cascade, as the machine has them.
#pragma once

#include <cstddef>
#include <memory>

#include "moderation/clock.h"

namespace safeguard::apps {

// std::chrono::steady_clock.
std::unique_ptr<moderation::Clock> SteadyClock();

// Since 1970 UTC; where the system's clock is set back it stands still until it is past.
std::unique_ptr<moderation::Clock> CalendarClock();

// A thread for each call; at most `calls_max` at once, those included that run on after their time.
// Destruction waits for them. REQUIRES: calls_max > 0.
std::unique_ptr<moderation::TimedCalls> ThreadedCalls(std::size_t calls_max);

}  // namespace safeguard::apps
