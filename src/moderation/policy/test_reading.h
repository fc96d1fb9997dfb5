// What the tests of this folder share: reading a policy and writing down what was found.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "moderation/policy.h"

namespace safeguard::moderation {

inline Policy MustRead(std::string_view text, std::string_view id = "fallback") {
  Result<Policy> policy = ReadPolicy(text, id);
  EXPECT_TRUE(policy.has_value()) << Describe(policy.error());
  return policy ? *std::move(policy) : Policy{};
}

// "ID SIDE LEVEL", "-" for no level.
inline std::vector<std::string> RuleLines(const Policy& policy) {
  std::vector<std::string> lines;
  for (const Rule& rule : policy.rules) {
    lines.push_back(rule.id + " " + ToString(rule.side) + " " +
                    (rule.level_id.empty() ? std::string(1, '-') : rule.level_id));
  }
  return lines;
}

// "ID SIDE"
inline std::vector<std::string> LevelLines(const Policy& policy) {
  std::vector<std::string> lines;
  for (const Level& level : policy.levels) {
    lines.push_back(level.id + " " + ToString(level.side));
  }
  return lines;
}

// "LABEL SIDE: TEXT"
inline std::vector<std::string> ExampleLines(const Policy& policy) {
  std::vector<std::string> lines;
  for (const Example& example : policy.examples) {
    lines.push_back(example.label + " " + ToString(example.side) + ": " + example.text);
  }
  return lines;
}

// "TERM: TEXT"
inline std::vector<std::string> DefinitionLines(const Policy& policy) {
  std::vector<std::string> lines;
  for (const Definition& definition : policy.definitions) {
    lines.push_back(definition.term + ": " + definition.text);
  }
  return lines;
}

inline std::vector<std::string> Checks(const std::vector<Finding>& findings,
                                       Severity at_least = Severity::kHint) {
  std::vector<std::string> checks;
  for (const Finding& finding : findings) {
    if (finding.severity <= at_least) {
      checks.push_back(finding.check);
    }
  }
  return checks;
}

}  // namespace safeguard::moderation
