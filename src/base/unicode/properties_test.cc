#include "base/unicode/properties.h"

#include <gtest/gtest.h>

#include <string>

namespace safeguard::unicode {
namespace {

std::u32string Decomposed(char32_t c) {
  return std::u32string(CanonicalDecomposition(c).view());
}
std::u32string Lower(char32_t c) {
  return std::u32string(ToLower(c).view());
}

TEST(Properties, Categories) {
  EXPECT_EQ(CategoryOf(U'A'), Category::kUppercaseLetter);
  EXPECT_EQ(CategoryOf(0x01C5), Category::kTitlecaseLetter);
  EXPECT_EQ(CategoryOf(0x0301), Category::kNonspacingMark);
  EXPECT_EQ(CategoryOf(0x0903), Category::kSpacingMark);
  EXPECT_EQ(CategoryOf(0x20DD), Category::kEnclosingMark);
  EXPECT_EQ(CategoryOf(0x00AD), Category::kFormat);
  EXPECT_EQ(CategoryOf(0x0085), Category::kControl);
  EXPECT_EQ(CategoryOf(0xE000), Category::kPrivateUse);
  EXPECT_EQ(CategoryOf(0xD800), Category::kSurrogate);
  EXPECT_EQ(CategoryOf(0x0378), Category::kUnassigned);
  EXPECT_EQ(CategoryOf(0x20AC), Category::kCurrencySymbol);
  EXPECT_EQ(CategoryOf(0x00BB), Category::kFinalPunctuation);
}

TEST(Properties, GroupsOfCategories) {
  for (const char32_t c : U"!-(){}_\u00AB\u00BB\u2014\u3001") {
    if (c != 0) {
      EXPECT_TRUE(IsPunctuation(CategoryOf(c))) << static_cast<unsigned>(c);
    }
  }
  for (const char32_t c : U"$+<^`a1 \u20AC") {
    EXPECT_FALSE(IsPunctuation(CategoryOf(c))) << static_cast<unsigned>(c);
  }
  EXPECT_TRUE(IsOther(CategoryOf(0)));
  EXPECT_TRUE(IsOther(CategoryOf(0x200D)));
  EXPECT_TRUE(IsOther(CategoryOf(0xE000)));
  EXPECT_FALSE(IsOther(CategoryOf(0x0378))) << "unassigned is not among them";
}

TEST(Properties, WhiteSpaceIsTheProperty) {
  int count = 0;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    count += IsWhiteSpace(c) ? 1 : 0;
  }
  EXPECT_EQ(count, 25);  // PropList.txt, stable since 6.3
  EXPECT_TRUE(IsWhiteSpace(0x85));
  EXPECT_TRUE(IsWhiteSpace(0x3000));
  EXPECT_FALSE(IsWhiteSpace(0x200B));
  EXPECT_FALSE(IsWhiteSpace(0x180E));
}

TEST(Properties, Age) {
  EXPECT_EQ(AgeOf(U'a'), (Version{1, 1}));
  EXPECT_EQ(AgeOf(0x20BF), (Version{10, 0}));
  EXPECT_EQ(AgeOf(0x0378), (Version{0, 0}));
  EXPECT_LT(AgeOf(0x20BF), (Version{12, 1}));
}

TEST(Properties, Decomposition) {
  EXPECT_EQ(Decomposed(U'a'), U"a");
  EXPECT_EQ(Decomposed(0xE9), U"e\u0301");
  EXPECT_EQ(Decomposed(0x1F82), U"\u03B1\u0313\u0300\u0345");
  EXPECT_EQ(Decomposed(0xD55C), U"\u1112\u1161\u11AB");
  EXPECT_EQ(Decomposed(0x212B), U"A\u030A") << "all the way down";
  EXPECT_EQ(Decomposed(0xFB01), U"\uFB01") << "no compatibility mappings";
  EXPECT_EQ(Decomposed(0x2F800), U"\u4E3D");
}

TEST(Properties, CombiningClass) {
  EXPECT_EQ(CombiningClass(U'a'), 0);
  EXPECT_EQ(CombiningClass(0x0301), 230);
  EXPECT_EQ(CombiningClass(0x0323), 220);
  EXPECT_EQ(CombiningClass(0x0334), 1);
}

TEST(Properties, ToLowerHasNoContext) {
  EXPECT_EQ(Lower(U'A'), U"a");
  EXPECT_EQ(Lower(0x130), U"i\u0307");
  EXPECT_EQ(Lower(0x3A3), U"\u03C3");
  EXPECT_EQ(Lower(0xDF), U"\u00DF");
  EXPECT_EQ(Lower(0x1E9E), U"\u00DF");
  EXPECT_EQ(Lower(0x10400), U"\U00010428");
}

TEST(Properties, TotalOverAllValues) {
  for (const char32_t c : {char32_t{0xD800}, char32_t{0x110000}, char32_t{0xFFFFFFFF}}) {
    EXPECT_EQ(Decomposed(c), std::u32string(1, c));
    EXPECT_EQ(Lower(c), std::u32string(1, c));
    EXPECT_EQ(CombiningClass(c), 0);
    EXPECT_FALSE(IsWhiteSpace(c));
  }
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    ASSERT_LE(Decomposed(c).size(), 4U);
  }
}

}  // namespace
}  // namespace safeguard::unicode
