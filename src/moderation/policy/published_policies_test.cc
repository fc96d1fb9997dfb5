// The published policies that the reader must read whole: every rule found, none made up, each on
// its side. The policies themselves are not ours to ship; without them the tests are skipped.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "base/file.h"
#include "moderation/policy.h"

namespace safeguard::moderation {
namespace {

std::string SharedFolder() {
  const char* folder = std::getenv("SAFEGUARD_SHARED");
  return folder != nullptr ? folder : SAFEGUARD_SOURCE_DIR "/../shared";
}

// Level id -> number of its rules, lettered a, b, c, ...; level 0 is the safe one.
using Levels = std::map<std::string, int>;

void ExpectLevels(const Policy& policy, const Levels& expected) {
  std::size_t rules = 0;
  EXPECT_EQ(policy.levels.size(), expected.size());
  for (const auto& [level, count] : expected) {
    const Side side = level.back() == '0' ? Side::kSafe : Side::kViolating;
    ASSERT_NE(policy.FindLevel(level), nullptr) << level;
    EXPECT_EQ(policy.FindLevel(level)->side, side) << level;
    for (int i = 0; i < count; ++i, ++rules) {
      const std::string id = level + "." + static_cast<char>('a' + i);
      const Rule* rule = policy.FindRule(id);
      ASSERT_NE(rule, nullptr) << id;
      EXPECT_EQ(rule->side, side) << id;
      EXPECT_EQ(rule->level_id, level) << id;
      EXPECT_TRUE(rule->id_written) << id;
      EXPECT_FALSE(rule->text.empty()) << id;
    }
  }
  EXPECT_EQ(policy.rules.size(), rules) << "rules that the policy does not have";
}

struct Published {
  const char* path;
  Levels levels;
};

class PublishedPolicies : public testing::TestWithParam<Published> {};

TEST_P(PublishedPolicies, EveryRuleIsFoundOnItsSide) {
  const std::string path = SharedFolder() + "/data/permissive/" + GetParam().path;
  const Result<std::string> bytes = ReadFile(path, kPolicyBytesMax);
  if (!bytes) {
    GTEST_SKIP() << "no shared data: " << bytes.error().message;
  }
  const Result<Policy> policy = ReadPolicy(*bytes, "fallback");
  ASSERT_TRUE(policy) << policy.error().message;
  ExpectLevels(*policy, GetParam().levels);
  EXPECT_FALSE(policy->examples.empty());
  EXPECT_FALSE(policy->definitions.empty());
}

constexpr const char* kTeen = "policy_packs/openAI/teen-safety/example_policies/";

std::vector<Published> All() {
  static const std::vector<std::string> paths = [] {
    std::vector<std::string> all;
    for (const char* name :
         {"age-restricted-goods-and-services", "dangerous-content", "dangerous-roleplay",
          "graphic-sexual-content", "graphic-violent-content", "harmful-body-ideals"}) {
      all.push_back(std::string(kTeen) + name + "/policy.md");
    }
    return all;
  }();
  const Levels spam = {{"SP0", 7}, {"SP2", 3}, {"SP3", 4}, {"SP4", 3}};
  return {{"gpt_oss_safeguard_spam/spam/policy.txt", spam},
          {"policy_packs/hackathon/spam.md", spam},
          {paths[0].c_str(), {{"ARS0", 4}, {"ARS1", 4}, {"ARS2", 3}}},
          {paths[1].c_str(), {{"DC0", 5}, {"DC1", 4}, {"DC2", 6}, {"DC3", 5}}},
          {paths[2].c_str(), {{"DR0", 3}, {"DR1", 3}, {"DR2", 2}, {"DR3", 5}}},
          {paths[3].c_str(), {{"GS0", 5}, {"GS1", 4}, {"GS2", 4}}},
          {paths[4].c_str(), {{"GV0", 6}, {"GV1", 7}, {"GV2", 4}}},
          {paths[5].c_str(), {{"HBI0", 7}, {"HBI1", 6}, {"HBI2", 9}}}};
}

INSTANTIATE_TEST_SUITE_P(, PublishedPolicies, testing::ValuesIn(All()));

}  // namespace
}  // namespace safeguard::moderation
