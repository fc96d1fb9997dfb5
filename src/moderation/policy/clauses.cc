// The clauses of a policy and the lines they take.
#include <algorithm>
#include <set>

#include "moderation/policy/clause_lines.h"
#include "moderation/policy/scan.h"
#include "moderation/policy_clauses.h"

namespace safeguard::moderation {

namespace reading {

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

namespace {

std::size_t Indent(std::string_view line) {
  return line.size() - std::min(line.size(), std::string_view(TrimLeft(line)).size());
}

// "- ", "* ", "1. ", "(a) ": the beginning of another item.
bool BeginsItem(std::string_view line) {
  const std::string_view text = Trim(line);
  if (text.starts_with("- ") || text.starts_with("* ") || text.starts_with("+ ") ||
      text.starts_with("•")) {
    return true;
  }
  std::size_t at = text.starts_with('(') ? 1 : 0;
  const std::size_t first = at;
  while (at < text.size() && at < first + 4 && (IsAsciiDigit(text[at]) || IsAsciiAlpha(text[at]))) {
    ++at;
  }
  return at > first && at + 1 < text.size() && (text[at] == '.' || text[at] == ')') &&
         text[at + 1] == ' ' && (at - first <= 2 || IsAsciiDigit(text[first]));
}

}  // namespace

std::size_t NaturalEnd(const std::vector<std::string_view>& lines, std::size_t begin,
                       const std::set<int>& starts, int first_line) {
  std::size_t end = begin;
  const bool row = Trim(lines[begin]).starts_with('|');
  while (!row && end + 1 < lines.size()) {
    const std::string_view next = lines[end + 1];
    const std::string_view text = Trim(next);
    const bool deeper = Indent(next) > Indent(lines[begin]);
    if (text.empty() || text.starts_with('#') || text.starts_with('|') || text.starts_with("```") ||
        text.starts_with("---") || (text.starts_with('<') && !text.starts_with("</")) ||
        starts.contains(first_line + static_cast<int>(end) + 1) || (!deeper && BeginsItem(next))) {
      break;
    }
    ++end;
  }
  return end;
}

std::set<int> ClauseStarts(const Policy& policy) {
  std::set<int> starts;
  for (const auto& each : policy.rules) {
    starts.insert(each.line);
  }
  for (const auto& each : policy.definitions) {
    starts.insert(each.line);
  }
  for (const auto& each : policy.examples) {
    starts.insert(each.line);
  }
  for (const auto& each : policy.levels) {
    starts.insert(each.line);
  }
  return starts;
}

}  // namespace reading

std::vector<Clause> ClausesOf(const Policy& policy) {
  std::vector<Clause> clauses;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    const Rule& rule = policy.rules[i];
    const ClauseKind kind = rule.side == Side::kSafe ? ClauseKind::kException : ClauseKind::kRule;
    clauses.push_back({kind, i, rule.id, rule.text, rule.side, rule.line});
  }
  for (std::size_t i = 0; i < policy.definitions.size(); ++i) {
    const Definition& definition = policy.definitions[i];
    clauses.push_back({ClauseKind::kDefinition, i, "definition of " + definition.term,
                       definition.text, Side::kNone, definition.line});
  }
  for (std::size_t i = 0; i < policy.examples.size(); ++i) {
    const Example& example = policy.examples[i];
    clauses.push_back({ClauseKind::kExample, i, "example in line " + std::to_string(example.line),
                       example.text, example.side, example.line});
  }
  std::ranges::stable_sort(clauses, {}, &Clause::line);
  return clauses;
}

LineRange LinesOf(const Policy& policy, const Clause& clause) {
  const std::vector<std::string_view> lines = reading::SplitLines(policy.text);
  const int at = clause.line - policy.body_line;
  if (at < 0 || static_cast<std::size_t>(at) >= lines.size()) {
    return {clause.line, clause.line};
  }
  const std::size_t end = reading::NaturalEnd(lines, static_cast<std::size_t>(at),
                                              reading::ClauseStarts(policy), policy.body_line);
  return {clause.line, policy.body_line + static_cast<int>(end)};
}

const char* ToString(ClauseKind kind) {
  switch (kind) {
    case ClauseKind::kRule:
      return "rule";
    case ClauseKind::kException:
      return "exception";
    case ClauseKind::kDefinition:
      return "definition";
    case ClauseKind::kExample:
      return "example";
  }
  return "rule";
}

}  // namespace safeguard::moderation
