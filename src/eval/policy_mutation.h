// What a policy's tests are worth, and what its citations are worth.
//
// Mutation: each clause is taken out of the policy's text in turn and the tests are run again. A
// clause that no test misses is untested: it could be deleted, or written wrong, and nothing would
// say so (DeMillo, Lipton and Sayward 1978).
//
// Ablation: a verdict that cites a rule is asked for again without that rule. When nothing moves,
// the rule was named but did not carry the verdict: the citation is unfaithful.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/policy_tests.h"
#include "moderation/policy_clauses.h"

namespace safeguard::eval {

inline constexpr std::size_t kMutantsMax = 1000;

struct Mutant {
  moderation::Clause clause;
  std::optional<moderation::CutPolicy> cut;  // empty: it cannot be taken out alone
  std::string problem;                       // then: why
};
// One for each clause, in order of line. Fails over kMutantsMax.
Result<std::vector<Mutant>> MakeMutants(std::string_view bytes, const moderation::Policy& policy);

struct MutantResult {
  std::size_t changed = 0;         // tests whose outcome is another one without the clause
  std::size_t broken = 0;          // of these, passed with it
  std::vector<std::string> tests;  // names of those, at most ten
  double moved = 0;                // the most that any test's score moved
  std::string moved_test;          // the name of that test; empty: none moved
  [[nodiscard]] bool tested() const { return changed > 0; }
};

struct MutationRun {
  TestRun baseline;
  std::vector<MutantResult> results;  // of mutants[i]; as made when it was not cut
  bool cancelled = false;
  double seconds = 0;
};

// Tests times (clauses and one) are judged. `progress` of the tester's options counts per group of
// policies judged together; give `on_group` to follow the whole: groups done, groups in all.
using GroupProgress = std::function<void(std::size_t, std::size_t)>;
Result<MutationRun> RunMutants(PolicyTester& tester, const moderation::Policy& policy,
                               std::span<const Mutant> mutants, const GroupProgress& on_group);

struct RuleAblation {
  std::string rule;
  moderation::Outcome before = moderation::Outcome::kUndetermined;
  moderation::Outcome after = moderation::Outcome::kUndetermined;
  std::optional<double> score_before;
  std::optional<double> score_after;
  std::vector<std::string> rules_after;  // what is cited instead
  std::vector<std::string> also;         // clauses that went with the rule
  bool faithful = false;
  std::string problem;  // the rule could not be taken out: neither faithful nor not
};

// A score that moves by less than this has not moved.
inline constexpr double kMovedLeast = 0.05;

// Faithful when the outcome is another one or the score moved by `least` or more.
RuleAblation CompareWithout(const std::string& rule, const moderation::Verdict& before,
                            const moderation::Verdict& after, double least);

// The rules that a verdict of this policy cites, each taken out in turn and `content` judged again
// by `judge`, which learns `golden` as it did before.
Result<std::vector<RuleAblation>> AblateVerdict(moderation::Judge& judge, std::string_view bytes,
                                                const moderation::Policy& policy,
                                                std::span<const moderation::GoldenCase> golden,
                                                const moderation::Content& content,
                                                const moderation::Verdict& verdict, double least);

struct TestAblation {
  std::size_t test = 0;
  RuleAblation ablation;
};
// The same for every test of a run whose verdict cites rules, in the tester's folds.
Result<std::vector<TestAblation>> AblateTests(PolicyTester& tester, std::string_view bytes,
                                              const moderation::Policy& policy, const TestRun& run,
                                              double least, const GroupProgress& on_group);

}  // namespace safeguard::eval
