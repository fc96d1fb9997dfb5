#include "judges/screen/plain_text.h"

#include <gtest/gtest.h>

namespace safeguard::judges {
namespace {

std::string Plain(std::string_view text) {
  moderation::Policy policy;
  moderation::Rule rule;
  rule.id = "no-ads";
  policy.rules = {rule};
  return PlainText(text, policy);
}

TEST(PlainText, MarksGoAndWordsStay) {
  EXPECT_EQ(Plain("**Sells** to `strangers`:\n  _anything_ at all."),
            "Sells to strangers: anything at all");
  EXPECT_EQ(Plain("| a cell | another |"), "a cell another");
  EXPECT_EQ(Plain("See [our *guide*](https://example.com/a_(b)) first;"), "See our guide) first");
  EXPECT_EQ(Plain("line<br/>break <b>bold</b>"), "line break bold");
  EXPECT_EQ(Plain("## Title ##"), "Title");
  EXPECT_EQ(Plain(R"(5 \* 5 \# \\)"), R"(5 * 5 # \)");
}

TEST(PlainText, WhatOnlyLooksLikeDressStays) {
  EXPECT_EQ(Plain("f*ck and snake_case, 3 < 5 and <3"), "f*ck and snake_case, 3 < 5 and <3");
  EXPECT_EQ(Plain("#metoo (under 18) [sic]"), "#metoo (under 18) [sic]");
  EXPECT_EQ(Plain("ends in (brackets) [open"), "ends in (brackets) [open");
  EXPECT_EQ(Plain("dies \u00FCber\u00DFt **\u6F22\u5B57**"), "dies \u00FCber\u00DFt \u6F22\u5B57");
}

TEST(PlainText, BracketsOfIdsGo) {
  EXPECT_EQ(Plain("Spam and Promotion Policy (#SP)"), "Spam and Promotion Policy");
  EXPECT_EQ(Plain("Quotes it [SP2.a, SP3.b and AR3] or (no-ads) not"), "Quotes it or not");
  EXPECT_EQ(Plain("(USA) and (A)"), "(USA) and (A)");
}

TEST(PlainText, HostileBracketsTakeLinearTime) {
  const std::string open(1 << 20, '[');
  EXPECT_EQ(Plain(open), open);
}

TEST(PlainText, NothingIsNothing) {
  EXPECT_EQ(Plain(""), "");
  EXPECT_EQ(Plain(" ** \n"), "");
  EXPECT_EQ(Plain("\\"), "\\");
  EXPECT_EQ(Plain("["), "[");
}

}  // namespace
}  // namespace safeguard::judges
