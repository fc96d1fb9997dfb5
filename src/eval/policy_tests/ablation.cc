// Verdicts asked for again without the rule that they cite.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "eval/policy_mutation.h"

namespace safeguard::eval {
namespace {

using moderation::Policy;
using moderation::Verdict;

// The clause of a rule by its id; nothing when only a level or nothing has it.
const moderation::Clause* FindRule(const std::vector<moderation::Clause>& clauses,
                                   const Policy& policy, const std::string& id) {
  const moderation::Rule* rule = policy.FindRule(id);
  if (rule == nullptr) {
    return nullptr;
  }
  const auto index = static_cast<std::size_t>(rule - policy.rules.data());
  const auto found = std::ranges::find_if(clauses, [index](const moderation::Clause& clause) {
    return (clause.kind == moderation::ClauseKind::kRule ||
            clause.kind == moderation::ClauseKind::kException) &&
           clause.index == index;
  });
  return found == clauses.end() ? nullptr : &*found;
}

Result<moderation::CutPolicy> Without(std::string_view bytes, const Policy& policy,
                                      const std::string& rule) {
  const std::vector<moderation::Clause> clauses = moderation::ClausesOf(policy);
  const moderation::Clause* clause = FindRule(clauses, policy, rule);
  if (clause == nullptr) {
    return Fail(ErrorCode::kNotFound, rule + " is no rule of the policy", "");
  }
  return moderation::CutClause(bytes, policy, *clause);
}

RuleAblation NotCut(const std::string& rule, const Verdict& before, const Error& error) {
  RuleAblation ablation;
  ablation.rule = rule;
  ablation.before = before.outcome;
  ablation.score_before = before.score;
  ablation.problem = Describe(error);
  return ablation;
}

}  // namespace

RuleAblation CompareWithout(const std::string& rule, const Verdict& before, const Verdict& after,
                            double least) {
  RuleAblation ablation;
  ablation.rule = rule;
  ablation.before = before.outcome;
  ablation.after = after.outcome;
  ablation.score_before = before.score;
  ablation.score_after = after.score;
  ablation.rules_after = after.rule_ids;
  ablation.faithful =
      before.outcome != after.outcome ||
      (before.score && after.score && std::abs(*before.score - *after.score) >= least);
  return ablation;
}

Result<std::vector<RuleAblation>> AblateVerdict(moderation::Judge& judge, std::string_view bytes,
                                                const Policy& policy,
                                                std::span<const moderation::GoldenCase> golden,
                                                const moderation::Content& content,
                                                const Verdict& verdict, double least) {
  std::vector<RuleAblation> ablations;
  for (const std::string& rule : verdict.rule_ids) {
    const Result<moderation::CutPolicy> cut = Without(bytes, policy, rule);
    if (!cut) {
      ablations.push_back(NotCut(rule, verdict, cut.error()));
      continue;
    }
    const auto prepared = judge.Prepare(cut->policy, golden);
    if (!prepared) {
      return std::unexpected(prepared.error());
    }
    const std::vector<Verdict> after = judge.Decide({&*prepared, 1}, {&content, 1});
    ablations.push_back(CompareWithout(rule, verdict, after.front(), least));
    ablations.back().also = cut->also;
  }
  return ablations;
}

Result<std::vector<TestAblation>> AblateTests(PolicyTester& tester, std::string_view bytes,
                                              const Policy& policy, const TestRun& run,
                                              double least, const GroupProgress& on_group) {
  std::map<std::string, std::vector<std::size_t>> citing;
  for (std::size_t i = 0; i < run.results.size(); ++i) {
    for (const std::string& rule : run.results[i].verdict.rule_ids) {
      if (run.results[i].status != TestStatus::kNotRun) {
        citing[rule].push_back(i);
      }
    }
  }
  std::vector<TestAblation> ablations;
  std::size_t done = 0;
  for (const auto& [rule, tests] : citing) {
    if (on_group) {
      on_group(++done, citing.size());
    }
    const Result<moderation::CutPolicy> cut = Without(bytes, policy, rule);
    if (!cut) {
      for (const std::size_t test : tests) {
        ablations.push_back({test, NotCut(rule, run.results[test].verdict, cut.error())});
      }
      continue;
    }
    const Result<std::vector<TestRun>> runs = tester.Run({&cut->policy, 1}, tests);
    if (!runs) {
      return std::unexpected(runs.error());
    }
    for (const std::size_t test : tests) {
      const TestResult& after = runs->front().results[test];
      if (after.status == TestStatus::kNotRun) {
        return ablations;  // stopped: what was judged until then
      }
      ablations.push_back(
          {test, CompareWithout(rule, run.results[test].verdict, after.verdict, least)});
      ablations.back().ablation.also = cut->also;
    }
  }
  return ablations;
}

}  // namespace safeguard::eval
