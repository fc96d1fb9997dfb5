// The shapes of rules, levels and sides that the reader knows, one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "moderation/policy.h"
#include "moderation/policy/test_reading.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReadPolicy, FourSections) {
  const Policy policy = MustRead(
      "# Refund abuse\n\n## Instructions\n- Answer 0 or 1.\n\n## Definitions\n- Refund: money "
      "back\n\n## Violates (1)\n- Selling methods\n- False claims\n\n## Safe (0)\n- Questions\n\n"
      "## Examples\n- \"buy my method\" -> 1\n- \"where is my parcel?\" -> 0\n");
  EXPECT_EQ(policy.id, "refund-abuse");
  EXPECT_EQ(policy.name, "Refund abuse");
  EXPECT_EQ(policy.version, "1");
  EXPECT_EQ(policy.hash.size(), 64U);
  EXPECT_FALSE(policy.has_front_matter);
  EXPECT_THAT(RuleLines(policy), ElementsAre("v1 violating -", "v2 violating -", "s1 safe -"));
  EXPECT_EQ(policy.rules[0].section, "Violates (1)");
  EXPECT_EQ(policy.rules[0].line, 10);
  EXPECT_FALSE(policy.rules[0].id_written);
  EXPECT_THAT(policy.labels, ElementsAre("1", "0"));
  EXPECT_EQ(policy.label_meanings.at("1"), "violation");
  EXPECT_THAT(ExampleLines(policy),
              ElementsAre("1 violating: buy my method", "0 safe: where is my parcel?"));
}

TEST(ReadPolicy, LevelsWithLetteredRules) {
  const Policy policy = MustRead(
      "### VI0 – No violence\nNothing is hurt.\n- Cooking with knives\n\n### VI1: Mild\n- Cartoon "
      "fights\n\n### VI2 — Severe\n- **VI2.a** Gore\n- VI2.b: Torture\n- `VI2.c` Executions\n");
  EXPECT_THAT(LevelLines(policy), ElementsAre("VI0 safe", "VI1 violating", "VI2 violating"));
  EXPECT_EQ(policy.levels[0].name, "No violence");
  EXPECT_EQ(policy.levels[0].text, "Nothing is hurt.");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("VI0.1 safe VI0", "VI1.1 violating VI1", "VI2.a violating VI2",
                          "VI2.b violating VI2", "VI2.c violating VI2"));
  EXPECT_EQ(policy.rules[3].text, "Torture");
  EXPECT_TRUE(policy.rules[3].id_written);
}

TEST(ReadPolicy, PlainLinesWithIds) {
  const Policy policy = MustRead(
      "Doxxing policy\n\nD1 Private data\nD1.1 Posting a home address\n\n\nD1.2 Posting a phone "
      "number\nof a private person\n\nD0 Public data\nD0.1 Company addresses\n");
  EXPECT_THAT(LevelLines(policy), ElementsAre("D1 violating", "D0 safe"));
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("D1.1 violating D1", "D1.2 violating D1", "D0.1 safe D0"));
  EXPECT_EQ(policy.rules[1].text, "Posting a phone number of a private person");
}

TEST(ReadPolicy, BracketsDashesAndDots) {
  const Policy policy = MustRead(
      "## Not allowed\n[H1] Slurs\n[H2] Calls for exclusion\n\n## Prohibited\nH.3 Dehumanising\n\n"
      "H.4 Stereotypes\n\n- R-3: Selling accounts\n- **R-4** – Buying accounts\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("H1 violating -", "H2 violating -", "H.3 violating -", "H.4 violating -",
                          "R-3 violating -", "R-4 violating -"));
}

TEST(ReadPolicy, IdsWithSeparatorsInLists) {
  const Policy policy = MustRead(
      "## Disallowed\n- H.2 – Dehumanising\n- H.3 – Stereotypes\n* (H.4) Threats\n\n"
      "## Permitted\n- S-1. Quoting\n- S-2. Reporting\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("H.2 violating -", "H.3 violating -",
                                             "H.4 violating -", "S-1 safe -", "S-2 safe -"));
  EXPECT_EQ(policy.FindRule("S-2")->text, "Reporting");
}

TEST(ReadPolicy, NumberedAndLetteredLists) {
  const Policy one = MustRead("VIOLATES\n1. Threats\n2) Insults\n(3) Addresses\n");
  EXPECT_THAT(RuleLines(one), ElementsAre("1 violating -", "2 violating -", "3 violating -"));
  EXPECT_TRUE(one.rules[0].id_written);
  // Two lists that begin alike: the author's number alone names nothing.
  const Policy two = MustRead("VIOLATES (1)\n(a) Threats\n(b) Insults\n\nSAFE (0)\n(a) Quotes\n");
  EXPECT_THAT(RuleLines(two), ElementsAre("v.a violating -", "v.b violating -", "s.a safe -"));
  const Policy level = MustRead("## SP2: Likely spam\n(a) Cold offers\n(b) Bare links\n");
  EXPECT_THAT(RuleLines(level), ElementsAre("SP2.a none SP2", "SP2.b none SP2"));
}

TEST(ReadPolicy, NestedItemsAreRulesOfTheirOwn) {
  const Policy policy = MustRead(
      "## Includes\n- **Selling**: offers of\n  - weapons\n    - parts\n  - **Exclusion**: kitchen "
      "knives\n  - **Requirement**: a price is named\n- Buying\n\n## Excludes\n- Museums. This "
      "excludes:\n  - museum shops\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("v1 violating -", "v1.1 violating -", "v1.1.1 violating -", "v1.2 safe -",
                          "v2 violating -", "s1 safe -", "s1.1 violating -"));
  EXPECT_EQ(policy.rules[0].text, "Selling: offers of Requirement: a price is named");
}

TEST(ReadPolicy, HeadingsOfEveryMake) {
  const char* violating[] = {"# Violates",
                             "## Not allowed",
                             "###### Unsafe",
                             "**Prohibited**",
                             "**Disallowed:**",
                             "🚫 Forbidden",
                             "❌ Out",
                             "NOT PERMITTED",
                             "VIOLATES (1)",
                             "Not allowed:",
                             "What is not allowed",
                             "Unsafe\n======",
                             "__Don'ts__",
                             "## ❌",
                             "## TOXIC (Label: 1)",
                             "## Verboten",
                             "## Interdit",
                             "## Prohibido",
                             "## Запрещено",
                             "## غیرمجاز",
                             "## 禁止内容",
                             "## 不允许的内容",
                             "## In scope",
                             "## INVALID"};
  for (const char* heading : violating) {
    const Policy policy = MustRead(std::string("Goal of this text\n\n") + heading + "\n- it\n");
    EXPECT_THAT(RuleLines(policy), ElementsAre("v1 violating -")) << heading;
  }
  const char* safe[] = {"# Safe",
                        "## Allowed",
                        "### Does NOT violate",
                        "**Permitted**",
                        "✅ Fine",
                        "SAFE (0)",
                        "Allowed content:",
                        "What is allowed",
                        "## Non-violating",
                        "## Not a violation",
                        "## Exceptions",
                        "## OK",
                        "## Not prohibited",
                        "## Benign (0)",
                        "## Acceptable",
                        "## Erlaubt",
                        "## Autorisé",
                        "## Permitido",
                        "## Разрешено",
                        "## مجاز",
                        "## 允许的内容",
                        "## 不违反",
                        "## Out of scope",
                        "## VALID",
                        "## Excludes"};
  for (const char* heading : safe) {
    const Policy policy = MustRead(std::string("Goal of this text\n\n") + heading + "\n- it\n");
    EXPECT_THAT(RuleLines(policy), ElementsAre("s1 safe -")) << heading;
  }
}

TEST(ReadPolicy, ExceptionsTurnTheSideAboveThem) {
  const Policy policy = MustRead(
      "## Prohibited\n- Weapons\n\n### Exceptions\n- Toys\n\n## Allowed\n- Books\n\n### "
      "Exceptions\n- Stolen books\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("v1 violating -", "s1 safe -", "s2 safe -", "v2 violating -"));
}

TEST(ReadPolicy, OutputLinesGiveTheSide) {
  const Policy policy = MustRead(
      "## Plain talk (T1 – Talk)\nEveryday words.\n- T1.a Greetings\n\nOutput: `VALID`\n\n"
      "## Rough talk (T2 – Rough)\n- T2.a Curses\n**Output:** INVALID + ESCALATE\n");
  EXPECT_THAT(LevelLines(policy), ElementsAre("T1 safe", "T2 violating"));
  EXPECT_EQ(policy.levels[1].output, "INVALID + ESCALATE");
  EXPECT_THAT(RuleLines(policy), ElementsAre("T1.a safe T1", "T2.a violating T2"));
  EXPECT_THAT(policy.labels, ElementsAre("VALID", "INVALID + ESCALATE"));
}

TEST(ReadPolicy, LinesThatIntroduceALists) {
  const Policy policy = MustRead(
      "# Gambling\n\nContent violates this policy if it:\n- targets minors\n- hides the odds\n\n"
      "Content does not violate if it:\n- reports results\n\n## How to answer\nAnswer 1 if the "
      "content:\n- promises wins\n\nBe brief:\n- no preface\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("v1 violating -", "v2 violating -", "s1 safe -", "v3 violating -"));
}

TEST(ReadPolicy, LevelsThatAreTheClause) {
  const Policy policy = MustRead(
      "## Invalid Content (Remove)\n\n**X1: Branded content.**\nMade by a banned group. Signs of "
      "it are things such as:\n- logos\n- slogans\n\nExamples:\n- Pledges\n  - \"We pledge\"\n\n"
      "**X2: Material support.**\nAsking for money.\n\n## Valid Content (Permit)\n\n**X.01: News "
      "exceptions - human review.**\nReports. This does not apply if the content can be:\n- a "
      "pledge (refer to #X1)\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("X1 violating X1", "X2 violating X2", "X.01 safe X.01"));
  EXPECT_EQ(policy.rules[0].text,
            "Branded content. Made by a banned group. Signs of it are things such as: logos "
            "slogans");
  EXPECT_THAT(ExampleLines(policy),
              ElementsAre("X1 violating: Pledges", "X1 violating: We pledge"));
}

TEST(ReadPolicy, TablesOfRules) {
  const Policy policy = MustRead(
      "| Rule | Description | Verdict |\n|---|---|---|\n| R-1 | Selling weapons | Violates |\n"
      "| R-2 | Selling `kitchen` knives | Allowed |\n\n| Allowed | Not allowed |\n|:-:|---|\n"
      "| Used books | Stolen \\| lost books |\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("R-1 violating -", "R-2 safe -", "s1 safe -", "v1 violating -"));
  EXPECT_EQ(policy.rules[1].text, "Selling kitchen knives");
}

TEST(ReadPolicy, RulesAsHeadings) {
  const Policy policy = MustRead(
      "## Violating\n### G1.a Grooming\nAdults who seek the trust of minors.\n\n### G1.b "
      "Gifts\nGifts in exchange for pictures.\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("G1.a violating -", "G1.b violating -"));
  EXPECT_EQ(policy.rules[0].text, "Grooming. Adults who seek the trust of minors.");
}

TEST(ReadPolicy, CategoriesWithBothSides) {
  const Policy policy = MustRead(
      "## HR (Harassment) - VIOLATES\n- Insults\n\n## HR (Harassment) - SAFE\n- Criticism\n\n## "
      "(DRUGS) Drugs\n### Includes\n- Dealing\n### Excludes\n- Medicine\n");
  EXPECT_THAT(LevelLines(policy), ElementsAre("HR violating", "DRUGS violating"));
  EXPECT_THAT(RuleLines(policy), ElementsAre("HR.v1 violating HR", "HR.s1 safe HR",
                                             "DRUGS.v1 violating DRUGS", "DRUGS.s1 safe DRUGS"));
}

TEST(ReadPolicy, SectionsOfParagraphs) {
  const Policy policy = MustRead(
      "## Violates\nPosts that sell followers.\nAny platform.\n\nPosts that buy reviews.\n\n"
      "## Safe\nA short word before the list.\n- Advice on growing slowly\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("v1 violating -", "v2 violating -", "s1 safe -"));
  EXPECT_EQ(policy.rules[0].text, "Posts that sell followers. Any platform.");
  EXPECT_EQ(policy.rules[2].text, "Advice on growing slowly");
}

TEST(ReadPolicy, ClausesThatStateTheirSide) {
  const Policy policy = MustRead(
      "# House rules\n\n1. TONE\n- The reply must be polite.\n- The reply must not mock.\n- Never "
      "share addresses.\n- Questions are allowed.\n\n2. FACTS\n- Replies should name sources.\n");
  EXPECT_THAT(LevelLines(policy), ElementsAre("1 violating", "2 safe"));
  EXPECT_THAT(RuleLines(policy), ElementsAre("1.1 safe 1", "1.2 violating 1", "1.3 violating 1",
                                             "1.4 safe 1", "2.1 safe 2"));
}

TEST(ReadPolicy, PersianDigitsAndClauses) {
  const Policy policy = MustRead("۱. لحن\n- پاسخ باید محترمانه باشد.\n- پاسخ نباید توهین کند.\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("1.1 safe 1", "1.2 violating 1"));
}

TEST(ReadPolicy, ProseIsReadWhenThereIsNothingElse) {
  const Policy policy = MustRead(
      "Content is a violation if it sells drugs. Talking about medicine is allowed. You must "
      "answer 0 or 1.\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("v1 violating -", "s1 safe -"));
}

TEST(ReadPolicy, UnplacedItemsCountOnlyAlone) {
  const Policy alone = MustRead("# Spam\n\nThings we see:\n- chain letters\n- bought reviews\n");
  EXPECT_THAT(RuleLines(alone), ElementsAre("r1 none -", "r2 none -"));
  const Policy placed =
      MustRead("# Spam\n\nThings we see:\n- chain letters\n\n## Violates\n- ads\n");
  EXPECT_THAT(RuleLines(placed), ElementsAre("v1 violating -"));
}

TEST(ReadPolicy, InstructionsAndTemplatesAreNoRules) {
  const Policy policy = MustRead(
      "## Output format\n- one character\n- no preface\n```json\n{\"violation\": 1}\n- R1: in a "
      "template\n```\n\n## Precedence\n- SP4 over SP3\n\n## Violates\n- ads\n<!-- - hidden\n- "
      "rule -->\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("v1 violating -"));
}

TEST(ReadPolicy, AnUnclosedFenceHidesNothing) {
  const Policy policy = MustRead("## Violates\n- ads\n```json\n- spam\n");
  EXPECT_EQ(policy.rules.size(), 2U);
}

TEST(ReadPolicy, WordsThatOnlyLookLikeIds) {
  const Policy policy = MustRead(
      "## Violates\n- PG-13 films shown to children\n- COVID-19 cures\n- GPT-4 jailbreaks\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("v1 violating -", "v2 violating -", "v3 violating -"));
}

TEST(ReadPolicy, RepeatedIdsAreKeptAndTheFirstIsFound) {
  const Policy policy = MustRead("## Violates\n- A1.a first\n- A1.a second\n");
  ASSERT_EQ(policy.rules.size(), 2U);
  EXPECT_EQ(policy.FindRule("A1.a")->text, "first");
}

TEST(ReadPolicy, LookupsForgiveWriting) {
  const Policy policy = MustRead("## Violates\n- SP2.a Cold offers\n- SP2.b Bare links\n");
  EXPECT_NE(policy.FindRule("sp2.A"), nullptr);
  EXPECT_NE(policy.FindRule("[SP2.a]"), nullptr);
  EXPECT_NE(policy.FindRule("SP2(b)"), nullptr);
  EXPECT_EQ(policy.FindRule("SP2.c"), nullptr);
  EXPECT_EQ(policy.FindRule(""), nullptr);
  EXPECT_EQ(policy.FindLevel("SP9"), nullptr);
}

TEST(ReadPolicy, EmptyAndPlainTextsRead) {
  EXPECT_THAT(MustRead("").rules, IsEmpty());
  EXPECT_EQ(MustRead("", "file-name").id, "file-name");
  EXPECT_EQ(MustRead("", "file-name").name, "file-name");
  EXPECT_THAT(MustRead("hello world").rules, IsEmpty());
}

TEST(ReadPolicy, ALevelOnTheLastLineEndsTheText) {
  EXPECT_EQ(MustRead("T policy\n\n## Violates\n- ads\n\nSP2 – Medium").rules.size(), 2U);
}

TEST(ReadPolicy, NewlinesAndByteOrderMark) {
  const Policy plain = MustRead("# T policy\n\n## Violates\n- a\n- b");
  for (const char* text : {"\xEF\xBB\xBF# T policy\r\n\r\n## Violates\r\n- a\r\n- b",
                           "# T policy\r\r## Violates\r- a\r- b\r"}) {
    const Policy policy = MustRead(text);
    EXPECT_EQ(RuleLines(policy), RuleLines(plain));
    EXPECT_EQ(policy.rules[1].line, 5);
    EXPECT_EQ(policy.text.find('\r'), std::string::npos);
    EXPECT_NE(policy.hash, plain.hash) << "the hash is of the bytes as given";
  }
}

TEST(ReadPolicy, BadBytesAreNamed) {
  const auto error = [](const std::string& bytes) { return ReadPolicy(bytes, "x").error(); };
  EXPECT_EQ(error(std::string("ab\0c", 4)).code, ErrorCode::kInvalidInput);
  EXPECT_THAT(error(std::string("ab\0c", 4)).message, ::testing::HasSubstr("offset 2"));
  EXPECT_THAT(error("abc\xFF").message, ::testing::HasSubstr("byte 3"));
  EXPECT_EQ(error(std::string(kPolicyBytesMax + 1, 'a')).code, ErrorCode::kLimit);
  EXPECT_TRUE(ReadPolicy(std::string(kPolicyBytesMax, 'a'), "x").has_value());
}

}  // namespace
}  // namespace safeguard::moderation
