#include "base/hash.h"

#include <gtest/gtest.h>

#include <string_view>

#include "base/blake2b.h"

namespace safeguard {
namespace {

TEST(Hash, Sha256OfTheEmptyStringIsThePublishedOne) {
  EXPECT_EQ(Sha256Hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hash, Blake2bOfTheEmptyStringIsThePublishedOne) {
  EXPECT_EQ(Blake2bHex(""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST(Hash, InPartsItIsTheSame) {
  Blake2b parts;
  EXPECT_EQ(Blake2b().Hex(), Blake2bHex(""));
  for (const std::string_view part : {"po", "", "licy"}) {
    parts.Update(part);
  }
  EXPECT_EQ(parts.Hex(), Blake2bHex("policy"));
}

TEST(Hash, OneByteChangesEverything) {
  EXPECT_NE(Blake2bHex("policy"), Blake2bHex("policy "));
}

}  // namespace
}  // namespace safeguard
