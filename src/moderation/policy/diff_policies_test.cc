#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "moderation/policy/test_reading.h"
#include "moderation/policy_diff.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kOld =
    "---\nid: p\nversion: \"1\"\n---\n# P\n\nAnswer with 0 or 1.\n\n## Definitions\n\n"
    "- **Spam**: what nobody asked for.\n\n## Violates (1)\n\n"
    "- **A1** Sells shoes to strangers in the street.\n- **A2** Repeats itself.\n"
    "- **A3** Baits with prizes.\n\n## Safe (0)\n\n- **B1** Answers a question.\n";

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::vector<std::string> Lines(const PolicyDiff& diff) {
  std::vector<std::string> lines;
  for (const FieldChange& field : diff.fields) {
    lines.push_back(field.field + ": " + field.before + " > " + field.after);
  }
  for (const PartChange& part : diff.parts) {
    std::string line = std::string(ToString(part.kind)) + " " +
                       (part.removed ? part.name_before : part.name_after);
    line += part.added ? " added" : "";
    line += part.removed ? " removed" : "";
    line += part.text_changed ? " text" : "";
    line += part.side_changed ? " side" : "";
    line += part.renamed ? " renamed" : "";
    line += part.moved ? " moved" : "";
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> Diff(const std::string& before, const std::string& after) {
  return Lines(DiffPolicies(MustRead(before), MustRead(after)));
}

TEST(DiffPolicies, OfTheSameTextIsEmpty) {
  EXPECT_THAT(Diff(kOld, kOld), IsEmpty());
}

TEST(DiffPolicies, NamesWhatChanged) {
  EXPECT_THAT(Diff(kOld, Replace(kOld, "street", "market")), ElementsAre("rule A1 text"));
  EXPECT_THAT(Diff(kOld, Replace(kOld, "- **A2** Repeats itself.\n", "")),
              ElementsAre("rule A2 removed"));
  EXPECT_THAT(Diff(kOld, Replace(kOld, "- **A3**", "- **A9** Threatens people.\n- **A3**")),
              ElementsAre("rule A9 added"));
  EXPECT_THAT(Diff(kOld, Replace(kOld, "nobody asked", "nobody wanted")),
              ElementsAre("definition Spam text"));
  EXPECT_THAT(Diff(kOld, Replace(kOld, "0 or 1", "1 or 0")), ElementsAre("text  text"));
}

TEST(DiffPolicies, FollowsARuleThatIsRenumberedOrMoved) {
  // A new first rule takes over the id A1: the others moved down by one.
  const std::string shifted = Replace(Replace(Replace(kOld, "- **A3** Baits", "- **A4** Baits"),
                                              "- **A2** Repeats", "- **A3** Repeats"),
                                      "- **A1** Sells", "- **A1** Insults others.\n- **A2** Sells");
  EXPECT_THAT(Diff(kOld, shifted), ElementsAre("rule A1 added", "rule A2 renamed",
                                               "rule A3 renamed", "rule A4 renamed"));
  const std::string swapped = Replace(Replace(kOld, "- **A2** Repeats itself.\n", ""),
                                      "with prizes.\n", "with prizes.\n- **A2** Repeats itself.\n");
  EXPECT_THAT(Diff(kOld, swapped), ElementsAre("rule A2 moved"));
}

TEST(DiffPolicies, ASideChangeIsNamedAsOne) {
  const std::string other = Replace(Replace(kOld, "- **A2** Repeats itself.\n", ""),
                                    "a question.\n", "a question.\n- **A2** Repeats itself.\n");
  EXPECT_THAT(Diff(kOld, other), ElementsAre("exception A2 side moved"));
}

TEST(DiffPolicies, FrontMatterAndThresholds) {
  EXPECT_THAT(
      Diff(kOld, Replace(kOld, "version: \"1\"",
                         "version: \"2\"\nthresholds: {violation: 0.7, safe: 0.4}")),
      ElementsAre("version: 1 > 2", "threshold violation:  > 0.7", "threshold safe:  > 0.4"));
}

TEST(DiffWords, KeepsWhatIsTheSame) {
  EXPECT_THAT(
      DiffWords("sells shoes to strangers", "sells hats to strangers"),
      ElementsAre(WordRun{WordChange::kSame, "sells "}, WordRun{WordChange::kRemoved, "shoes"},
                  WordRun{WordChange::kAdded, "hats"},
                  WordRun{WordChange::kSame, " to strangers"}));
  EXPECT_THAT(DiffWords("", "new"), ElementsAre(WordRun{WordChange::kAdded, "new"}));
  EXPECT_THAT(DiffWords("same", "same"), ElementsAre(WordRun{WordChange::kSame, "same"}));
}

TEST(DiffWords, EitherTextCanBePutTogetherAgain) {
  rc::check([] {
    const auto any = [] {
      std::string text;
      for (const int word : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 6))) {
        text += word == 5 ? " " : std::string(1, static_cast<char>('a' + word)) + " ";
      }
      return text;
    };
    const std::string before = any();
    const std::string after = any();
    std::string old_text;
    std::string new_text;
    for (const WordRun& run : DiffWords(before, after)) {
      RC_ASSERT(!run.text.empty());
      old_text += run.change == WordChange::kAdded ? "" : run.text;
      new_text += run.change == WordChange::kRemoved ? "" : run.text;
    }
    RC_ASSERT(old_text == before);
    RC_ASSERT(new_text == after);
  });
}

TEST(DiffWords, LongTextsAreBounded) {
  std::string a;
  std::string b;
  for (int i = 0; i < 20'000; ++i) {
    a += "a" + std::to_string(i) + " ";
    b += "b" + std::to_string(i) + " ";
  }
  EXPECT_LE(DiffWords(a, b).size(), 3U);
}

}  // namespace
}  // namespace safeguard::moderation
