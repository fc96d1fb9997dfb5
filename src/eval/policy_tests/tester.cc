// Judging a policy's tests, in folds where the judge learns.
#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "base/check.h"
#include "eval/breakdown.h"
#include "eval/policy_tests.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using moderation::Policy;
using moderation::Verdict;

std::string TwoDigits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string JoinRules(const std::vector<std::string>& rules) {
  std::string joined;
  for (const std::string& rule : rules) {
    joined += (joined.empty() ? "" : ", ") + rule;
  }
  return joined;
}

std::string WhyWrong(const Record& record, const Verdict& verdict) {
  std::string why = std::string("expected ") + moderation::ToString(*record.expected) +
                    ", judged " + moderation::ToString(verdict.outcome);
  if (verdict.outcome == Outcome::kUndetermined) {
    why += std::string(" (") + moderation::ToString(verdict.reason) + ")";
  }
  if (verdict.score) {
    why += ", score " + TwoDigits(*verdict.score);
  }
  if (!verdict.rule_ids.empty()) {
    why += ", cited " + JoinRules(verdict.rule_ids);
  }
  return why;
}

std::size_t DifferentTexts(std::span<const PolicyTest> tests) {
  std::set<std::string> texts;
  for (const PolicyTest& test : tests) {
    texts.insert(NormalText(test.record.content));
  }
  return texts.size();
}

}  // namespace

Result<PolicyTester> PolicyTester::Make(moderation::Judge& judge, TestSet set,
                                        const TestOptions& options) {
  if (set.tests.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "the policy has no tests: no example with a label and no golden case",
                "add examples to its text, or golden.jsonl beside it (or --golden FILE)");
  }
  PolicyTester tester(judge, std::move(set), options);
  tester.folds_.assign(tester.set_.tests.size(), 0);
  const std::size_t folds = std::min(options.folds, DifferentTexts(tester.set_.tests));
  // A single text has nobody to learn from: its fold of one leaves nothing to teach.
  if (options.judge_learns && folds >= 2) {
    std::vector<Record> records;
    for (const PolicyTest& test : tester.set_.tests) {
      records.push_back(test.record);
    }
    Result<std::vector<std::size_t>> assigned =
        AssignFolds(records, {.folds = folds, .seed = options.seed});
    if (!assigned) {
      return std::unexpected(assigned.error());
    }
    tester.folds_ = std::move(*assigned);
    tester.fold_count_ = folds;
  }
  return tester;
}

Result<std::shared_ptr<const moderation::PreparedPolicy>> PolicyTester::Prepare(
    const Policy& policy, std::size_t fold) {
  if (!options_.judge_learns) {
    return judge_->Prepare(policy, {});
  }
  std::set<std::string> hidden;
  std::vector<moderation::GoldenCase> training;
  for (std::size_t i = 0; i < set_.tests.size(); ++i) {
    const PolicyTest& test = set_.tests[i];
    if (folds_[i] == fold) {
      hidden.insert(NormalText(test.record.content));
    } else if (!test.is_example && options_.teach_golden) {
      training.push_back(*ToGoldenCase(test.record));
    }
  }
  Policy shown = policy;
  std::erase_if(shown.examples, [&hidden](const moderation::Example& example) {
    return hidden.contains(NormalText(moderation::UserMessage(example.text)));
  });
  return judge_->Prepare(shown, training);
}

TestResult PolicyTester::Grade(const PolicyTest& test, CaseResult result,
                               const moderation::Thresholds& thresholds) const {
  TestResult graded;
  if (!result.judged) {
    return graded;
  }
  graded.verdict = std::move(result.verdict);
  graded.latency_ms = result.latency_ms;
  const Verdict& verdict = graded.verdict;
  const bool violation = *test.record.expected == Outcome::kViolation;
  if (verdict.score) {
    graded.margin =
        violation ? *verdict.score - thresholds.violation : thresholds.safe - *verdict.score;
  }
  bool passed = verdict.outcome == *test.record.expected;
  if (!passed) {
    graded.why = WhyWrong(test.record, verdict);
  }
  if (violation && passed && !test.record.rule_ids.empty()) {
    graded.rule_cited = std::ranges::any_of(
        test.record.rule_ids, [&verdict](const std::string& rule) { return Cites(verdict, rule); });
    if (options_.strict_rules && !*graded.rule_cited) {
      passed = false;
      graded.why = "a violation as expected, but of " +
                   (verdict.rule_ids.empty() ? "no rule" : JoinRules(verdict.rule_ids)) + ", not " +
                   JoinRules(test.record.rule_ids);
    }
  }
  graded.status = test.known_gap ? (passed ? TestStatus::kUnexpectedPass : TestStatus::kKnownGap)
                                 : (passed ? TestStatus::kPassed : TestStatus::kFailed);
  return graded;
}

Status PolicyTester::RunFold(std::size_t fold, std::span<const Policy> policies,
                             std::span<const std::size_t> tests, std::span<TestRun> runs) {
  std::vector<Record> records;
  for (const std::size_t test : tests) {
    records.push_back(set_.tests[test].record);
  }
  std::vector<std::shared_ptr<const moderation::PreparedPolicy>> prepared;
  for (const Policy& policy : policies) {
    auto ready = Prepare(policy, fold);
    if (!ready) {
      return std::unexpected(ready.error());
    }
    prepared.push_back(std::move(*ready));
  }
  std::vector<EvaluationRun> judged = RunPolicies(*judge_, prepared, records, options_.run);
  for (std::size_t p = 0; p < policies.size(); ++p) {
    const auto thresholds = policies[p].thresholds.value_or(moderation::Thresholds{});
    runs[p].cancelled = runs[p].cancelled || judged[p].cancelled;
    runs[p].seconds += judged[p].seconds / static_cast<double>(policies.size());
    for (std::size_t i = 0; i < tests.size(); ++i) {
      runs[p].results[tests[i]] =
          Grade(set_.tests[tests[i]], std::move(judged[p].results[i]), thresholds);
    }
  }
  return {};
}

Result<std::vector<TestRun>> PolicyTester::Run(std::span<const Policy> policies,
                                               std::span<const std::size_t> only) {
  std::vector<TestRun> runs(policies.size());
  for (TestRun& run : runs) {
    run.results.resize(set_.tests.size());
  }
  const std::size_t at_once = std::max<std::size_t>(options_.policies_at_once, 1);
  for (std::size_t fold = 0; fold < fold_count_; ++fold) {
    std::vector<std::size_t> tests;
    for (std::size_t i = 0; i < set_.tests.size(); ++i) {
      const bool wanted = only.empty() || std::ranges::find(only, i) != only.end();
      if (folds_[i] == fold && wanted) {
        tests.push_back(i);
      }
    }
    for (std::size_t p = 0; p < policies.size() && !tests.empty(); p += at_once) {
      const std::size_t count = std::min(at_once, policies.size() - p);
      const Status done =
          RunFold(fold, policies.subspan(p, count), tests, std::span(runs).subspan(p, count));
      if (!done) {
        return std::unexpected(done.error());
      }
    }
  }
  return runs;
}

}  // namespace safeguard::eval
