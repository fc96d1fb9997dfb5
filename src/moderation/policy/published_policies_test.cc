// Every rule and level of policies that others have published, against lists written by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "moderation/policy.h"
#include "moderation/policy/test_reading.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAreArray;

std::filesystem::path SharedData() {
  const char* shared = std::getenv("SAFEGUARD_SHARED");
  const std::filesystem::path root = shared != nullptr ? shared : SAFEGUARD_SOURCE_DIR "/../shared";
  return root / "data" / "permissive";
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Expected {
  std::string file;
  std::vector<std::string> levels;       // "LINE ID SIDE"
  std::vector<std::string> rules;        // "LINE ID SIDE LEVEL"
  std::vector<std::string> starts;       // of the texts of the rules
  std::vector<std::string> definitions;  // "LINE TERM"
  std::vector<std::string> examples;     // "LINE SIDE [LABEL] START"
};

std::vector<Expected> ReadExpected() {
  std::istringstream in(
      ReadAll(SAFEGUARD_SOURCE_DIR "/src/moderation/policy/testdata/published_policies.txt"));
  std::vector<Expected> all;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("file ")) {
      all.push_back({line.substr(5), {}, {}, {}, {}, {}});
    } else if (line.starts_with("level ")) {
      all.back().levels.push_back(line.substr(6));
    } else if (line.starts_with("rule ")) {
      const std::size_t bar = line.find(" | ");
      all.back().rules.push_back(line.substr(5, bar - 5));
      all.back().starts.push_back(line.substr(bar + 3));
    } else if (line.starts_with("definition ")) {
      all.back().definitions.push_back(line.substr(11));
    } else if (line.starts_with("example ")) {
      all.back().examples.push_back(line.substr(8));
    }
  }
  return all;
}

Policy ReadShared(const std::string& file) {
  return MustRead(ReadAll(SharedData() / file), "fallback");
}

class PublishedPolicies : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(SharedData() / "policy_packs")) {
      GTEST_SKIP() << "NOT TESTED: the published policies are not at " << SharedData()
                   << "; set SAFEGUARD_SHARED";
    }
  }
};

TEST_F(PublishedPolicies, HaveAllTheirRulesAndLevels) {
  const std::vector<Expected> all = ReadExpected();
  ASSERT_EQ(all.size(), 18U);
  for (const Expected& expected : all) {
    SCOPED_TRACE(expected.file);
    const Policy policy = ReadShared(expected.file);
    std::vector<std::string> levels;
    const std::vector<std::string> level_lines = LevelLines(policy);
    for (std::size_t i = 0; i < level_lines.size(); ++i) {
      levels.push_back(std::to_string(policy.levels[i].line) + " " + level_lines[i]);
    }
    EXPECT_THAT(levels, ElementsAreArray(expected.levels));
    std::vector<std::string> rules;
    const std::vector<std::string> rule_lines = RuleLines(policy);
    for (std::size_t i = 0; i < rule_lines.size(); ++i) {
      rules.push_back(std::to_string(policy.rules[i].line) + " " + rule_lines[i]);
    }
    ASSERT_THAT(rules, ElementsAreArray(expected.rules));
    for (std::size_t i = 0; i < rules.size(); ++i) {
      EXPECT_TRUE(policy.rules[i].text.starts_with(expected.starts[i])) << policy.rules[i].text;
    }
  }
}

TEST_F(PublishedPolicies, HaveAllTheirDefinitionsAndExamples) {
  for (const Expected& expected : ReadExpected()) {
    SCOPED_TRACE(expected.file);
    const Policy policy = ReadShared(expected.file);
    std::vector<std::string> definitions;
    for (const Definition& one : policy.definitions) {
      definitions.push_back(std::to_string(one.line) + " " + one.term);
      EXPECT_FALSE(one.text.empty()) << one.term;
    }
    EXPECT_THAT(definitions, ElementsAreArray(expected.definitions));
    ASSERT_EQ(policy.examples.size(), expected.examples.size());
    for (std::size_t i = 0; i < policy.examples.size(); ++i) {
      const Example& one = policy.examples[i];
      const std::string line =
          std::to_string(one.line) + " " + ToString(one.side) + " [" + one.label + "] " + one.text;
      EXPECT_TRUE(line.starts_with(expected.examples[i])) << line << "\n" << expected.examples[i];
    }
  }
}

// The two policies are one text in two languages: what is a violation in one is one in the other.
TEST_F(PublishedPolicies, TranslationsAreOnTheSameSides) {
  const Policy english = ReadShared("policy_packs/hackathon/policy_en.txt");
  const Policy farsi = ReadShared("policy_packs/hackathon/policy_fa.txt");
  EXPECT_EQ(RuleLines(english), RuleLines(farsi));
  EXPECT_EQ(LevelLines(english), LevelLines(farsi));
  EXPECT_EQ(english.FindRule("1.4")->side, Side::kViolating);
  EXPECT_EQ(farsi.FindRule("3.5")->side, Side::kViolating);
}

// Ids that the author wrote are marked as such: only those may be cited as the policy's own.
TEST_F(PublishedPolicies, WrittenIdsAreToldFromMadeOnes) {
  for (const Rule& rule : ReadShared("gpt_oss_safeguard_spam/spam/policy.txt").rules) {
    EXPECT_TRUE(rule.id_written) << rule.id;
  }
  for (const Rule& rule : ReadShared("policy_packs/demo/drug_policy.md").rules) {
    EXPECT_FALSE(rule.id_written) << rule.id;
  }
}

TEST_F(PublishedPolicies, TextsStandWithoutIdAndMarkup) {
  const Policy spam = ReadShared("gpt_oss_safeguard_spam/spam/policy.txt");
  EXPECT_EQ(spam.FindRule("SP2.b")->text, "Irrelevant ads – “Buy gold rings here!”");
  EXPECT_EQ(spam.FindLevel("SP4")->output, "INVALID + ESCALATE");
  EXPECT_EQ(spam.FindLevel("SP0")->output, "VALID");
  EXPECT_EQ(spam.FindLevel("SP3")->name, "High-Risk Spam");
  EXPECT_EQ(spam.id, "spam-policy");
  EXPECT_EQ(spam.name, "Spam Policy");
  EXPECT_EQ(spam.labels.front(), "VALID");
  EXPECT_EQ(spam.label_meanings.at("VALID"), "safe");
  EXPECT_EQ(spam.definitions.size(), 5U);
  EXPECT_EQ(spam.definitions[1].term, "Bulk Messaging");

  const Policy markdown = ReadShared("policy_packs/hackathon/spam.md");
  for (const Rule& rule : spam.rules) {
    ASSERT_NE(markdown.FindRule(rule.id), nullptr) << rule.id;
    EXPECT_EQ(markdown.FindRule(rule.id)->side, rule.side);
  }
}

TEST_F(PublishedPolicies, DualLabelsAreRead) {
  const Policy policy = ReadShared("policy_packs/hackathon/spam.md");
  ASSERT_EQ(policy.examples.size(), 4U);
  EXPECT_EQ(policy.examples[1].label, "D-SP0, R-SP2");
  EXPECT_THAT(policy.examples[1].rule_ids, ElementsAreArray({"SP0", "SP2"}));
  for (const Example& example : policy.examples) {
    EXPECT_EQ(example.side, Side::kViolating) << example.label;
  }
}

TEST_F(PublishedPolicies, HeadedExamplesAreRead) {
  struct Case {
    const char* file;
    std::size_t examples;
    std::size_t safe;
  };
  for (const Case& one : {Case{"policy_v001.md", 10, 2}, Case{"policy_v002.md", 15, 4},
                          Case{"policy_v003.md", 14, 3}, Case{"toxic_chat_claude_1.md", 6, 2}}) {
    SCOPED_TRACE(one.file);
    const Policy policy = ReadShared(std::string("policy_packs/hackathon/") + one.file);
    EXPECT_EQ(policy.examples.size(), one.examples);
    std::size_t safe = 0;
    for (const Example& example : policy.examples) {
      EXPECT_NE(example.side, Side::kNone) << example.line;
      EXPECT_EQ(example.text.find("Analysis"), std::string::npos);
      EXPECT_EQ(example.text.find("Violates "), std::string::npos);
      safe += example.side == Side::kSafe ? 1 : 0;
    }
    EXPECT_EQ(safe, one.safe);
  }
}

TEST_F(PublishedPolicies, TeenPackHasDefinitionsAndLabelledExamples) {
  const std::string folder = "policy_packs/openAI/teen-safety/example_policies/";
  for (const char* name :
       {"age-restricted-goods-and-services", "dangerous-content", "dangerous-roleplay",
        "graphic-sexual-content", "graphic-violent-content", "harmful-body-ideals"}) {
    SCOPED_TRACE(name);
    const Policy policy = ReadShared(folder + name + "/policy.md");
    EXPECT_GE(policy.definitions.size(), 2U);
    EXPECT_GE(policy.examples.size(), 4U);
    for (const Example& example : policy.examples) {
      ASSERT_EQ(example.rule_ids.size(), 1U);
      EXPECT_EQ(example.side, policy.FindLevel(example.rule_ids.front())->side);
    }
    EXPECT_THAT(Checks(LintPolicy(policy, {}), Severity::kWarning),
                ::testing::Each(::testing::StrEq("hedge-words")));
  }
}

// Annexes and reports are no policies: they must read, and nothing in them takes a side by itself.
TEST_F(PublishedPolicies, AnnexesReadWithoutSides) {
  const std::filesystem::path folder =
      SharedData() / "policy_packs/christchurch-call-foundation/tvec-policy";
  int annexes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("annex")) {
      ++annexes;
      const Policy policy = MustRead(ReadAll(entry.path()));
      for (const Rule& rule : policy.rules) {
        EXPECT_EQ(rule.side, Side::kNone) << entry.path() << ":" << rule.line;
      }
    }
  }
  EXPECT_EQ(annexes, 2);
}

TEST_F(PublishedPolicies, LintFindsTheirMistakes) {
  const auto lines_of = [](const Policy& policy, std::string_view check) {
    std::vector<int> lines;
    for (const Finding& finding : LintPolicy(policy, {})) {
      if (finding.check == check) {
        lines.push_back(finding.line);
      }
    }
    return lines;
  };
  const Policy tvec =
      ReadShared("policy_packs/christchurch-call-foundation/tvec-policy/tvec-policy");
  EXPECT_THAT(lines_of(tvec, "undefined-id"), ElementsAreArray({104}));  // INCITE1
  EXPECT_THAT(lines_of(tvec, "hedge-words"), ElementsAreArray({33}));
  EXPECT_THAT(lines_of(tvec, "output-instruction"), ElementsAreArray({0}));
  const Policy spam = ReadShared("gpt_oss_safeguard_spam/spam/policy.txt");
  EXPECT_THAT(lines_of(spam, "undefined-id"),  // D-S2 where D-SP2 is meant
              ElementsAreArray({90, 90, 91, 91, 92, 93, 93}));
  EXPECT_THAT(lines_of(spam, "output-instruction"), ElementsAreArray(std::vector<int>{}));
  const Policy form = ReadShared("policy_packs/hackathon/template.md");
  EXPECT_THAT(lines_of(form, "answer-cue"), ElementsAreArray({55}));
}

}  // namespace
}  // namespace safeguard::moderation
