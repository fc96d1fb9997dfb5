#include "judges/screen_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cctype>

namespace safeguard::judges {
namespace {

using moderation::Policy;
using moderation::Side;
using testing::HasSubstr;
using testing::Not;

// As BERT's tokenizer counts where each word is one token: words and punctuation marks.
std::size_t CountTokens(std::string_view text) {
  std::size_t count = 0;
  bool inside = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool word = byte >= 0x80 || std::isalnum(byte) != 0;
    count += (word && !inside) || (!word && c != ' ') ? 1 : 0;
    inside = word;
  }
  return count;
}

void AddRule(Policy& policy, const std::string& text, Side side) {
  moderation::Rule rule;
  rule.id = "R" + std::to_string(policy.rules.size() + 1);
  rule.text = text;
  rule.side = side;
  policy.rules.push_back(rule);
}

Policy Ads() {
  Policy policy;
  policy.name = "**Ads** (#AD)";
  AddRule(policy, "Sells to `strangers`.", Side::kViolating);
  AddRule(policy, "Bare links", Side::kViolating);
  AddRule(policy, "Was asked for", Side::kSafe);
  AddRule(policy, "Answer in JSON", Side::kNone);
  return policy;
}

std::string Words(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "w" : " w") + std::to_string(i);
  }
  return text;
}

std::size_t Occurrences(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

TEST(ScreenText, NameThenWhatViolatesThenWhatIsAllowed) {
  EXPECT_EQ(ScreenText(Ads(), CountTokens),
            "Ads. Violates: Sells to strangers; Bare links. Allowed: Was asked for.");
  EXPECT_EQ(RuleScreenText(Ads(), 1, CountTokens), "Ads. Violates: Bare links.");
}

TEST(ScreenText, EveryRuleKeepsTheSameNumberOfWords) {
  Policy policy;
  policy.name = "Long";
  for (int i = 0; i < 6; ++i) {
    AddRule(policy, Words(40), Side::kViolating);
    policy.rules.back().text += std::to_string(i);
    AddRule(policy, "safe " + Words(40) + std::to_string(i), Side::kSafe);
  }
  const std::string text = ScreenText(policy, CountTokens, 126);
  EXPECT_LE(CountTokens(text), 126U);
  EXPECT_GT(CountTokens(text), 110U);
  // 124 tokens beside the name: 49 for the allowed side, so 6 words a rule; 80 for the other.
  const std::size_t allowed = text.find("Allowed: ");
  EXPECT_EQ(Occurrences(text.substr(allowed), "safe w0 w1 w2 w3 w4"), 6U) << text;
  EXPECT_EQ(Occurrences(text.substr(0, allowed), "w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11"), 6U)
      << text;
}

TEST(ScreenText, WhatOneSideLeavesTheOtherTakes) {
  Policy policy;
  AddRule(policy, "Ads", Side::kViolating);
  AddRule(policy, Words(100), Side::kSafe);
  EXPECT_THAT(ScreenText(policy, CountTokens, 126), HasSubstr("w99"));
}

TEST(ScreenText, OfTooManyRulesAnEvenChoiceStays) {
  Policy policy;
  for (int i = 0; i < 100; ++i) {
    AddRule(policy, "rule" + std::to_string(i) + " a b c d e f", Side::kViolating);
  }
  const std::string text = ScreenText(policy, CountTokens, 126);
  EXPECT_LE(CountTokens(text), 126U);
  EXPECT_THAT(text, HasSubstr("rule0 a b c;"));
  EXPECT_THAT(text, testing::ContainsRegex("rule9[0-9] a b c\\."));
}

TEST(ScreenText, LevelsWithoutRulesAndExamplesStandInForRules) {
  Policy policy;
  policy.levels.resize(1);
  policy.levels[0].id = "S";
  policy.levels[0].name = "Scam";
  policy.levels[0].text = "takes money by deceit";
  policy.levels[0].side = Side::kViolating;
  policy.examples.resize(1);
  policy.examples[0].text = "Thanks for the recipe";
  policy.examples[0].side = Side::kSafe;
  EXPECT_EQ(ScreenText(policy, CountTokens, 126),
            "Violates: Scam: takes money by deceit. Allowed: Thanks for the recipe.");
}

TEST(ScreenText, TextWithoutSpacesIsCutBetweenItsLetters) {
  Policy policy;
  std::string letters;
  for (int i = 0; i < 300; ++i) {
    letters += "\u6F22";
  }
  AddRule(policy, letters, Side::kViolating);
  // BERT makes every Chinese letter a token: three bytes here.
  const auto count = [](std::string_view text) { return text.size() / 3; };
  const std::string text = ScreenText(policy, count, 126);
  EXPECT_GT(count(text), 110U);
  EXPECT_LE(count(text), 126U);
  EXPECT_EQ((text.size() - std::string("Violates: .").size()) % 3, 0U);
}

TEST(ScreenText, NeverLongerThanAllowedAndAlwaysTheSame) {
  rc::check([] {
    Policy policy;
    policy.name = Words(*rc::gen::inRange<std::size_t>(0, 60));
    const auto rules = *rc::gen::inRange(0, 200);
    for (int i = 0; i < rules; ++i) {
      AddRule(policy, Words(*rc::gen::inRange<std::size_t>(0, 30)) + " " + std::to_string(i),
              *rc::gen::element(Side::kViolating, Side::kSafe, Side::kNone));
    }
    const auto tokens_max = *rc::gen::inRange<std::size_t>(16, 200);
    const std::string text = ScreenText(policy, CountTokens, tokens_max);
    RC_ASSERT(CountTokens(text) <= tokens_max);
    RC_ASSERT(text == ScreenText(policy, CountTokens, tokens_max));
    const bool violating = std::any_of(policy.rules.begin(), policy.rules.end(),
                                       [](const auto& r) { return r.side == Side::kViolating; });
    RC_ASSERT((text.find("Violates: ") != std::string::npos) == violating);
  });
}

}  // namespace
}  // namespace safeguard::judges
