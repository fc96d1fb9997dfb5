#include "base/utc_time.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace safeguard {
namespace {

TEST(UtcTime, KnownTimes) {
  EXPECT_EQ(UtcText(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(UtcText(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(UtcText(1'582'934'400'000), "2020-02-29T00:00:00.000Z");
  EXPECT_EQ(ParseUtc("2020-02-29").value(), 1'582'934'400'000);
  EXPECT_EQ(ParseUtc("2020-02-29T12:00:01Z").value(), 1'582'977'601'000);
}

TEST(UtcTime, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2020", "2020-2-29", "2021-02-29", "2020-13-01", "2020-02-29T24:00:00Z",
        "2020-02-29T12:00", "2020-02-29T12:00:00", "2020-02-29T12:00:00+01:00", "2020-02-29 ",
        "0000-01-01", "2020-02-29T12:00:00.1Z", "yesterday"}) {
    EXPECT_FALSE(ParseUtc(text)) << text;
  }
}

TEST(UtcTime, RoundTrips) {
  rc::check("parse(text(t)) == t", [] {
    const auto time = *rc::gen::inRange<std::int64_t>(-62'135'596'800'000, 253'402'300'799'999);
    RC_ASSERT(ParseUtc(UtcText(time)).value() == time);
  });
}

}  // namespace
}  // namespace safeguard
