// What must hold for every text: it reads, lines are in range, every rule can be found by its id,
// and reading twice gives the same.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/utf8.h"
#include "moderation/policy.h"
#include "moderation/policy/test_reading.h"

namespace safeguard::moderation {
namespace {

// What policies are made of, so that every recogniser is reached.
// clang-format off
constexpr std::string_view kPieces[] = {
    "# ", "## ", "### Violates (1)\n", "## Safe\n", "- ", "  - ", "1. ", "(a) ", "SP2.a ",
    "SP0", "**", "`", "```\n", "| ", "|---|\n", "| Example | Label |\n", "Output: VALID\n",
    "Input: ", "Answer: 1\n", " -> ", "→", "\"", "“", "”", "✅ ", "🚫", ":", "\n", "\n\n", "\r\n",
    "    ", "Definitions\n", "Examples:\n", "EXAMPLES\n", "term: text", " means ", "---\n",
    "===\n", "<!--", "<violates>\n", "</violates>\n", "<example label=\"1\">", "</example>\n",
    "<rule id=\"V1\">", "</rule>", "{\"text\": \"a\", \"label\": ", "}\n", "id: V1 ", "2.1 ",
    "VIOLATES: ", "-->", "> ", "must not ", "word ", "Level 2", "[H1] ", "نباید ", "۱. ",
    "禁止\n", "0", "(", ")", "[", "]", "\\", "_", "*", "\t", "=1", "SP4 over SP3", "generally ",
    "é"};
// clang-format on

std::string AnyPolicyText() {
  std::string text;
  const auto parts = *rc::gen::container<std::vector<int>>(
      rc::gen::inRange(0, static_cast<int>(std::size(kPieces))));
  for (const int part : parts) {
    text += kPieces[static_cast<std::size_t>(part)];
  }
  return text;
}

std::string AnyUtf8() {
  std::string text;
  for (const int code : *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 0x1FFFF))) {
    if (code < 0xD800 || code > 0xDFFF) {
      AppendUtf8(static_cast<char32_t>(code), text);
    }
  }
  return text;
}

auto Everything(const Policy& policy) {
  std::vector<std::string> texts;
  for (const Rule& rule : policy.rules) {
    texts.push_back(rule.text + "|" + rule.section + "|" + std::to_string(rule.line));
  }
  return std::tuple(RuleLines(policy), LevelLines(policy), ExampleLines(policy),
                    DefinitionLines(policy), texts, policy.hash, policy.labels,
                    policy.label_meanings, policy.id, policy.name);
}

void CheckInvariants(const std::string& text) {
  const Result<Policy> policy = ReadPolicy(text, "x");
  if (!policy) {
    RC_ASSERT(text.starts_with("---"));  // only front matter may be refused
    return;
  }
  const int last = policy->body_line +
                   static_cast<int>(std::count(policy->text.begin(), policy->text.end(), '\n'));
  const auto in_range = [&](int line) { return line >= policy->body_line && line <= last; };
  std::set<std::string> generated;
  for (const Rule& rule : policy->rules) {
    RC_ASSERT(in_range(rule.line));
    RC_ASSERT(!rule.id.empty());
    const Rule* found = policy->FindRule(rule.id);
    RC_ASSERT(found != nullptr);
    RC_ASSERT(found->id == rule.id);
    RC_ASSERT(rule.id_written || generated.insert(rule.id).second);
    RC_ASSERT(rule.level_id.empty() || policy->FindLevel(rule.level_id) != nullptr);
    RC_ASSERT(!FirstInvalidUtf8(rule.text).has_value());
    RC_ASSERT(!FirstInvalidUtf8(rule.id).has_value());
  }
  for (const Level& level : policy->levels) {
    RC_ASSERT(in_range(level.line));
  }
  for (const Section& section : policy->sections) {
    RC_ASSERT(in_range(section.line_begin));
    RC_ASSERT(in_range(section.line_end));
    RC_ASSERT(section.line_begin <= section.line_end);
  }
  for (const Example& example : policy->examples) {
    RC_ASSERT(in_range(example.line));
    RC_ASSERT(!FirstInvalidUtf8(example.text).has_value());
    RC_ASSERT(!FirstInvalidUtf8(example.label).has_value());
  }
  for (const Definition& definition : policy->definitions) {
    RC_ASSERT(in_range(definition.line));
    RC_ASSERT(!definition.term.empty());
  }
  for (const Finding& finding : LintPolicy(*policy, {})) {
    RC_ASSERT(finding.line == 0 || finding.line == 1 || in_range(finding.line));
    RC_ASSERT(!finding.reason.empty() && !finding.mend.empty());
  }
  RC_ASSERT(Everything(*policy) == Everything(*ReadPolicy(text, "x")));
}

TEST(ReadPolicyProperties, HoldForPolicyLikeTexts) {
  EXPECT_TRUE(rc::check([] { CheckInvariants(AnyPolicyText()); }));
}

TEST(ReadPolicyProperties, HoldForAnyText) {
  EXPECT_TRUE(rc::check([] { CheckInvariants(AnyUtf8()); }));
}

// Newlines are written differently, the policy is the same.
TEST(ReadPolicyProperties, NewlinesDoNotMatter) {
  EXPECT_TRUE(rc::check([] {
    std::string text;
    for (const char c : AnyPolicyText()) {
      if (c != '\r') {
        text += c;
      }
    }
    std::string windows;
    for (const char c : text) {
      windows += c == '\n' ? "\r\n" : std::string(1, c);
    }
    const Result<Policy> one = ReadPolicy(text, "x");
    const Result<Policy> two = ReadPolicy(windows, "x");
    RC_ASSERT(one.has_value() == two.has_value());
    if (one) {
      RC_ASSERT(RuleLines(*one) == RuleLines(*two));
      RC_ASSERT(ExampleLines(*one) == ExampleLines(*two));
    }
  }));
}

// One megabyte of one hostile pattern: a quadratic step would take minutes, not seconds.
TEST(ReadPolicyProperties, HostileTextsAreLinear) {
  for (const std::string pattern : {"- a\n",
                                    "#",
                                    "\"",
                                    "“",
                                    "[",
                                    "[a](",
                                    "(",
                                    "|",
                                    "|a|b|\n|-|-|\n",
                                    "```\n",
                                    "**a** ",
                                    "\"a\" -> ",
                                    "SP2.a, ",
                                    "SP1 > SP2 > ",
                                    "generally ",
                                    "Content: a\nAnswer: 1\n",
                                    "a:",
                                    "✅",
                                    "<!--\n",
                                    "\n",
                                    "## AB1: x\n",
                                    "Allowed:\n- x\n",
                                    "1.1.1.",
                                    "<a>\n",
                                    "</a ",
                                    "<example><a ",
                                    "<rule>x</rule>\n",
                                    "<example label=\"1\">\n",
                                    "{\"text\": \"a\", ",
                                    "{\"text\": [",
                                    "- id: a text: b\n",
                                    "id: a text: ",
                                    "- VIOLATES: x\n",
                                    "[SAFE] ",
                                    "A = b\n",
                                    "1. Safe\nx\n",
                                    "Must not. ",
                                    "VIOLATES\n- \"x\"\n",
                                    "a. ",
                                    "Output: "}) {
    std::string text = "## Examples of violations\n";
    while (text.size() + pattern.size() <= kPolicyBytesMax) {
      text += pattern;
    }
    const auto begin = std::chrono::steady_clock::now();
    const Policy policy = MustRead(text);
    LintPolicy(policy, {});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(took.count(), 60) << pattern;  // seconds even with sanitizers on a busy machine
  }
}

// The same of sentences, which are read only where nothing else is.
TEST(ReadPolicyProperties, HostileProseIsLinear) {
  for (const std::string pattern :
       {"« a ", "„a ", "Allowed: a. ", "Chess is removed unless bets. ", "a ", "chess ",
        "Such. Then it. ", "if chess, but bets; ", "only for chess ", "whatever is not chess. ",
        "By chess we mean \"x\". ", "Is it chess? ", "a = b ", "e.g. ", "no, "}) {
    std::string text;
    while (text.size() + pattern.size() <= kPolicyBytesMax / 4) {
      text += pattern;
    }
    const auto begin = std::chrono::steady_clock::now();
    LintPolicy(MustRead(text), {});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(took.count(), 60) << pattern;
  }
}

}  // namespace
}  // namespace safeguard::moderation
