// The corpus that the screen learns from (corpus/): every policy is understood, every case can be
// checked against it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "eval/golden_set.h"
#include "moderation/policy.h"

namespace safeguard::eval {
namespace {

using moderation::GoldenCase;
using moderation::Outcome;
using moderation::Policy;
using moderation::Side;

struct Topic {
  std::string name;
  Policy policy;
  std::vector<GoldenCase> cases;
};

std::string Bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

const std::vector<Topic>& Corpus() {
  static const auto* corpus = [] {
    auto* topics = new std::vector<Topic>;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(SAFEGUARD_SOURCE_DIR "/corpus")) {
      const auto& path = entry.path();
      if (path.extension() != ".md" || path.stem() == "README") {
        continue;
      }
      auto policy = moderation::ReadPolicy(Bytes(path), path.stem().string());
      EXPECT_TRUE(policy) << path;
      auto cases_path = path;
      std::ifstream in(cases_path.replace_extension(".jsonl"), std::ios::binary);
      auto cases = ReadGoldenSet(in, cases_path.string());
      EXPECT_TRUE(cases) << Describe(cases.error());
      if (policy && cases) {
        topics->push_back({path.stem().string(), *std::move(policy), *std::move(cases)});
      }
    }
    return topics;
  }();
  return *corpus;
}

TEST(CorpusTest, IsLargeAndBroad) {
  std::size_t cases = 0;
  std::set<std::string> languages;
  std::set<std::string> surfaces;
  for (const Topic& topic : Corpus()) {
    cases += topic.cases.size();
    for (const GoldenCase& golden : topic.cases) {
      languages.insert(golden.content.language);
      surfaces.insert(golden.content.surface);
    }
  }
  EXPECT_GE(Corpus().size(), 60U);
  EXPECT_GE(cases, 3000U);
  EXPECT_GE(languages.size(), 10U);
  EXPECT_GE(surfaces.size(), 10U);
}

TEST(CorpusTest, EveryPolicyHasRulesAndCasesOnBothSides) {
  for (const Topic& topic : Corpus()) {
    const auto& rules = topic.policy.rules;
    EXPECT_GT(std::ranges::count(rules, Side::kViolating, &moderation::Rule::side), 0)
        << topic.name;
    EXPECT_GT(std::ranges::count(rules, Side::kSafe, &moderation::Rule::side), 0) << topic.name;
    for (const Outcome side : {Outcome::kViolation, Outcome::kSafe}) {
      EXPECT_GE(std::ranges::count(topic.cases, side, &GoldenCase::expected), 20) << topic.name;
    }
  }
}

TEST(CorpusTest, EveryCitedRuleExists) {
  for (const Topic& topic : Corpus()) {
    std::set<std::string> ids;
    for (const auto& rule : topic.policy.rules) {
      ids.insert(rule.id);
    }
    for (const GoldenCase& golden : topic.cases) {
      for (const std::string& id : golden.rule_ids) {
        EXPECT_TRUE(ids.contains(id)) << topic.name << ": " << golden.content.id << " cites " << id;
      }
    }
  }
}

// One text under two policies with two answers is what teaches a screen to read the policy.
TEST(CorpusTest, ManyTextsHaveTwoAnswers) {
  std::map<std::string, std::set<Outcome>> answers;
  for (const Topic& topic : Corpus()) {
    for (const GoldenCase& golden : topic.cases) {
      answers[golden.content.messages.front().text].insert(golden.expected);
    }
  }
  const auto both =
      std::ranges::count_if(answers, [](const auto& a) { return a.second.size() > 1; });
  EXPECT_GE(both, 300);
}

// Contrast pairs: texts a few words apart with different answers under one policy.
TEST(CorpusTest, ContrastPairsDiffer) {
  std::size_t in_pairs = 0;
  for (const Topic& topic : Corpus()) {
    std::map<std::string, std::set<Outcome>> pairs;
    for (const GoldenCase& golden : topic.cases) {
      for (const std::string& tag : golden.tags) {
        if (tag.starts_with("pair:")) {
          pairs[tag].insert(golden.expected);
          ++in_pairs;
        }
      }
    }
    for (const auto& [tag, outcomes] : pairs) {
      EXPECT_EQ(outcomes.size(), 2U) << topic.name << ": " << tag;
    }
  }
  EXPECT_GE(in_pairs, 1500U);
}

}  // namespace
}  // namespace safeguard::eval
