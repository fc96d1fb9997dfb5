#include "moderation/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/utf8.h"

namespace safeguard::moderation {
namespace {

Policy Read(std::string_view text) {
  Result<Policy> policy = ReadPolicy(text, "fallback");
  EXPECT_TRUE(policy) << policy.error().message;
  return policy.value_or(Policy{});
}

std::vector<std::string> Checks(const std::vector<Finding>& findings) {
  std::vector<std::string> checks;
  for (const Finding& finding : findings) {
    checks.push_back(finding.check);
  }
  return checks;
}

TEST(ReadPolicy, FrontMatterNamesThePolicy) {
  const Policy policy = Read(
      "---\nid: chess\nname: Chess club\nversion: \"2.1\"\nlanguages: [en, de]\n"
      "labels: {\"0\": safe, \"1\": violation}\nthresholds: {violation: 0.8, safe: 0.3}\n---\n"
      "# Rules of the club\n");
  EXPECT_EQ(policy.id, "chess");
  EXPECT_EQ(policy.version, "2.1");
  EXPECT_THAT(policy.languages, testing::ElementsAre("en", "de"));
  ASSERT_TRUE(policy.thresholds);
  EXPECT_DOUBLE_EQ(policy.thresholds->violation, 0.8);
}

TEST(ReadPolicy, BulletsUnderPlainHeadingsAreRulesOfTheirSide) {
  const Policy policy = Read(
      "# No spoilers\n## Not allowed\n- Tells who dies at the end\n- Reveals the twist\n"
      "## Allowed\n- Rates a film without the ending\n");
  ASSERT_EQ(policy.rules.size(), 3U);
  EXPECT_EQ(policy.rules[0].side, Side::kViolating);
  EXPECT_EQ(policy.rules[1].text, "Reveals the twist");
  EXPECT_EQ(policy.rules[2].side, Side::kSafe);
  EXPECT_EQ(policy.rules[2].line, 6);
  EXPECT_FALSE(policy.rules[0].id_written);
  EXPECT_EQ(policy.FindRule(policy.rules[1].id), &policy.rules[1]);
}

TEST(ReadPolicy, WrittenIdsAndExamplesInATable) {
  const Policy policy = Read(
      "# Trade (#TR)\n## VIOLATES (1)\n### TR2 - Selling\n- **TR2.a** Sells an account\n"
      "## SAFE (0)\n### TR0 - Fine\n- **TR0.a** Swaps skins in the game's own market\n## EXAMPLES\n"
      "| Content | Answer | Rule |\n|---|---|---|\n| Account for sale | 1 | TR2.a |\n"
      "| Swap my hat? | 0 | TR0.a |\n");
  ASSERT_NE(policy.FindRule("TR2.a"), nullptr);
  EXPECT_TRUE(policy.FindRule("TR2.a")->id_written);
  ASSERT_EQ(policy.examples.size(), 2U);
  EXPECT_EQ(policy.examples[0].side, Side::kViolating);
  EXPECT_EQ(policy.examples[1].side, Side::kSafe);
  EXPECT_THAT(policy.examples[1].rule_ids, testing::ElementsAre("TR0.a"));
}

TEST(ReadPolicy, BadInputIsNamed) {
  EXPECT_EQ(ReadPolicy(std::string(kPolicyBytesMax + 1, 'a'), "x").error().code, ErrorCode::kLimit);
  EXPECT_THAT(ReadPolicy(std::string("a\0b", 3), "x").error().message, testing::HasSubstr("1"));
  EXPECT_THAT(ReadPolicy("caf\xE9", "x").error().message, testing::HasSubstr("3"));
  EXPECT_FALSE(ReadPolicy("---\nid: [1\n---\n# T\n", "x"));
  EXPECT_FALSE(ReadPolicy("---\nthresholds: {violation: high}\n---\n# T\n", "x"));
}

TEST(ReadPolicy, ByteOrderMarkAndCarriageReturnsChangeNothing) {
  const std::string text = "# T\n## Not allowed\n- Sells accounts\n";
  std::string windows = "\xEF\xBB\xBF";
  for (const char c : text) {
    windows += c == '\n' ? "\r\n" : std::string(1, c);
  }
  const Policy plain = Read(text);
  const Policy read = Read(windows);
  ASSERT_EQ(read.rules.size(), 1U);
  EXPECT_EQ(read.rules[0].text, plain.rules[0].text);
  EXPECT_NE(read.hash, plain.hash);
}

TEST(ReadPolicy, AnyTextIsAPolicy) {
  EXPECT_TRUE(
      rc::check("any valid text reads, within its lines, and every rule is found by its id", [] {
        const auto pieces = *rc::gen::container<std::vector<std::string>>(
            rc::gen::elementOf(std::vector<std::string>{
                "# ", "## Allowed\n", "- ", "\n", "SP2.a ", "**", "| a | 1 |\n", "Output: VALID",
                "\u2705", "(a) ", "1. ", "\"x\"", "```\n", "word "}));
        std::string text = "x";
        for (const std::string& piece : pieces) {
          text += piece;
        }
        const Result<Policy> policy = ReadPolicy(text, "fallback");
        RC_ASSERT(policy.has_value());
        const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
        for (const Rule& rule : policy->rules) {
          RC_ASSERT(rule.line >= 1 && rule.line <= lines);
          RC_ASSERT(policy->FindRule(rule.id) != nullptr);
        }
      }));
}

constexpr std::string_view kThin = "Be generally nice. Do not be rude.\n";

TEST(LintPolicy, AThinPolicyIsToldWhatIsMissing) {
  const std::vector<Finding> findings = LintPolicy(Read(kThin), {});
  EXPECT_THAT(Checks(findings), testing::Contains(testing::HasSubstr("hedge")));
  EXPECT_THAT(Checks(findings), testing::Contains(testing::HasSubstr("output")));
  EXPECT_THAT(Checks(findings), testing::Contains(testing::HasSubstr("example")));
  for (const Finding& finding : findings) {
    EXPECT_FALSE(finding.reason.empty());
    EXPECT_FALSE(finding.mend.empty());
  }
}

TEST(LintPolicy, LengthIsCountedByTheCallersTokenizer) {
  const auto tokens = [](std::size_t count) {
    return LintPolicy(Read(kThin), [count](std::string_view) { return count; });
  };
  const auto longest = [](const std::vector<Finding>& findings) {
    Severity worst = Severity::kHint;
    bool found = false;
    for (const Finding& finding : findings) {
      if (finding.check.find("length") != std::string::npos) {
        worst = std::min(worst, finding.severity);
        found = true;
      }
    }
    return found ? static_cast<int>(worst) : -1;
  };
  EXPECT_EQ(longest(tokens(500)), -1);
  EXPECT_GE(longest(tokens(601)), 0);
  EXPECT_EQ(longest(tokens(10001)), static_cast<int>(Severity::kError));
}

TEST(LintPolicy, TheShippedPoliciesAreClean) {
  int policies = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SAFEGUARD_SOURCE_DIR "/policies")) {
    const Result<std::string> text =
        ReadFile((entry.path() / "policy.md").string(), kPolicyBytesMax);
    if (!text) {
      continue;
    }
    ++policies;
    const Policy policy = Read(*text);
    EXPECT_GE(policy.rules.size(), 12U) << entry.path();
    for (const Finding& finding : LintPolicy(policy, [](std::string_view) { return 600U; })) {
      ADD_FAILURE() << entry.path() << ":" << finding.line << ": " << finding.reason;
    }
  }
  EXPECT_EQ(policies, 12);
}

}  // namespace
}  // namespace safeguard::moderation
