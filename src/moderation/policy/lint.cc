#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "moderation/policy.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/lint_checks.h"
#include "moderation/policy/scan.h"
#include "moderation/policy_errors.h"

namespace safeguard::moderation {
namespace reading {
namespace {

// The role of each section: its own, else that of the section around it.
std::vector<Role> SectionRoles(const Policy& policy) {
  std::unordered_set<std::string> levels;
  for (const Level& level : policy.levels) {
    levels.insert(level.name);
  }
  std::vector<Role> roles;
  std::vector<std::size_t> around;
  for (std::size_t i = 0; i < policy.sections.size(); ++i) {
    const Section& section = policy.sections[i];
    while (!around.empty() &&
           policy.sections[around.back()].heading_level >= section.heading_level) {
      around.pop_back();
    }
    Role role = TitleRole(section.title);
    if (section.side != Side::kNone && role != Role::kExamples) {
      role = Role::kCriteria;
    }
    if (role == Role::kUnknown && !around.empty() && i > 1) {
      role = roles[around.back()];
    }
    roles.push_back(i == 0 && section.heading_level == 1 ? Role::kUnknown : role);
    around.push_back(i);
  }
  return roles;
}

std::unordered_set<int> LinesOf(const auto& all) {
  std::unordered_set<int> lines;
  for (const auto& one : all) {
    lines.insert(one.line);
  }
  return lines;
}

LintContext MakeContext(const Policy& policy) {
  LintContext context;
  context.policy = &policy;
  context.lines = ReadLines(policy.text, policy.body_line);
  const std::vector<Role> roles = SectionRoles(policy);
  std::unordered_map<int, int> begins;
  for (std::size_t i = 0; i < policy.sections.size(); ++i) {
    begins[policy.sections[i].line_begin] = static_cast<int>(i);
  }
  const std::unordered_set<int> rules = LinesOf(policy.rules);
  const std::unordered_set<int> examples = LinesOf(policy.examples);
  // Sections follow each other: the innermost one at a line is the latest that began.
  int section = -1;
  for (const Line& line : context.lines) {
    PlacedLine placed;
    const auto begin = begins.find(line.number);
    placed.heading = begin != begins.end();
    section = placed.heading ? begin->second : section;
    placed.line = &line;
    placed.section = section;
    placed.role = section < 0 ? Role::kUnknown : roles[static_cast<std::size_t>(section)];
    placed.clause = rules.contains(line.number);
    placed.example = examples.contains(line.number) && !placed.heading;
    context.placed.push_back(placed);
  }
  return context;
}

// Of each check the first findings stay; one more says how many were left out.
std::vector<Finding> Sorted(std::vector<Finding> findings) {
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) {
    return std::tie(a.line, a.check) < std::tie(b.line, b.check);
  });
  std::unordered_map<std::string, std::size_t> counts;
  for (const Finding& finding : findings) {
    ++counts[finding.check];
  }
  std::unordered_map<std::string, std::size_t> kept;
  std::vector<Finding> out;
  for (Finding& finding : findings) {
    const std::size_t n = ++kept[finding.check];
    if (n > kFindingsPerCheck) {
      continue;
    }
    const std::size_t all = counts[finding.check];
    if (n == kFindingsPerCheck && all > n) {
      finding.reason += " (and " + std::to_string(all - n) + " more of this kind below)";
    }
    out.push_back(std::move(finding));
  }
  return out;
}

}  // namespace

void LintContext::Add(Severity severity, std::string check, int line, std::string reason,
                      std::string mend) {
  findings.push_back({severity, std::move(check), line, std::move(reason), std::move(mend)});
}

std::string MaskQuotes(std::string_view text) {
  struct Quote {
    std::string_view open;
    std::string_view close;
    std::size_t next = 0;  // where the next closing mark stands: found once, used until passed
  };
  std::array<Quote, 5> quotes = {{{"\"", "\""}, {"`", "`"}, {"“", "”"}, {"„", "”"}, {"«", "»"}}};
  std::string out(text);
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    Quote* quote = std::ranges::find_if(
        quotes, [rest](const Quote& one) { return rest.starts_with(one.open); });
    if (quote == quotes.end()) {
      ++i;
      continue;
    }
    const std::size_t from = i + quote->open.size();
    if (quote->next < from) {
      quote->next = text.find(quote->close, from);
    }
    if (quote->next == std::string_view::npos) {
      ++i;
      continue;
    }
    const std::size_t end = quote->next + quote->close.size();
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(i),
              out.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    i = end;
  }
  return out;
}

}  // namespace reading

std::vector<Finding> LintPolicy(const Policy& policy, const TokenCounter& count_tokens) {
  reading::LintContext context = reading::MakeContext(policy);
  reading::CheckStructure(context);
  reading::CheckLength(context, count_tokens);
  reading::CheckOutput(context);
  reading::CheckAnswerCue(context);
  reading::CheckHedges(context);
  reading::CheckIds(context);
  reading::CheckPrecedence(context);
  reading::CheckEscalation(context);
  return reading::Sorted(std::move(context.findings));
}

std::vector<Finding> ErrorsOf(std::vector<Finding> findings) {
  std::erase_if(findings,
                [](const Finding& finding) { return finding.severity != Severity::kError; });
  return findings;
}

std::string ErrorsText(const std::vector<Finding>& errors) {
  CHECK(!errors.empty());
  constexpr std::size_t kToldMax = 3;
  std::string text = "the policy has " + std::to_string(errors.size()) +
                     (errors.size() == 1 ? " error" : " errors");
  for (std::size_t e = 0; e < std::min(errors.size(), kToldMax); ++e) {
    text += e == 0 ? ": " : "; ";
    text += errors[e].line == 0 ? "" : "line " + std::to_string(errors[e].line) + ": ";
    text += errors[e].reason;
  }
  return text + (errors.size() > kToldMax ? "; and others" : "");
}

}  // namespace safeguard::moderation
