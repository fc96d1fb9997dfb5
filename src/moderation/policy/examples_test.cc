// Labelled examples and definitions in the shapes people write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "moderation/policy.h"
#include "moderation/policy/test_reading.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Policy Examples(const std::string& body) {
  return MustRead("# T policy\n\n## Examples\n\n" + body);
}

TEST(Examples, ArrowsOfEveryKind) {
  const Policy policy =
      Examples("- \"a -> b\" -> VALID\n- \"b\" → 1\n- “c” => `INVALID`\n- plain words → 0\n");
  EXPECT_THAT(ExampleLines(policy), ElementsAre("VALID safe: a -> b", "1 violating: b",
                                                "INVALID violating: c", "0 safe: plain words"));
}

TEST(Examples, Fields) {
  const Policy policy = Examples(
      "Input: buy now\nOutput: 1\n\nContent: \"hello\" Answer: 0\n\n**Post**: first line\nsecond "
      "line\n**Label**: `1`\n**Reason**: it sells\n\n1. Message: hi\n   Classification: VALID\n");
  EXPECT_THAT(ExampleLines(policy),
              ElementsAre("1 violating: buy now", "0 safe: hello",
                          "1 violating: first line\nsecond line", "VALID safe: hi"));
}

TEST(Examples, JsonAnswers) {
  const Policy policy = MustRead(
      "## Violates\n- SP2.a ads\n- SP2.b links\n\n## Examples\nContent: buy\nAnswer: "
      "{\"violation\": 1, \"rule_ids\": [\"SP2.a\"]}\n\nContent: hi\nAnswer: {\"violation\": 0}\n");
  ASSERT_EQ(policy.examples.size(), 2U);
  EXPECT_EQ(policy.examples[0].side, Side::kViolating);
  EXPECT_THAT(policy.examples[0].rule_ids, ElementsAre("SP2.a"));
  EXPECT_EQ(policy.examples[1].side, Side::kSafe);
}

TEST(Examples, Headed) {
  const Policy policy = Examples(
      "### Example 1 (Label: 1)\n**Content**: \"x\"\n**Label**: `1`\n\n### Example 2 – "
      "SAFE\nContent: \"y\"\n*Fine because it is short.*\n\n### Edge-Case – H = 0 (was "
      "wrong)\n> \"z\"\n");
  EXPECT_THAT(ExampleLines(policy), ElementsAre("1 violating: x", "SAFE safe: y", "H = 0 safe: z"));
}

TEST(Examples, LabelsInFrontAndBehind) {
  const Policy policy = Examples(
      "Example (SAFE): a gift\n\nExample 2 (VIOLATES): a scam\n\n- SAFE: \"b\"\n- 1: \"c\"\n- "
      "\"d\" (violates)\n- \"e\" – allowed\n- [SAFE] f\n- ✅ \"g\"\n- ❌ \"h\"\n");
  EXPECT_THAT(ExampleLines(policy),
              ElementsAre("SAFE safe: a gift", "VIOLATES violating: a scam", "SAFE safe: b",
                          "1 violating: c", "violates violating: d", "allowed safe: e",
                          "SAFE safe: f", "✅ safe: g", "❌ violating: h"));
}

TEST(Examples, SectionsBySide) {
  const Policy policy = MustRead(
      "## Examples of prohibited content (1)\n- \"a\"\n\n## Examples of allowed content (0)\n- "
      "\"b\"\n");
  EXPECT_THAT(ExampleLines(policy), ElementsAre("1 violating: a", "0 safe: b"));
}

TEST(Examples, Tables) {
  const Policy policy = MustRead(
      "## SP2: Spam\n- SP2.a ads\n- SP2.b links\n\n## Label format\n\n| Example | Classification "
      "|\n|---|---|\n| “buy” | D-SP2, R-SP0 |\n| “hi” | D-SP0, R-SP0 |\n\nInput | Label | "
      "Rule\n--- | --- | ---\nsell | 1 | SP2.b\n");
  ASSERT_EQ(policy.examples.size(), 3U);
  EXPECT_EQ(policy.examples[0].side, Side::kViolating);
  EXPECT_EQ(policy.examples[1].side, Side::kSafe);
  EXPECT_EQ(policy.examples[2].text, "sell");
  EXPECT_THAT(policy.examples[2].rule_ids, ElementsAre("SP2.b"));
}

TEST(Examples, FrontMatterSaysWhatLabelsMean) {
  const Policy policy = MustRead(
      "---\nlabels: {A: safe, B: violation}\n---\n## Examples\n- \"x\" -> A\n- \"y\" -> B\n");
  EXPECT_THAT(ExampleLines(policy), ElementsAre("A safe: x", "B violating: y"));
}

TEST(Examples, BlanksAndInlineQuotationsAreNone) {
  const Policy policy = MustRead(
      "## Violates\n- ads – “Buy gold!”\n- links (e.g., \"http://x\")\n\nContent: "
      "[CONTENT]\nAnswer (0 or 1):\n");
  EXPECT_THAT(policy.examples, IsEmpty());
  EXPECT_EQ(policy.rules[0].text, "ads – “Buy gold!”");
}

TEST(Definitions, Shapes) {
  const Policy policy = MustRead(
      "## Definitions\n**Spam** – unwanted posts\n\n**Bot:** a program\nthat posts\n\n- Ring: "
      "people who act together, including:\n  - sellers\n  - buyers\n- Alt account — a second "
      "account\n\nRaid means a sudden crowd.\n\nMob\n: many people\n\n### Brigade\nA raid that was "
      "agreed.\n\n| Term | Meaning |\n|---|---|\n| Flood | many posts |\n");
  EXPECT_THAT(
      DefinitionLines(policy),
      ElementsAre("Spam: unwanted posts", "Bot: a program that posts",
                  "Ring: people who act together, including: sellers buyers",
                  "Alt account: a second account", "Raid: a sudden crowd.", "Mob: many people",
                  "Brigade: A raid that was agreed.", "Flood: many posts"));
}

TEST(Definitions, TablesOfCodes) {
  const Policy policy = MustRead(
      "## Definitions\n| Code | Category | Description |\n|--|--|--|\n| **HR** | Harassment | "
      "Insults |\n\n## Criteria\n### HR (Harassment) – VIOLATES\n- Name calling\n");
  EXPECT_THAT(DefinitionLines(policy), ElementsAre("HR (Harassment): Insults"));
  EXPECT_EQ(policy.FindLevel("HR")->text, "Insults");
}

}  // namespace
}  // namespace safeguard::moderation
