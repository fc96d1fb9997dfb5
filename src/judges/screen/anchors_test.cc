#include "judges/screen/anchors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace safeguard::judges {
namespace {

using moderation::Example;
using moderation::Level;
using moderation::Policy;
using moderation::Rule;
using moderation::Side;

Rule MakeRule(std::string id, std::string text, Side side) {
  Rule rule;
  rule.id = std::move(id);
  rule.text = std::move(text);
  rule.side = side;
  return rule;
}

TEST(Anchors, RulesTheirQuotedExamplesAndLabelledExamples) {
  Policy policy;
  policy.rules = {
      MakeRule("A1", "Sells to strangers: \"check out my shop\", \u201CDM for prices\u201D",
               Side::kViolating),
      MakeRule("A0", "Was asked for", Side::kSafe), MakeRule("N", "Be fair", Side::kNone)};
  Example example;
  example.text = "Buy gold rings";
  example.side = Side::kViolating;
  example.rule_ids = {"A1"};
  policy.examples = {example, example};
  const std::vector<Anchor> anchors = AnchorsOf(policy);
  ASSERT_EQ(anchors.size(), 5U);
  EXPECT_EQ(anchors[1].text, "check out my shop");
  EXPECT_EQ(anchors[2].text, "DM for prices");
  EXPECT_EQ(anchors[3].side, Side::kSafe);
  EXPECT_EQ(anchors[4].text, "Buy gold rings");
  EXPECT_EQ(anchors[4].rule, 0U);
}

TEST(Anchors, ALevelStandsForItselfOnlyWhereItHasNoRules) {
  Policy policy;
  Level with;
  with.id = "L1";
  with.name = "Spam";
  with.side = Side::kViolating;
  Level without = with;
  without.id = "L2";
  without.name = "Scam";
  without.text = "takes money by deceit";
  policy.levels = {with, without};
  policy.rules = {MakeRule("L1.a", "Advertises", Side::kViolating)};
  policy.rules[0].level_id = "L1";
  const std::vector<Anchor> anchors = AnchorsOf(policy);
  ASSERT_EQ(anchors.size(), 2U);
  EXPECT_EQ(anchors[1].text, "Scam: takes money by deceit");
}

TEST(Anchors, AnUnclosedQuoteIsNoQuote) {
  Policy policy;
  policy.rules = {MakeRule("A", "Says \"come here and never closes", Side::kViolating)};
  EXPECT_EQ(AnchorsOf(policy).size(), 1U);
}

}  // namespace
}  // namespace safeguard::judges
