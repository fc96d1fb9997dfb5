// The results of a policy's tests: tables for people, JSON and JUnit XML for machines.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "eval/policy_mutation.h"
#include "eval/policy_tests.h"
#include "moderation/policy.h"

namespace safeguard::apps {

// Everything that was found out about one policy.
struct PolicyTestReport {
  moderation::Policy policy;
  eval::TestSet set;
  std::size_t folds = 1;
  std::vector<std::string> notes;  // how the tests were judged
  eval::TestRun run;
  eval::TestSummary summary;
  double min_pass = 1;
  bool mutated = false;
  std::vector<eval::Mutant> mutants;
  eval::MutationRun mutation;
  bool ablated = false;
  std::vector<eval::TestAblation> ablations;

  [[nodiscard]] bool passed() const { return summary.pass_share() >= min_pass; }
};

struct TextLayout {
  std::size_t width = 100;
  bool color = false;
  std::size_t failures_max = 20;
};

std::string PolicyTestText(const PolicyTestReport& report, const TextLayout& layout);
nlohmann::ordered_json PolicyTestJson(const PolicyTestReport& report);

// A file of test suites, one a policy, as CI systems read it.
std::string JunitXml(std::span<const PolicyTestReport> reports);

// Of the rules that the verdicts of one run cite: how often the citation carried the verdict.
struct CitationRate {
  std::string rule;
  std::size_t cited = 0;
  std::size_t faithful = 0;
  std::size_t unknown = 0;  // the rule could not be taken out
};
std::vector<CitationRate> CitationRates(std::span<const eval::TestAblation> ablations);

}  // namespace safeguard::apps
