// Clauses taken out one by one.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "eval/policy_mutation.h"

namespace safeguard::eval {
namespace {

constexpr std::size_t kTestsNamed = 10;

MutantResult Compare(std::span<const PolicyTest> tests, const TestRun& baseline,
                     const TestRun& without) {
  MutantResult result;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const TestResult& before = baseline.results[i];
    const TestResult& after = without.results[i];
    if (before.status == TestStatus::kNotRun || after.status == TestStatus::kNotRun) {
      continue;
    }
    if (before.verdict.outcome != after.verdict.outcome || before.status != after.status) {
      ++result.changed;
      const bool passed =
          before.status == TestStatus::kPassed || before.status == TestStatus::kUnexpectedPass;
      result.broken += passed ? 1 : 0;
      if (result.tests.size() < kTestsNamed) {
        result.tests.push_back(tests[i].name);
      }
    }
    if (before.verdict.score && after.verdict.score) {
      const double moved = std::abs(*after.verdict.score - *before.verdict.score);
      if (moved > result.moved) {
        result.moved = moved;
        result.moved_test = tests[i].name;
      }
    }
  }
  return result;
}

}  // namespace

Result<std::vector<Mutant>> MakeMutants(std::string_view bytes, const moderation::Policy& policy) {
  const std::vector<moderation::Clause> clauses = moderation::ClausesOf(policy);
  if (clauses.size() > kMutantsMax) {
    return Fail(ErrorCode::kLimit,
                "the policy has " + std::to_string(clauses.size()) + " clauses; the limit is " +
                    std::to_string(kMutantsMax),
                "split it");
  }
  std::vector<Mutant> mutants;
  for (const moderation::Clause& clause : clauses) {
    Mutant& mutant = mutants.emplace_back();
    mutant.clause = clause;
    Result<moderation::CutPolicy> cut = moderation::CutClause(bytes, policy, clause);
    if (cut) {
      mutant.cut = std::move(*cut);
    } else {
      mutant.problem = Describe(cut.error());
    }
  }
  return mutants;
}

Result<MutationRun> RunMutants(PolicyTester& tester, const moderation::Policy& policy,
                               std::span<const Mutant> mutants, const GroupProgress& on_group) {
  std::vector<moderation::Policy> policies;
  std::vector<std::size_t> mutant_of;
  for (std::size_t m = 0; m < mutants.size(); ++m) {
    if (mutants[m].cut) {
      policies.push_back(mutants[m].cut->policy);
      mutant_of.push_back(m);
    }
  }
  MutationRun run;
  run.results.resize(mutants.size());
  const std::size_t at_once = std::max<std::size_t>(tester.options().policies_at_once, 1);
  const std::size_t groups = 1 + (policies.size() + at_once - 1) / at_once;
  Result<std::vector<TestRun>> baseline = tester.Run({&policy, 1});
  if (!baseline) {
    return std::unexpected(baseline.error());
  }
  run.baseline = std::move(baseline->front());
  run.seconds = run.baseline.seconds;
  run.cancelled = run.baseline.cancelled;
  for (std::size_t group = 1; group < groups && !run.cancelled; ++group) {
    if (on_group) {
      on_group(group, groups);
    }
    const std::size_t first = (group - 1) * at_once;
    const std::size_t count = std::min(at_once, policies.size() - first);
    const Result<std::vector<TestRun>> runs = tester.Run(std::span(policies).subspan(first, count));
    if (!runs) {
      return std::unexpected(runs.error());
    }
    for (std::size_t i = 0; i < count; ++i) {
      run.results[mutant_of[first + i]] = Compare(tester.tests(), run.baseline, (*runs)[i]);
      run.seconds += (*runs)[i].seconds;
      run.cancelled = run.cancelled || (*runs)[i].cancelled;
    }
  }
  if (on_group && !run.cancelled) {
    on_group(groups, groups);
  }
  return run;
}

}  // namespace safeguard::eval
