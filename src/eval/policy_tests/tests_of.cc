// The tests that a policy carries, and their summary.
#include <algorithm>
#include <map>
#include <set>

#include "eval/breakdown.h"
#include "eval/policy_tests.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

void Count(TestGroup& group, const TestResult& result) {
  ++group.tests;
  group.passed += result.status == TestStatus::kPassed ? 1 : 0;
  group.failed += result.status == TestStatus::kFailed ? 1 : 0;
  group.known_gaps += result.status == TestStatus::kKnownGap ? 1 : 0;
  group.unexpected += result.status == TestStatus::kUnexpectedPass ? 1 : 0;
}

std::vector<TestGroup> InOrder(std::map<std::string, TestGroup>& groups) {
  std::vector<TestGroup> all;
  for (auto& [name, group] : groups) {
    group.name = name;
    all.push_back(std::move(group));
  }
  return all;
}

}  // namespace

const char* ToString(TestStatus status) {
  switch (status) {
    case TestStatus::kNotRun:
      return "not run";
    case TestStatus::kPassed:
      return "passed";
    case TestStatus::kFailed:
      return "failed";
    case TestStatus::kKnownGap:
      return "known gap";
    case TestStatus::kUnexpectedPass:
      return "unexpected pass";
  }
  return "not run";
}

TestSet TestsOf(const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) {
  TestSet set;
  for (const moderation::Example& example : policy.examples) {
    if (example.side == moderation::Side::kNone) {
      ++set.examples_without_side;
      continue;
    }
    PolicyTest test;
    test.name = "example in line " + std::to_string(example.line);
    test.is_example = true;
    test.record.line = static_cast<std::size_t>(std::max(example.line, 0));
    test.record.content = moderation::UserMessage(example.text);
    test.record.expected =
        example.side == moderation::Side::kViolating ? Outcome::kViolation : Outcome::kSafe;
    test.record.label = example.label;
    test.record.rule_ids = example.rule_ids;
    set.tests.push_back(std::move(test));
  }
  for (std::size_t i = 0; i < golden.size(); ++i) {
    PolicyTest test;
    test.record = FromGoldenCase(golden[i]);
    test.record.line = i + 1;
    test.name = golden[i].content.id.empty() ? "golden case " + std::to_string(i + 1)
                                             : golden[i].content.id;
    test.known_gap = std::ranges::find(golden[i].tags, kKnownGapTag) != golden[i].tags.end();
    set.tests.push_back(std::move(test));
  }
  return set;
}

double TestSummary::pass_share() const {
  const std::size_t good = all.passed + all.unexpected;
  const std::size_t counted = good + all.failed;
  return counted == 0 ? 0 : static_cast<double>(good) / static_cast<double>(counted);
}

TestSummary Summarise(std::span<const PolicyTest> tests, const TestRun& run) {
  TestSummary summary;
  summary.all.name = "all";
  std::map<std::string, TestGroup> rules;
  std::map<std::string, TestGroup> labels;
  std::map<std::string, TestGroup> languages;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const TestResult& result = run.results[i];
    if (result.status == TestStatus::kNotRun) {
      continue;
    }
    const Record& record = tests[i].record;
    Count(summary.all, result);
    const std::set<std::string> named(record.rule_ids.begin(), record.rule_ids.end());
    for (const std::string& rule : named) {
      TestGroup& group = rules[rule];
      Count(group, result);
      if (*record.expected == Outcome::kViolation &&
          result.verdict.outcome == Outcome::kViolation) {
        ++group.citable;
        group.cited += Cites(result.verdict, rule) ? 1 : 0;
      }
    }
    if (!record.label.empty()) {
      Count(labels[record.label], result);
    }
    if (!record.content.language.empty()) {
      Count(languages[record.content.language], result);
    }
  }
  summary.rules = InOrder(rules);
  summary.labels = InOrder(labels);
  summary.languages = InOrder(languages);
  return summary;
}

}  // namespace safeguard::eval
