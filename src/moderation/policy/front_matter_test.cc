#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "moderation/policy.h"
#include "moderation/policy/test_reading.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Error ErrorOf(const std::string& text) {
  const Result<Policy> policy = ReadPolicy(text, "x");
  EXPECT_FALSE(policy.has_value()) << text;
  return policy ? Error{} : policy.error();
}

TEST(FrontMatter, AllKeys) {
  const Policy policy = MustRead(
      "---\nid: refunds\nname: \"Refund abuse\"\nversion: 1.10\nlanguages: [en, fa]\n"
      "labels:\n  \"0\": safe\n  \"1\": violation\noutput: |\n  Answer with 0 or 1.\n"
      "thresholds: {violation: 0.8, safe: 0.3}\nowner: {team: [a, b]}\n---\n# Other title\n"
      "## Violates\n- x\n");
  EXPECT_TRUE(policy.has_front_matter);
  EXPECT_EQ(policy.id, "refunds");
  EXPECT_EQ(policy.name, "Refund abuse");
  EXPECT_EQ(policy.version, "1.10");
  EXPECT_THAT(policy.languages, ElementsAre("en", "fa"));
  EXPECT_THAT(policy.labels, ElementsAre("0", "1"));
  EXPECT_EQ(policy.label_meanings.at("1"), "violation");
  EXPECT_EQ(policy.output, "Answer with 0 or 1.");
  EXPECT_EQ(policy.thresholds, (Thresholds{0.8, 0.3}));
  EXPECT_EQ(policy.body_line, 14);
  EXPECT_TRUE(policy.text.starts_with("# Other title\n"));
  EXPECT_EQ(policy.rules[0].line, 16) << "lines are those of the file";
}

TEST(FrontMatter, OtherWaysToWriteTheSame) {
  const Policy list = MustRead("---\nlabels: [VALID, INVALID]\nlanguage: de\n---\n");
  EXPECT_THAT(list.labels, ElementsAre("VALID", "INVALID"));
  EXPECT_THAT(list.languages, ElementsAre("de"));
  const Policy maps = MustRead(
      "---\nlabels:\n  - {label: ok, meaning: allowed}\n  - bad: prohibited\n  - maybe: ask a "
      "person\n...\nbody\n");
  EXPECT_THAT(maps.labels, ElementsAre("ok", "bad", "maybe"));
  EXPECT_EQ(maps.label_meanings.at("ok"), "safe");
  EXPECT_EQ(maps.label_meanings.at("bad"), "violation");
  EXPECT_EQ(maps.label_meanings.at("maybe"), "ask a person");
  EXPECT_EQ(maps.text, "body\n");
  EXPECT_EQ(MustRead("---\nthresholds: {violation: 0.9}\n---\n").thresholds,
            (Thresholds{0.9, 0.5}));
  EXPECT_EQ(MustRead("---\nthresholds: {safe: 0.7}\n---\n").thresholds, (Thresholds{0.7, 0.7}));
}

TEST(FrontMatter, NewlinesAndMarks) {
  const Policy policy = MustRead("\xEF\xBB\xBF---\r\nid: a\r\n---\r\n## Violates\r\n- x");
  EXPECT_EQ(policy.id, "a");
  EXPECT_EQ(policy.rules[0].line, 5);
  EXPECT_EQ(MustRead("---\nid: a\n---").id, "a");
  EXPECT_TRUE(MustRead("---\n---\ntext").has_front_matter);
}

TEST(FrontMatter, ARulerIsNone) {
  for (const char* text : {"---\n# Title\n\n---\n## Violates\n- x\n", "---\n\nSome words.\n",
                           "---\n**Bold**: x\n---\n", "----\nid: a\n---\n",
                           "text\n---\nid: a\n---\n", "---", "---\n"}) {
    EXPECT_FALSE(MustRead(text).has_front_matter) << text;
  }
}

TEST(FrontMatter, WrongTypesNameTheirLine) {
  EXPECT_THAT(ErrorOf("---\nname: x\nid: [a]\n---\n").message, HasSubstr("line 3: `id` must be"));
  EXPECT_THAT(ErrorOf("---\nlabels: 3\n---\n").message, HasSubstr("line 2: `labels`"));
  EXPECT_THAT(ErrorOf("---\nlabels:\n  - a\n  - [b]\n---\n").message, HasSubstr("line 4"));
  EXPECT_THAT(ErrorOf("---\nlanguages: {en: 1}\n---\n").message, HasSubstr("`languages`"));
  EXPECT_THAT(ErrorOf("---\nversion: {a: 1}\n---\n").message, HasSubstr("`version`"));
  EXPECT_THAT(ErrorOf("---\nthresholds: 0.5\n---\n").message, HasSubstr("`thresholds`"));
  EXPECT_THAT(ErrorOf("---\nid: a\nthresholds:\n  violation: high\n---\n").message,
              HasSubstr("line 4: `thresholds.violation`"));
  for (const char* bad : {"1.5", "-0.1", "nan", "inf", "0.5x", "\"\"", "[0.5]"}) {
    EXPECT_THAT(ErrorOf("---\nthresholds: {safe: " + std::string(bad) + "}\n---\n").message,
                HasSubstr("thresholds.safe"));
  }
  EXPECT_THAT(ErrorOf("---\nthresholds: {safe: 0.9, violation: 0.2}\n---\n").message,
              HasSubstr("at most"));
  EXPECT_THAT(ErrorOf("---\n- a\n- b\n---\n").message, HasSubstr("`key: value`"));
  EXPECT_THAT(ErrorOf("---\nid: a\nid: b\n---\n").message,
              HasSubstr("line 3: `id` is there twice"));
}

TEST(FrontMatter, BrokenYamlNamesItsLine) {
  EXPECT_THAT(ErrorOf("---\nid: a\nname: \"open\n---\n").message, HasSubstr("is not YAML"));
  EXPECT_THAT(ErrorOf("---\nid: a\n b: c\n---\n").message, HasSubstr("line 3"));
  EXPECT_THAT(ErrorOf("---\nid: a\nno end\n").message, HasSubstr("never closed"));
  EXPECT_FALSE(ErrorOf("---\nid: a\n b: c\n---\n").hint.empty());
}

TEST(FrontMatter, WhatBlowsUpIsRefused) {
  EXPECT_THAT(ErrorOf("---\na: &x [1]\nb: *x\n---\n").message, HasSubstr("an anchor"));
  EXPECT_THAT(ErrorOf("---\nid: !!python/object x\n---\n").message, HasSubstr("a tag"));
  std::string deep;
  for (int i = 0; i < 30'000; ++i) {
    deep += '[';
  }
  EXPECT_THAT(ErrorOf("---\na: " + deep + "\n---\n").message, HasSubstr("deeper than"));
  EXPECT_EQ(ErrorOf("---\nid: a\n" + std::string(kFrontMatterBytesMax, '#') + "\n---\n").code,
            ErrorCode::kLimit);
  std::string many = "---\n";
  for (int i = 0; i < 5'000; ++i) {
    many += "k" + std::to_string(i) + ": v\n";
  }
  EXPECT_THAT(ErrorOf(many + "---\n").message, HasSubstr("more than"));
}

}  // namespace
}  // namespace safeguard::moderation
