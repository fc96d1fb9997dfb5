// Calls on threads: done, late, or not begun, and nothing lost when the caller goes away.
#include "apps/route/system_time.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace safeguard::apps {
namespace {

using moderation::TimedCalls;

TEST(ThreadedCalls, WorkThatReturnsIsDone) {
  const auto calls = ThreadedCalls(2);
  auto ran = std::make_shared<bool>(false);
  EXPECT_EQ(calls->RunWithin(std::chrono::hours(1), [ran] { *ran = true; }),
            TimedCalls::End::kDone);
  EXPECT_TRUE(*ran);
}

TEST(ThreadedCalls, LateWorkTakesAPlaceUntilItEnds) {
  auto release = std::make_shared<std::latch>(1);
  auto ended = std::make_shared<std::atomic<bool>>(false);
  {
    const auto calls = ThreadedCalls(1);
    EXPECT_EQ(calls->RunWithin(std::chrono::milliseconds(1),
                               [release, ended] {
                                 release->wait();
                                 *ended = true;
                               }),
              TimedCalls::End::kLate);
    EXPECT_EQ(calls->RunWithin(std::chrono::hours(1), [] {}), TimedCalls::End::kBusy);
    release->count_down();
  }  // waits
  EXPECT_TRUE(*ended);
}

TEST(ThreadedCalls, WithoutTimeNothingIsBegun) {
  const auto calls = ThreadedCalls(1);
  EXPECT_EQ(calls->RunWithin(moderation::Duration{0}, [] { FAIL(); }), TimedCalls::End::kLate);
}

TEST(SteadyClock, NeverFalls) {
  const auto clock = SteadyClock();
  const moderation::Duration first = clock->Now();
  EXPECT_GE(clock->Now(), first);
}

}  // namespace
}  // namespace safeguard::apps
