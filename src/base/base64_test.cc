#include "base/base64.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/hash.h"

namespace safeguard {
namespace {

TEST(Base64, WritesWhatTheStandardSays) {  // RFC 4648, section 10
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(FromBase64("Zm8"), "fo");
  for (const char* wrong : {"Zg=", "Z", "Zm9v!", "Zm 9v", "====", "Zg===", "_-8="}) {
    EXPECT_FALSE(FromBase64(wrong)) << wrong;
  }
}

TEST(Base64, ComesBack) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    RC_ASSERT(FromBase64(Base64(bytes)) == std::optional<std::string>(bytes));
  }));
}

TEST(HmacSha256, GivesTheDigestsOfTheStandard) {  // RFC 4231, cases 2 and 6
  const auto hex = [](const std::string& bytes) {
    std::string text;
    for (const char c : bytes) {
      constexpr const char* kDigits = "0123456789abcdef";
      text += kDigits[static_cast<unsigned char>(c) >> 4];
      text += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return text;
  };
  EXPECT_EQ(hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(HmacSha256(std::string(131, '\xaa'),
                           "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(EqualInSecret, ComparesWholeTexts) {
  EXPECT_TRUE(EqualInSecret("abc", "abc"));
  EXPECT_FALSE(EqualInSecret("abc", "abd"));
  EXPECT_FALSE(EqualInSecret("abc", "ab"));
  EXPECT_TRUE(EqualInSecret("", ""));
}

}  // namespace
}  // namespace safeguard
