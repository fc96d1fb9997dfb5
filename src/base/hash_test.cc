#include "base/hash.h"

#include <gtest/gtest.h>

#include <string_view>

namespace safeguard {
namespace {

TEST(Hash, Sha256OfTheEmptyStringIsThePublishedOne) {
  EXPECT_EQ(Sha256Hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hash, Blake2bOfTheEmptyStringIsThePublishedOne) {
  EXPECT_EQ(Blake2bHex(""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST(Hash, OneByteChangesEverything) {
  EXPECT_NE(Blake2bHex("policy"), Blake2bHex("policy "));
}

}  // namespace
}  // namespace safeguard
