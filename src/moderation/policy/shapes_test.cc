// Shapes that people write policies in beyond Markdown lists: tags, JSON, YAML, plain text,
// numbered sections, other languages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "moderation/policy.h"
#include "moderation/policy/test_reading.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Shapes, IdsOfEveryMake) {
  const Policy policy = MustRead(
      "## Violates\n- SP2.a one\n- 1.2.3 two\n- 1.2.4: three\n- (a) four\n- [A1] five\n- **S1:** "
      "six\n- H1 – seven\n- `W-3` eight\n- Rule 9: nine\n- SEC-4.2(a) ten\n- V1) eleven\n- R-7: "
      "twelve\n- R-8: thirteen\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("SP2.a violating -", "1.2.3 violating -", "1.2.4 violating -",
                          "a violating -", "A1 violating -", "S1 violating -", "H1 violating -",
                          "W-3 violating -", "Rule 9 violating -", "SEC-4.2(a) violating -",
                          "V1 violating -", "R-7 violating -", "R-8 violating -"));
  EXPECT_EQ(policy.rules[3].text, "four");
  EXPECT_EQ(policy.rules[5].text, "six");
}

TEST(Shapes, TitlesOfSides) {
  const std::pair<const char*, const char*> titles[] = {
      {"Do", "s1 safe -"},
      {"Don't", "v1 violating -"},
      {"You may", "s1 safe -"},
      {"You may not", "v1 violating -"},
      {"Must not", "v1 violating -"},
      {"Red flags", "v1 violating -"},
      {"Do not flag", "s1 safe -"},
      {"We remove", "v1 violating -"},
      {"We don't allow", "v1 violating -"},
      {"What is not a violation", "s1 safe -"},
      {"Harmful content", "v1 violating -"},
      {"Harmless content", "s1 safe -"},
      {"Non-toxic", "s1 safe -"},
      {"Out-of-scope", "s1 safe -"},
      {"✅ Allowed", "s1 safe -"},
      {"❌ Not allowed", "v1 violating -"},
      {"A post violates this policy if it:", "v1 violating -"},
      {"Kein Verstoß (0)", "s1 safe -"},
      {"Verstößt nicht", "s1 safe -"},
      {"Verstöße", "v1 violating -"},
      {"Nicht erlaubt", "v1 violating -"},
      {"No permitido", "v1 violating -"},
      {"Qué no está permitido", "v1 violating -"},
      {"No infringe (0)", "s1 safe -"},
      {"Contenu interdit (1)", "v1 violating -"},
      {"Ce qui n'est pas autorisé", "v1 violating -"},
      {"N’enfreint pas la règle", "s1 safe -"},
      {"Enfreint la règle", "v1 violating -"},
      {"موارد نقض (۱)", "v1 violating -"},
      {"عدم نقض", "s1 safe -"},
      {"نقض نمی‌کند", "s1 safe -"},
      {"محتوای غیرمجاز", "v1 violating -"}};
  for (const auto& [title, rule] : titles) {
    const Policy policy = MustRead("# Some policy\n\n## " + std::string(title) + "\n- it\n");
    EXPECT_THAT(RuleLines(policy), ElementsAre(rule)) << title;
  }
}

TEST(Shapes, SetextHeadingsLevelsAndBulletsOfEveryKind) {
  const Policy policy = MustRead(
      "Harassment Policy\n=====\n\nLevel 0 - Not a violation\n-----\n* Jokes\n\nLevel 1 - "
      "Mild\n-----\n+ Name calling\n\nLevel 2 - Severe\n-----\n1. Threats\n2. Doxxing\n   a. Home "
      "address\n\t- nearby places\n");
  EXPECT_EQ(policy.name, "Harassment Policy");
  EXPECT_THAT(LevelLines(policy),
              ElementsAre("Level 0 safe", "Level 1 violating", "Level 2 violating"));
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("Level 0.1 safe Level 0", "Level 1.1 violating Level 1",
                          "Level 2.1 violating Level 2", "Level 2.2 violating Level 2",
                          "Level 2.2.a violating Level 2", "Level 2.2.a.1 violating Level 2"));
}

TEST(Shapes, TitleBehindItsName) {
  EXPECT_EQ(MustRead("POLICY: Dating app messages\n\nVIOLATES\n- spam\n").id,
            "dating-app-messages");
}

TEST(Shapes, LevelsAsItems) {
  const Policy policy =
      MustRead("## Severity\n- Level 0: No nudity at all\n- Level 1: Poses\n- Level 2: Acts\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("Level 0 safe -", "Level 1 violating -", "Level 2 violating -"));
}

TEST(Shapes, SeverityTables) {
  const Policy policy = MustRead(
      "## Criteria\n| Severity | Description | Action |\n|---|---|---|\n| 0 | Nothing | Allow |\n"
      "| 1 | Insult | Warn |\n\n| Side | Rule | Description |\n|--|--|--|\n| Violates | V1 | "
      "Addresses |\n| Safe | S1 | Shops |\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("0 safe -", "1 violating -", "V1 violating -", "S1 safe -"));
}

TEST(Shapes, PlainTextWithOneRuleALine) {
  const Policy policy = MustRead(
      "Spoiler policy\n\nDisallowed:\nTelling who dies\nTelling how it ends\n\nAllowed:\nRating a "
      "film.\nNaming the actors,\nthe crew and\nthe place.\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("v1 violating -", "v2 violating -", "s1 safe -", "s2 safe -"));
  EXPECT_EQ(policy.rules[3].text, "Naming the actors, the crew and the place.");
}

TEST(Shapes, NumberedSectionsOfPlainText) {
  const Policy policy = MustRead(
      "# Content standards\n\n1. Purpose\nThis is about spam.\n\n2. Prohibited content\n2.1 Bulk "
      "messages.\n2.2 Links to malware.\n2.2.1 Short links too.\n\n3. Permitted content\n3.1 "
      "Newsletters.\n\n4. Definitions\n4.1 Bulk: more than ten.\n\n5. Examples\n5.1 \"Buy now\" - "
      "prohibited\n5.2 \"Your letter\" - permitted\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("2.1 violating -", "2.2 violating -", "2.2.1 violating -", "3.1 safe -"));
  EXPECT_THAT(DefinitionLines(policy), ElementsAre("Bulk: more than ten."));
  EXPECT_THAT(ExampleLines(policy),
              ElementsAre("prohibited violating: Buy now", "permitted safe: Your letter"));
}

TEST(Shapes, ItemsThatNameTheirSide) {
  const Policy policy = MustRead(
      "# Spoilers\n\n- VIOLATES: naming the killer\n- SAFE: naming the actor\n- [SAFE] rating\n- "
      "Allowed - the poster\n- ❌ the script\n- The villain → violation\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("v1 violating -", "s1 safe -", "s2 safe -",
                                             "s3 safe -", "v2 violating -", "v3 violating -"));
  EXPECT_EQ(policy.rules[0].text, "naming the killer");
  EXPECT_EQ(policy.rules[3].text, "the poster");
  EXPECT_EQ(policy.rules[5].text, "The villain");
}

const char* const kTags =
    "<policy name=\"Gambling\">\n<instructions>\nAnswer 1 or 0.\n</instructions>\n<definitions>\n"
    "<definition term=\"Bet\">a stake</definition>\n</definitions>\n<violates>\n- Offers bets\n"
    "<rule id=\"V2\">Links to casinos</rule>\n</violates>\n<not_allowed>\n<item>Fake odds</item>\n"
    "</not_allowed>\n<rules side=\"safe\">\n<rule>Reports odds</rule>\n</rules>\n<examples>\n"
    "<example label=\"1\">Bet with us!</example>\n<example label=\"0\">\nThe odds\nwere 3 to 1\n"
    "</example>\n<example><input>Bet "
    "again</input><label>1</label></example>\n<example>\n<input>Who "
    "won?</input>\n<output>0</output>\n</example>\n</examples>\n</policy>\n";

TEST(Shapes, Tags) {
  const Policy policy = MustRead(kTags);
  EXPECT_EQ(policy.name, "Gambling");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("v1 violating -", "V2 violating -", "v2 violating -", "s1 safe -"));
  EXPECT_EQ(policy.rules[1].text, "Links to casinos");
  EXPECT_EQ(policy.rules[1].line, 10);
  EXPECT_THAT(DefinitionLines(policy), ElementsAre("Bet: a stake"));
  EXPECT_THAT(ExampleLines(policy),
              ElementsAre("1 violating: Bet with us!", "0 safe: The odds\nwere 3 to 1",
                          "1 violating: Bet again", "0 safe: Who won?"));
}

TEST(Shapes, PlaceholdersInAngleBracketsAreNoTags) {
  const Policy policy = MustRead("## Violates\n<content>\n- <name> is sold\n- a < b > c\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("v1 violating -", "v2 violating -"));
  EXPECT_EQ(policy.rules[0].text, "<name> is sold");
}

TEST(Shapes, JsonExamples) {
  const Policy policy = MustRead(
      "## Violates\n- V1: bets\n\n## Examples\n```json\n{\"input\": \"Bet \\\"now\\\"\", "
      "\"output\": {\"violation\": 1, \"rule_ids\": [\"V1\"]}}\n```\n{\"text\": \"caf\\u00e9?\", "
      "\"label\": 0},\n- {\"content\": \"Again\", \"label\": \"VIOLATES\"}\n\n```json\n{\n  "
      "\"input\": \"On lines, too\",\n  \"label\": 0\n}\n```\n");
  ASSERT_EQ(policy.examples.size(), 4U);
  EXPECT_EQ(policy.examples[0].text, "Bet \"now\"");
  EXPECT_EQ(policy.examples[0].side, Side::kViolating);
  EXPECT_THAT(policy.examples[0].rule_ids, ElementsAre("V1"));
  EXPECT_EQ(policy.examples[1].text, "café?");
  EXPECT_EQ(policy.examples[1].side, Side::kSafe);
  EXPECT_EQ(policy.examples[2].side, Side::kViolating);
  EXPECT_EQ(policy.examples[3].text, "On lines, too");
  EXPECT_EQ(policy.examples[3].side, Side::kSafe);
}

TEST(Shapes, JsonTemplatesAndTornJsonAreNoExamples) {
  EXPECT_THAT(MustRead("## Output\n{\"violation\": 0, \"rule_ids\": []}\n{\"text\": \"x\"}\n"
                       "## Violates\n- a\n")
                  .examples,
              IsEmpty());
  for (const char* torn : {"{\"text\": \"x", "{\"text\": \"x\\", "{\"text\"", "{\"text\": \"x\\u00",
                           "{\"text\": [[[", "{text: 1}", "{", "{\"text\" 1}"}) {
    EXPECT_TRUE(ReadPolicy("## Examples\n" + std::string(torn), "x").has_value()) << torn;
  }
}

TEST(Shapes, YamlLists) {
  const Policy policy = MustRead(
      "name: Gambling\nviolates:\n  - id: V1\n    text: Offers bets\n  - id: V2\n    text: \"Links "
      "out\"\nsafe:\n  - id: S1\n    text: Reports odds\ndefinitions:\n  - term: Bet\n    text: a "
      "stake\nexamples:\n  - text: Bet now!\n    label: 1\n  - text: Odds?\n    label: 0\n");
  EXPECT_THAT(RuleLines(policy), ElementsAre("V1 violating -", "V2 violating -", "S1 safe -"));
  EXPECT_EQ(policy.rules[1].text, "Links out");
  EXPECT_THAT(DefinitionLines(policy), ElementsAre("Bet: a stake"));
  EXPECT_THAT(ExampleLines(policy), ElementsAre("1 violating: Bet now!", "0 safe: Odds?"));
}

TEST(Shapes, ExamplesOfDialogueAndSides) {
  const Policy policy = MustRead(
      "## Violates\n- V1 a\n- V2 b\n\n## Safe\n- S1 c\n\n## Examples\nUser: Bet with "
      "us\nAssistant: "
      "1\n\nQ: \"link\"\nA: 0\n\n1. \"buy\" – VIOLATES (V1)\n2. Message: \"sell\" | Label: 1 | "
      "Rule: "
      "V2\n\nVIOLATES\n- \"spam spam\"\n\n### Safe\n- \"eggs\"\n\n| Text | 0/1 |\n|---|---|\n| "
      "good "
      "day | 0 |\n");
  EXPECT_THAT(
      ExampleLines(policy),
      ElementsAre("1 violating: Bet with us", "0 safe: link", "VIOLATES violating: buy",
                  "1 violating: sell", " violating: spam spam", " safe: eggs", "0 safe: good day"));
  EXPECT_THAT(policy.examples[2].rule_ids, ElementsAre("V1"));
  EXPECT_THAT(policy.examples[3].rule_ids, ElementsAre("V2"));
  EXPECT_EQ(policy.FindRule("S1")->text, "c");
}

TEST(Shapes, DefinitionsOneALine) {
  const Policy policy = MustRead(
      "DEFINITIONS\nEngine = a program.\nBlitz means a short game.\nBot: a player\nthat is none\n");
  EXPECT_THAT(DefinitionLines(policy), ElementsAre("Engine: a program.", "Blitz: a short game.",
                                                   "Bot: a player that is none"));
}

TEST(Shapes, RequirementsAndProhibitionsInOneRule) {
  const Policy policy = MustRead(
      "# Replies\n- Replies must name sources. They must not guess.\n- Replies must state risks "
      "and "
      "avoid promises.\n- Replies must be short to avoid confusion.\n- Replies must be polite.\n");
  EXPECT_THAT(RuleLines(policy),
              ElementsAre("r1 violating -", "r2 violating -", "r3 safe -", "r4 safe -"));
}

}  // namespace
}  // namespace safeguard::moderation
