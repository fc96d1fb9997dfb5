// A policy's own tests: its labelled examples and the cases of its golden set, judged so that no
// answer was known beforehand.
//
// A judge that learns from labelled cases (the screen) is asked in folds: what judges a case has
// seen neither it, nor its like, nor the example of the policy with the same text. A judge that
// only reads (the reasoner) is asked once, with the policy as it stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/dataset.h"
#include "eval/runner.h"
#include "moderation/golden.h"
#include "moderation/judge.h"

namespace safeguard::eval {

// A golden case with this tag is known to fail: failing, it does not count against the policy.
inline constexpr std::string_view kKnownGapTag = "known-gap";

struct PolicyTest {
  std::string name;         // the case's id, "golden case 12", or "example in line 67"
  bool is_example = false;  // of the policy's text
  bool known_gap = false;
  Record record;  // labelled; `line` is that of the policy for an example
};

struct TestSet {
  std::vector<PolicyTest> tests;          // examples first, in their order
  std::size_t examples_without_side = 0;  // of the policy: nothing can be expected of them
};
TestSet TestsOf(const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden);

enum class TestStatus { kNotRun, kPassed, kFailed, kKnownGap, kUnexpectedPass };
const char* ToString(TestStatus status);  // "passed", ...

struct TestResult {
  TestStatus status = TestStatus::kNotRun;
  moderation::Verdict verdict;
  // Of the score from the threshold that it should keep to its side; negative on the wrong one.
  std::optional<double> margin;
  std::optional<bool> rule_cited;  // of a violation that names rules: whether one of them was cited
  std::string why;                 // of a failure: one line
  double latency_ms = 0;
};

struct TestRun {
  std::vector<TestResult> results;  // of the tests, in order
  bool cancelled = false;
  double seconds = 0;  // in the judge
};

struct TestOptions {
  bool judge_learns = true;
  bool teach_golden = true;  // a judge that learns gets the golden cases of the other folds too
  std::size_t folds = 5;
  std::uint64_t seed = 1;
  bool strict_rules = false;  // the expected rule must be cited
  // Policies judged together: a judge that reads each content once for all of them gains by it.
  std::size_t policies_at_once = 1;
  RunOptions run{};
};

// Asks one judge about one set of tests, under the policy or under variants of it, always in the
// same folds. Not thread-safe.
class PolicyTester {
 public:
  // Fails when there is no test. `judge` must outlive it.
  static Result<PolicyTester> Make(moderation::Judge& judge, TestSet set,
                                   const TestOptions& options);

  [[nodiscard]] std::span<const PolicyTest> tests() const { return set_.tests; }
  [[nodiscard]] const TestSet& set() const { return set_; }
  [[nodiscard]] const TestOptions& options() const { return options_; }
  [[nodiscard]] std::size_t folds() const { return fold_count_; }  // 1: none

  // runs[p] is of policies[p]. Only the tests in `only` where it is not empty.
  Result<std::vector<TestRun>> Run(std::span<const moderation::Policy> policies,
                                   std::span<const std::size_t> only = {});

 private:
  PolicyTester(moderation::Judge& judge, TestSet set, const TestOptions& options)
      : judge_(&judge), set_(std::move(set)), options_(options) {}

  Status RunFold(std::size_t fold, std::span<const moderation::Policy> policies,
                 std::span<const std::size_t> tests, std::span<TestRun> runs);
  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::size_t fold);
  [[nodiscard]] TestResult Grade(const PolicyTest& test, CaseResult result,
                                 const moderation::Thresholds& thresholds) const;

  moderation::Judge* judge_;
  TestSet set_;
  TestOptions options_;
  std::size_t fold_count_ = 1;
  std::vector<std::size_t> folds_;  // of the tests
};

struct TestGroup {
  std::string name;
  std::size_t tests = 0;
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t known_gaps = 0;
  std::size_t unexpected = 0;  // known gaps that passed
  std::size_t cited = 0;       // of a rule: violations that name it and for which it was cited
  std::size_t citable = 0;     // violations that name it and were judged so
};

struct TestSummary {
  TestGroup all;
  std::vector<TestGroup> rules;  // in order of name
  std::vector<TestGroup> labels;
  std::vector<TestGroup> languages;
  // passed of passed and failed: known gaps count on neither side, those that passed as passed.
  [[nodiscard]] double pass_share() const;
};
TestSummary Summarise(std::span<const PolicyTest> tests, const TestRun& run);

}  // namespace safeguard::eval
