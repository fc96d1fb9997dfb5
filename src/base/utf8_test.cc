#include "base/utf8.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace safeguard {
namespace {

TEST(Utf8, EveryScalarValueSurvivesARoundTrip) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) {
      continue;
    }
    std::string text;
    AppendUtf8(c, text);
    const DecodedCodePoint point = DecodeUtf8(text, 0);
    ASSERT_TRUE(point.valid);
    ASSERT_EQ(point.value, c);
    ASSERT_EQ(point.length, text.size());
  }
}

TEST(Utf8, NamesTheFirstBadByte) {
  EXPECT_EQ(FirstInvalidUtf8("caf\xC3\xA9"), std::nullopt);
  EXPECT_EQ(FirstInvalidUtf8("caf\xE9 au lait"), 3U);
  EXPECT_EQ(FirstInvalidUtf8("\xC0\xAF"), 0U);          // overlong
  EXPECT_EQ(FirstInvalidUtf8("ab\xED\xA0\x80"), 2U);    // surrogate
  EXPECT_EQ(FirstInvalidUtf8("\xF4\x90\x80\x80"), 0U);  // above U+10FFFF
  EXPECT_EQ(FirstInvalidUtf8("cut \xF0\x9F\x98"), 4U);  // truncated
}

TEST(Utf8, RepairReplacesMaximalPartsAndKeepsOffsets) {
  // The example of Unicode 15.0, table 3-11, followed by ASCII.
  const RepairedText repaired = RepairUtf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41");
  EXPECT_EQ(repaired.text, "\uFFFD\uFFFD\uFFFD\uFFFD\x41");
  EXPECT_THAT(repaired.replaced_at, testing::ElementsAre(0, 2, 3, 6));
  EXPECT_EQ(repaired.origin.size(), repaired.text.size() + 1);
  EXPECT_EQ(repaired.origin[12], 8U);
  EXPECT_EQ(repaired.origin.back(), 9U);
}

}  // namespace
}  // namespace safeguard
