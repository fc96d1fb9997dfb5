#include "judges/dedicated/feature_text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace safeguard::judges {
namespace {

TEST(FeatureText, LowersAndSetsWordsApart) {
  EXPECT_EQ(FeatureText("  WIN £100\tNow!! "), "win £ 100 now ! !");
  EXPECT_EQ(FeatureText("Grüße, ÉCOLE"), "grüße , école");
}

TEST(FeatureText, IdeographsAreWords) {
  EXPECT_EQ(FeatureText("免费money"), "免 费 money");
}

TEST(FeatureText, NothingPassesForALabelOrALineEnd) {
  EXPECT_EQ(FeatureText("\x01v __label__x </s>\nnext"), "v _ _ label _ _ x < / s > next");
}

TEST(FeatureText, UndrawnCharactersAreDropped) {
  EXPECT_EQ(FeatureText("fr\u200bee\u00ad"), "free");
  EXPECT_EQ(FeatureText("\u200b \u200d"), "");
}

TEST(FeatureText, LongWordsAreCut) {
  const std::string text = FeatureText(std::string(250, 'a'));
  EXPECT_EQ(text, std::string(100, 'a') + " " + std::string(100, 'a') + " " + std::string(50, 'a'));
}

TEST(FeatureText, WhateverComesInWordsAreApartBySingleSpaces) {
  rc::check([](const std::string& bytes) {
    const std::string text = FeatureText(bytes);
    RC_ASSERT(text.find("  ") == std::string::npos);
    RC_ASSERT(text.empty() || (text.front() != ' ' && text.back() != ' '));
    RC_ASSERT(text.find_first_of("\n\r\t\v\f\x01") == std::string::npos);
    RC_ASSERT(text.find('\0') == std::string::npos);
    RC_ASSERT(FeatureText(text) == text);
  });
}

}  // namespace
}  // namespace safeguard::judges
