// Ids that are there twice, and ids that are cited but defined nowhere.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "moderation/policy/ids.h"
#include "moderation/policy/lint_checks.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

struct KnownIds {
  std::unordered_set<std::string> ids;
  std::unordered_set<std::string> families;
};

KnownIds Collect(const Policy& policy) {
  KnownIds known;
  const auto add = [&known](const std::string& id) {
    known.ids.insert(id);
    std::string part = id;
    // "SP2.a" makes "SP2" a name that may be cited.
    for (std::optional<IdMatch> match = MatchId(part); match; match = MatchId(part)) {
      if (!match->family.empty() && !match->keyword) {
        known.families.insert(match->family);
      }
      if (match->parent.empty() || match->parent == part) {
        break;
      }
      part = match->parent;
      known.ids.insert(part);
    }
  };
  for (const Rule& rule : policy.rules) {
    if (rule.id_written) {
      add(rule.id);
    } else {
      known.ids.insert(rule.id);
    }
  }
  for (const Level& level : policy.levels) {
    add(level.id);
  }
  return known;
}

void CheckRepeated(LintContext& context) {
  std::unordered_map<std::string, int> first;
  for (const Rule& rule : context.policy->rules) {
    const auto [found, added] = first.emplace(rule.id, rule.line);
    if (!added) {
      context.Add(Severity::kWarning, "repeated-id", rule.line,
                  "the rule id " + rule.id + " is used before, on line " +
                      std::to_string(found->second) + "; a verdict that cites it is unclear",
                  "give this rule an id of its own");
    }
  }
  std::unordered_map<std::string, int> levels;
  for (const Level& level : context.policy->levels) {
    const auto [found, added] = levels.emplace(level.id, level.line);
    if (!added) {
      context.Add(Severity::kWarning, "repeated-id", level.line,
                  "the level " + level.id + " is there twice with different names, first on line " +
                      std::to_string(found->second),
                  "give each level an id of its own");
    }
  }
}

// "TVEC8, or INCITE1": a list of ids, so the stranger is meant as one.
bool IsListGap(std::string_view gap) {
  if (gap.size() > 12) {
    return false;
  }
  for (const std::string& word : Words(gap, 3)) {
    if (word != "or" && word != "and" && word != "nor" && word != "r" && word != "d") {
      return false;
    }
  }
  return gap.find_first_of(".:;()") == std::string_view::npos && !Trim(gap).empty();
}

class CitedIds {
 public:
  explicit CitedIds(LintContext& context) : context_(context), known_(Collect(*context.policy)) {}

  void CheckLine(const Line& line) {
    const std::string masked = MaskQuotes(line.raw);
    // Labels stand in backticks and quotation marks, so both readings count, but a stranger in a
    // list only outside quotations.
    std::size_t end = std::string::npos;
    for (const IdToken& token : FindIds(line.raw)) {
      const std::string& id = token.match.id;
      const bool known = known_.ids.contains(id);
      const bool family = known_.families.contains(token.match.family);
      const bool after = end != std::string::npos && masked[token.begin] != ' ' &&
                         IsListGap(std::string_view(line.raw).substr(end, token.begin - end));
      if (!known && (family || after)) {
        Report(id, line.number);
      }
      end = known ? token.end : std::string::npos;
    }
  }

  void CheckExamples() {
    for (const Example& example : context_.policy->examples) {
      for (const std::string& id : example.rule_ids) {
        if (!known_.ids.contains(id)) {
          Report(id, example.line);
        }
      }
    }
  }

 private:
  void Report(const std::string& id, int line) {
    if (told_.insert(id + '@' + std::to_string(line)).second) {
      context_.Add(Severity::kWarning, "undefined-id", line,
                   id + " is cited, but no rule or level has this id",
                   "correct the id, or add the rule that it means");
    }
  }

  LintContext& context_;
  KnownIds known_;
  std::unordered_set<std::string> told_;
};

}  // namespace

void CheckIds(LintContext& context) {
  CheckRepeated(context);
  CitedIds cited(context);
  for (const Line& line : context.lines) {
    if (!line.fenced && line.kind != LineKind::kBlank) {
      cited.CheckLine(line);
    }
  }
  cited.CheckExamples();
}

}  // namespace safeguard::moderation::reading
