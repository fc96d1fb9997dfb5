#include "eval/dataset/encoding.h"

#include <gtest/gtest.h>

namespace safeguard::eval {
namespace {

TEST(Encoding, NamesWhatBytesLookLike) {
  EXPECT_EQ(GuessEncoding("caf\xE9"), "Latin-1");
  EXPECT_EQ(GuessEncoding("it\x92s \x80 5"), "Windows-1252");
  EXPECT_EQ(GuessEncoding("caf\xC3\xA9 and caf\xE9"), "Latin-1");
  EXPECT_EQ(GuessEncoding("caf\xC3\xA9"), "");
  EXPECT_EQ(GuessEncoding("\x81\x8D"), "");
  EXPECT_EQ(GuessEncoding(""), "");
}

TEST(Encoding, FindsUtf16WithoutAMark) {
  std::string little;
  std::string big;
  for (const char c : std::string("text,label\nhello there,1\n")) {
    little += {c, '\0'};
    big += {'\0', c};
  }
  EXPECT_EQ(GuessWideEncoding(little), "UTF-16LE");
  EXPECT_EQ(GuessWideEncoding(big), "UTF-16BE");
  EXPECT_EQ(GuessWideEncoding("text,label\nhello there,1\n"), "");
  EXPECT_EQ(GuessWideEncoding(std::string(64, '\0')), "");
}

}  // namespace
}  // namespace safeguard::eval
