#include "base/json_depth.h"

#include <string>

#include "gtest/gtest.h"

namespace safeguard {
namespace {

TEST(JsonDepthTest, CountsTheDeepestNesting) {
  EXPECT_EQ(JsonDepth(""), 0U);
  EXPECT_EQ(JsonDepth("1"), 0U);
  EXPECT_EQ(JsonDepth("[]"), 1U);
  EXPECT_EQ(JsonDepth(R"({"a":[1,{"b":2}],"c":[]})"), 3U);
  EXPECT_EQ(JsonDepth(std::string(1000, '[')), 1000U);
}

TEST(JsonDepthTest, BracketsInStringsDoNotCount) {
  EXPECT_EQ(JsonDepth(R"(["[[[{{"])"), 1U);
  EXPECT_EQ(JsonDepth(R"(["a\"[[","b"])"), 1U);
  EXPECT_EQ(JsonDepth(R"(["a\\",[1]])"), 2U);
}

TEST(JsonDepthTest, ClosingBracketsTooManyHideNothing) {
  EXPECT_EQ(JsonDepth("]]]}[["), 2U);
}

}  // namespace
}  // namespace safeguard
