#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "base/check.h"
#include "eval/breakdown.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using moderation::Verdict;

bool IsSubRuleOf(std::string_view id, std::string_view rule) {
  return id.size() > rule.size() && id.starts_with(rule) &&
         (id[rule.size()] == '.' || id[rule.size()] == '-' || id[rule.size()] == '/');
}

std::vector<std::string> NamesOf(const Record& record, GroupKind kind) {
  if (kind == GroupKind::kTag) {
    return record.tags;
  }
  const std::string& name =
      kind == GroupKind::kLanguage ? record.content.language : record.content.surface;
  return name.empty() ? std::vector<std::string>() : std::vector<std::string>{name};
}

std::optional<double> Auc(std::span<const Judged> cases) {
  std::vector<Scored> scored;
  for (const Judged& judged : cases) {
    if (const std::optional<double> score = judged.score()) {
      scored.push_back({.score = *score, .positive = judged.expected()});
    }
  }
  return Ranking(scored).Measure({}).roc_auc;
}

// Whether the rules that a case expects are known: it names some, or it is safe and expects none.
bool RulesKnown(const Judged& judged) {
  return !judged.expected() || !judged.record->rule_ids.empty();
}

void CountRule(const Judged& judged, RuleResult& result) {
  const bool violation = judged.outcome() == Outcome::kViolation;
  const bool cited = violation && Cites(judged.result->verdict, result.rule);
  const bool expected =
      judged.expected() && std::ranges::any_of(judged.record->rule_ids, [&](const std::string& id) {
        return id == result.rule || IsSubRuleOf(id, result.rule);
      });
  result.support += expected ? 1 : 0;
  result.detected += expected && violation ? 1 : 0;
  result.found += expected && cited ? 1 : 0;
  result.cited += cited ? 1 : 0;
  result.cited_rightly += cited && expected ? 1 : 0;
}

// Expected or cited, in order of id; of more than kRulesMax those that occur most.
std::vector<std::string> RulesOf(std::span<const Judged> cases) {
  std::map<std::string, std::size_t> counts;
  const auto add = [&counts](const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      ++counts[id];
    }
  };
  for (const Judged& judged : cases) {
    if (judged.expected()) {
      add(judged.record->rule_ids);
    }
    if (judged.outcome() == Outcome::kViolation) {
      add(judged.result->verdict.rule_ids);
    }
  }
  std::vector<std::pair<std::string, std::size_t>> rules(counts.begin(), counts.end());
  std::ranges::stable_sort(rules, std::greater(), &std::pair<std::string, std::size_t>::second);
  rules.resize(std::min(rules.size(), kRulesMax));
  std::vector<std::string> ids;
  ids.reserve(rules.size());
  for (auto& [id, count] : rules) {
    ids.push_back(std::move(id));
  }
  std::ranges::sort(ids);
  return ids;
}

std::optional<double> Share(std::size_t part, std::size_t whole) {
  return whole == 0 ? std::nullopt
                    : std::optional(static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

std::optional<double> Judged::score() const {
  const std::optional<double>& score = result->verdict.score;
  return score && *score >= 0 && *score <= 1 ? score : std::nullopt;
}

std::vector<Judged> JudgedCases(std::span<const Record> records,
                                std::span<const CaseResult> results) {
  CHECK(records.size() == results.size());
  std::vector<Judged> cases;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].expected && results[i].judged) {
      cases.push_back({.record = &records[i], .result = &results[i]});
    }
  }
  return cases;
}

Tally Count(std::span<const Judged> cases) {
  Tally tally;
  for (const Judged& judged : cases) {
    const bool expected = judged.expected();
    if (judged.outcome() == Outcome::kUndetermined) {
      ++tally.undetermined;
      tally.with_undetermined.Add(expected, !expected);
      continue;
    }
    tally.decided.Add(expected, judged.outcome() == Outcome::kViolation);
    tally.with_undetermined.Add(expected, judged.outcome() == Outcome::kViolation);
  }
  return tally;
}

bool Cites(const Verdict& verdict, std::string_view rule) {
  return verdict.category == rule ||
         std::ranges::any_of(verdict.rule_ids, [rule](const std::string& id) {
           return id == rule || IsSubRuleOf(id, rule);
         });
}

std::vector<RuleResult> MeasureRules(std::span<const Judged> cases) {
  std::vector<RuleResult> results;
  const bool any_named = std::ranges::any_of(cases, [](const Judged& judged) {
    return judged.expected() && !judged.record->rule_ids.empty();
  });
  if (!any_named) {  // the data say nothing of rules: a citation can be neither right nor wrong
    return results;
  }
  for (const std::string& rule : RulesOf(cases)) {
    RuleResult& result = results.emplace_back();
    result.rule = rule;
    for (const Judged& judged : cases) {
      if (RulesKnown(judged)) {
        CountRule(judged, result);
      }
    }
    result.recall = Share(result.found, result.support);
    result.precision = Share(result.cited_rightly, result.cited);
  }
  return results;
}

std::vector<GroupResult> MeasureGroups(std::span<const Judged> cases, GroupKind kind) {
  std::map<std::string, std::vector<Judged>> groups;
  bool any_stated = false;
  for (const Judged& judged : cases) {
    const std::vector<std::string> names = NamesOf(*judged.record, kind);
    any_stated = any_stated || !names.empty();
    for (const std::string& name : std::set(names.begin(), names.end())) {
      groups[name].push_back(judged);
    }
    if (names.empty()) {
      groups["(not stated)"].push_back(judged);
    }
  }
  std::vector<GroupResult> results;
  if (!any_stated) {
    return results;
  }
  for (const auto& [name, members] : groups) {
    results.push_back(
        {.name = name, .cases = members.size(), .tally = Count(members), .roc_auc = Auc(members)});
  }
  std::ranges::stable_sort(
      results, [](const GroupResult& a, const GroupResult& b) { return a.cases > b.cases; });
  results.resize(std::min(results.size(), kGroupsMax));
  return results;
}

}  // namespace safeguard::eval
