#include "http/webhook/address_rule.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace safeguard::http {
namespace {

bool Public(const std::string& text) {
  return IsPublic(Address::Parse(text).value());
}

TEST(AddressRule, KnowsWhatNobodyOutsideMayReach) {
  for (const char* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "10.255.255.255",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.8",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.0.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.7",
                           "203.0.113.9",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::127.0.0.1",
                           "64:ff9b::10.0.0.1",
                           "100::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1",
                           "2001::1",
                           "2001:1ff::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "3fff::1",
                           "4000::1",
                           "5f00::1"}) {
    EXPECT_FALSE(Public(text)) << text;
  }
  for (const char* text :
       {"1.1.1.1",         "9.255.255.255",     "11.0.0.1",        "100.63.255.255",
        "100.128.0.1",     "126.1.1.1",         "128.0.0.1",       "169.253.1.1",
        "172.15.255.255",  "172.32.0.1",        "192.167.1.1",     "192.169.1.1",
        "198.17.255.255",  "198.20.0.1",        "223.255.255.254", "::ffff:8.8.8.8",
        "2606:4700::1111", "2a00:1450:4001::1", "2001:4860::8888", "2001:200::1"}) {
    EXPECT_TRUE(Public(text)) << text;
  }
}

TEST(AddressRule, ReadsRanges) {
  const auto contains = [](const std::string& range, const std::string& address) {
    return AddressRange::Parse(range).value().Contains(Address::Parse(address).value());
  };
  EXPECT_TRUE(contains("10.1.0.0/16", "10.1.255.1"));
  EXPECT_FALSE(contains("10.1.0.0/16", "10.2.0.1"));
  EXPECT_TRUE(contains("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(contains("10.1.2.3", "10.1.2.4"));
  EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1")) << "of IPv4 alone";
  EXPECT_TRUE(contains("::1", "::1"));
  EXPECT_TRUE(contains("fd00::/8", "fd12::1"));
  EXPECT_FALSE(contains("fd00::/9", "fd80::1"));
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.0.0.1")) << "the same address";
  for (const char* wrong :
       {"", "host", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8",
        "fd00::/129", "/8", "10.0.0.0/8/8", "127.1", "0x7f.0.0.1"}) {
    EXPECT_FALSE(AddressRange::Parse(wrong)) << wrong;
  }
}

TEST(AddressRule, ARangeHoldsWhatSharesItsBits) {
  EXPECT_TRUE(rc::check([](std::array<std::uint8_t, 16> first, std::array<std::uint8_t, 16> other) {
    const int bits = *rc::gen::inRange(0, 129);
    const AddressRange range{{first}, bits};
    int same = 0;
    while (same < 128 && ((first[static_cast<std::size_t>(same / 8)] ^
                           other[static_cast<std::size_t>(same / 8)]) >>
                              (7 - same % 8) &
                          1) == 0) {
      ++same;
    }
    RC_ASSERT(range.Contains({other}) == (same >= bits));
    RC_ASSERT(range.Contains({first}));
  }));
}

}  // namespace
}  // namespace safeguard::http
