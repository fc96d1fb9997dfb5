#include "engine/text/bert_characters.h"

#include <gtest/gtest.h>

#include <string>

namespace safeguard::engine {
namespace {

TEST(BertCharacters, Control) {
  for (const char32_t c : {0x0, 0x1F, 0x7F, 0x85, 0xAD, 0x200D, 0x202E, 0xE000, 0xE0041, 0xFFFD}) {
    EXPECT_TRUE(IsBertControl(c)) << static_cast<unsigned>(c);
  }
  for (const char32_t c : {0x9, 0xA, 0xD, 0x20, 0xA0, 0x378, 0xFFFC, 0x2028}) {
    EXPECT_FALSE(IsBertControl(c)) << static_cast<unsigned>(c);
  }
}

TEST(BertCharacters, WhatCameAfterUnicode8IsALetter) {
  EXPECT_FALSE(IsBertControl(0x8E2));       // Cf since 9.0
  EXPECT_FALSE(IsBertPunctuation(0x2E4F));  // Po since 12.0
  EXPECT_FALSE(IsBertAccent(0x1AC0));       // Mn since 13.0
  EXPECT_EQ(BertCombiningClass(0x1AC0), 0);
  EXPECT_EQ(BertCombiningClass(0x1DFB), 230);  // 9.0: known to the normalisation
  EXPECT_EQ(BertDecomposition(0x11938).view(), U"\U00011938");
}

TEST(BertCharacters, CategoriesThatChangedSince) {
  EXPECT_TRUE(IsBertPunctuation(0x166D));
  EXPECT_TRUE(IsBertPunctuation(0x111C9));
  EXPECT_FALSE(IsBertAccent(0x111C9));
  EXPECT_TRUE(IsBertAccent(0x1734));
  EXPECT_FALSE(IsBertAccent(0x1885));
  EXPECT_FALSE(IsBertAccent(0x1886));
  EXPECT_FALSE(IsBertAccent(0xA9BD));
}

TEST(BertCharacters, AsciiSymbolsArePunctuation) {
  for (const char c : std::string("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")) {
    EXPECT_TRUE(IsBertPunctuation(static_cast<unsigned char>(c))) << c;
  }
  for (const char32_t c : U"0aZ \u20AC\u00B0\u00A3") {
    EXPECT_FALSE(IsBertPunctuation(c)) << static_cast<unsigned>(c);
  }
}

TEST(BertCharacters, Ideographs) {
  for (const char32_t c : {0x3400, 0x4E00, 0x9FFF, 0xF900, 0x20000, 0x2B740, 0x2B920, 0x2FA1F}) {
    EXPECT_TRUE(IsBertIdeograph(c)) << static_cast<unsigned>(c);
  }
  for (const char32_t c : {0x3042, 0x30A2, 0xAC00, 0x3007, 0x2B820, 0x2CEB0, 0x33FF}) {
    EXPECT_FALSE(IsBertIdeograph(c)) << static_cast<unsigned>(c);
  }
}

TEST(BertCharacters, LowerKnowsNewCapitals) {
  EXPECT_EQ(BertLower(U'Q').view(), U"q");
  EXPECT_EQ(BertLower(U'[').view(), U"[");
  EXPECT_EQ(BertLower(0xA7CB).view(), U"\u0264");
  EXPECT_EQ(BertLower(0x10D65).view(), U"\U00010D85");
  EXPECT_EQ(BertLower(0x10D66).view(), U"\U00010D66");
  EXPECT_EQ(BertLower(0x130).view(), U"i\u0307");
}

}  // namespace
}  // namespace safeguard::engine
