#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "moderation/policy/test_reading.h"
#include "moderation/policy_clauses.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Clause Named(const Policy& policy, const std::string& name) {
  for (const Clause& clause : ClausesOf(policy)) {
    if (clause.name == name) {
      return clause;
    }
  }
  ADD_FAILURE() << "no clause " << name;
  return {};
}

CutPolicy MustCut(const std::string& text, const std::string& name) {
  const Policy policy = MustRead(text);
  Result<CutPolicy> cut = CutClause(text, policy, Named(policy, name));
  EXPECT_TRUE(cut.has_value()) << Describe(cut.error());
  return cut ? *std::move(cut) : CutPolicy{};
}

constexpr const char* kBullets =
    "---\nid: p\nversion: \"2\"\n---\n# P\n\n## Definitions\n\n- **Spam**: what nobody asked for.\n"
    "- **Bait**: a lure.\n\n## Violates (1)\n\n- **A1** Sells to strangers,\n  again and again.\n"
    "- **A2** Repeats itself.\n\n## Safe (0)\n\n- **B1** Answers a question.\n\n## Examples\n\n"
    "| Content | Answer |\n|---|---|\n| buy now | 1 |\n| hello | 0 |\n";

TEST(Clauses, NameEveryPartWithItsKind) {
  const Policy policy = MustRead(kBullets);
  std::vector<std::string> lines;
  for (const Clause& clause : ClausesOf(policy)) {
    lines.push_back(std::string(ToString(clause.kind)) + " " + clause.name);
  }
  EXPECT_THAT(lines, ElementsAre("definition definition of Spam", "definition definition of Bait",
                                 "rule A1", "rule A2", "exception B1", "example example in line 26",
                                 "example example in line 27"));
  const LineRange range = LinesOf(policy, Named(policy, "A1"));
  EXPECT_EQ(range.begin, 14);
  EXPECT_EQ(range.end, 15);
}

TEST(CutClause, TakesAllLinesOfARuleAndNothingElse) {
  const CutPolicy cut = MustCut(kBullets, "A1");
  EXPECT_THAT(cut.bytes, Not(HasSubstr("strangers")));
  EXPECT_THAT(cut.bytes, Not(HasSubstr("again")));
  EXPECT_THAT(cut.bytes, HasSubstr("version: \"2\""));
  EXPECT_THAT(RuleLines(cut.policy), ElementsAre("A2 violating -", "B1 safe -"));
  EXPECT_TRUE(cut.also.empty());
  EXPECT_NE(cut.policy.hash, MustRead(kBullets).hash);
}

TEST(CutClause, TakesDefinitionsExceptionsAndExamples) {
  EXPECT_EQ(MustCut(kBullets, "definition of Bait").policy.definitions.size(), 1U);
  EXPECT_THAT(RuleLines(MustCut(kBullets, "B1").policy),
              ElementsAre("A1 violating -", "A2 violating -"));
  EXPECT_THAT(ExampleLines(MustCut(kBullets, "example in line 26").policy),
              ElementsAre("0 safe: hello"));
}

TEST(CutClause, TakesWhatStandsBelowAlongAndSaysSo) {
  const std::string text =
      "# P\n\n## Violates\n\n- R1 Sells drugs:\n  - R1.a on the street\n  - R1.b by mail\n"
      "- R2 Sells arms.\n";
  const CutPolicy cut = MustCut(text, "R2");
  EXPECT_TRUE(cut.also.empty());
  const CutPolicy child = MustCut(text, "R1.a");
  EXPECT_TRUE(child.also.empty());
  EXPECT_EQ(child.policy.rules.size(), 3U);
}

TEST(CutClause, CutsOneCellOfATableThatHoldsTwo) {
  const std::string text =
      "# P\n\n| Allowed | Not allowed |\n|---|---|\n| asks a price | sells by message |\n"
      "| thanks | insults a person |\n";
  const Policy policy = MustRead(text);
  ASSERT_EQ(policy.rules.size(), 4U);
  for (const Clause& clause : ClausesOf(policy)) {
    const Result<CutPolicy> cut = CutClause(text, policy, clause);
    ASSERT_TRUE(cut.has_value()) << Describe(cut.error());
    EXPECT_EQ(cut->policy.rules.size(), 3U) << clause.text;
    EXPECT_TRUE(cut->also.empty());
  }
}

TEST(CutClause, WorksForTagsJsonAndQuotedExamples) {
  for (const std::string& text :
       {std::string("<violates>\n<rule id=\"V1\">Sells arms.</rule>\n<rule id=\"V2\">Sells "
                    "drugs.</rule>\n</violates>\n"),
        std::string("# P\n## Examples\n{\"text\": \"buy now\", \"label\": 1}\n{\"text\": "
                    "\"hello you\", \"label\": 0}\n"),
        std::string("# P\n\n## Violates\n- A1 Sells arms.\n\n## Examples\n\nInput: buy now\n"
                    "Answer: 1\n\nInput: hello you\nAnswer: 0\n"),
        std::string("VIOLATES: selling arms to a child\n\nSAFE: asking for the way\n")}) {
    const Policy policy = MustRead(text);
    const std::vector<Clause> clauses = ClausesOf(policy);
    ASSERT_GE(clauses.size(), 2U) << text;
    for (const Clause& clause : clauses) {
      const Result<CutPolicy> cut = CutClause(text, policy, clause);
      ASSERT_TRUE(cut.has_value()) << Describe(cut.error()) << "\n" << text;
      EXPECT_EQ(ClausesOf(cut->policy).size(), clauses.size() - 1) << clause.name << "\n"
                                                                   << cut->bytes;
    }
  }
}

std::string ReadText(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Every clause of a real policy, one after the other: how many can be cut, exactly or with what is
// below them.
struct CutCount {
  int clauses = 0;
  int exact = 0;
  int with_others = 0;
};

CutCount CutAll(const std::string& bytes) {
  CutCount count;
  const Policy policy = MustRead(bytes);
  for (const Clause& clause : ClausesOf(policy)) {
    ++count.clauses;
    const Result<CutPolicy> cut = CutClause(bytes, policy, clause);
    if (!cut) {
      std::printf("  not cut: %s\n", cut.error().message.c_str());
      continue;
    }
    ++(cut->also.empty() ? count.exact : count.with_others);
  }
  return count;
}

TEST(CutClause, CutsEveryClauseOfTheShippedPolicies) {
  int policies = 0;
  for (const auto& folder :
       std::filesystem::directory_iterator(std::string(SAFEGUARD_SOURCE_DIR) + "/policies")) {
    const std::filesystem::path path = folder.path() / "policy.md";
    if (!std::filesystem::exists(path)) {
      continue;
    }
    ++policies;
    const CutCount count = CutAll(ReadText(path));
    EXPECT_GT(count.clauses, 10) << path;
    EXPECT_EQ(count.exact, count.clauses) << path;
  }
  EXPECT_GE(policies, 12);
}

TEST(CutClause, CutsNearlyEveryClauseOfPublishedPolicies) {
  const char* shared = std::getenv("SAFEGUARD_SHARED");
  const std::filesystem::path root =
      std::filesystem::path(shared == nullptr ? "" : shared) / "data/permissive";
  if (shared == nullptr || !std::filesystem::exists(root)) {
    GTEST_SKIP() << "set SAFEGUARD_SHARED to the folder with the published policies";
  }
  CutCount all;
  std::ifstream list(std::string(SAFEGUARD_SOURCE_DIR) +
                     "/src/moderation/policy/testdata/published_policies.txt");
  for (std::string line; std::getline(list, line);) {
    if (!line.starts_with("file ")) {
      continue;
    }
    const CutCount count = CutAll(ReadText(root / line.substr(5)));
    std::printf("%s: %d clauses, %d exact, %d with others\n", line.c_str() + 5, count.clauses,
                count.exact, count.with_others);
    all.clauses += count.clauses;
    all.exact += count.exact;
    all.with_others += count.with_others;
  }
  EXPECT_GT(all.clauses, 300);
  EXPECT_GE(all.exact + all.with_others, all.clauses * 98 / 100);
  EXPECT_GE(all.exact, all.clauses * 90 / 100);
}

}  // namespace
}  // namespace safeguard::moderation
