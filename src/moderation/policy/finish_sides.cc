// Which side each level and each rule is on: what was said of it, of its section's output, of the
// level or rule above it, or what its number says.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "moderation/policy/draft.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/prose.h"

namespace safeguard::moderation::reading {
namespace {

std::size_t At(int index) {
  return static_cast<std::size_t>(index);
}

Side DigitSide(const Draft& draft, const LevelDraft& level, bool safe_somewhere) {
  const std::optional<IdMatch> match = MatchId(level.level.id);
  if (!match) {
    return Side::kNone;
  }
  const std::optional<int> severity = SeverityOf(*match);
  if (!severity) {
    return Side::kNone;
  }
  if (*severity == 0) {
    return Side::kSafe;
  }
  const std::string zero =
      match->keyword ? match->id.substr(0, match->id.find(' ')) + " 0" : match->family + "0";
  return safe_somewhere || draft.level_by_id.contains(zero) ? Side::kViolating : Side::kNone;
}

// "SP2.a" where no heading introduces SP2.
Side SideOfParentId(const Rule& rule, bool safe_somewhere) {
  const std::optional<IdMatch> match = rule.id_written ? MatchId(rule.id) : std::nullopt;
  const std::optional<IdMatch> parent = match ? MatchId(match->parent) : std::nullopt;
  const std::optional<int> severity = parent ? SeverityOf(*parent) : std::nullopt;
  if (!severity || (*severity > 0 && !safe_somewhere)) {
    return Side::kNone;
  }
  return *severity == 0 ? Side::kSafe : Side::kViolating;
}

// The families that have a rule of severity 0: "level" when there is "Level 0: ...".
std::unordered_set<std::string> FamiliesWithZero(const Draft& draft) {
  std::unordered_set<std::string> zeros;
  for (const RuleDraft& rule : draft.rules) {
    const std::optional<IdMatch> match = MatchId(rule.rule.id);
    if (match && SeverityOf(*match) == 0) {
      zeros.insert(match->family);
    }
  }
  return zeros;
}

// "Level 0: ..." and "Level 1: ..." as the items of one list.
Side SideOfOwnId(const std::unordered_set<std::string>& zeros, const Rule& rule) {
  const std::optional<IdMatch> match = rule.id_written ? MatchId(rule.id) : std::nullopt;
  const std::optional<int> severity = match ? SeverityOf(*match) : std::nullopt;
  if (!severity || match->bytes != rule.id.size()) {
    return Side::kNone;
  }
  if (*severity == 0) {
    return Side::kSafe;
  }
  return zeros.contains(match->family) ? Side::kViolating : Side::kNone;
}

bool HasSafeZero(const Draft& draft) {
  return std::ranges::any_of(draft.rules, [](const RuleDraft& rule) {
    return rule.own == Side::kSafe || rule.context == Side::kSafe ||
           SideOfParentId(rule.rule, false) == Side::kSafe;
  });
}

}  // namespace

void SideLevels(Draft& draft) {
  std::vector<Side> outputs(draft.levels.size(), Side::kNone);
  bool safe_somewhere = false;
  for (const SectionDraft& section : draft.sections) {
    safe_somewhere =
        safe_somewhere || section.section.side == Side::kSafe || section.output == Side::kSafe;
    if (section.level >= 0 && section.output != Side::kNone) {
      outputs[At(section.level)] = section.output;
    }
  }
  for (std::size_t i = 0; i < draft.levels.size(); ++i) {
    LevelDraft& level = draft.levels[i];
    if (level.both_sides) {
      level.level.side = Side::kViolating;
      continue;
    }
    for (const Side side : {level.words, outputs[i], level.inherited}) {
      level.level.side = level.level.side == Side::kNone ? side : level.level.side;
    }
    if (level.level.side == Side::kNone) {
      level.level.side = DigitSide(draft, level, safe_somewhere);
    }
  }
}

void SideRules(Draft& draft) {
  const bool safe_somewhere = HasSafeZero(draft);
  const std::unordered_set<std::string> zeros = FamiliesWithZero(draft);
  for (RuleDraft& rule : draft.rules) {
    const Side parent = rule.parent < 0 ? Side::kNone : draft.rules[At(rule.parent)].rule.side;
    const Side level = rule.level < 0 ? Side::kNone : draft.levels[At(rule.level)].level.side;
    const Side output = rule.section < 0 ? Side::kNone : draft.sections[At(rule.section)].output;
    Side side = rule.flips ? Opposite(parent) : Side::kNone;
    for (const Side evidence : {rule.own, parent, rule.context, output, level}) {
      side = side == Side::kNone ? evidence : side;
    }
    side = side == Side::kNone ? SideOfOwnId(zeros, rule.rule) : side;
    side = side == Side::kNone ? ClauseSide(rule.rule.text) : side;
    rule.rule.side = side == Side::kNone ? SideOfParentId(rule.rule, safe_somewhere) : side;
    rule.rule.rest = rule.rule.rest || IsRest(rule.rule.text);
  }
  for (const RuleDraft& rule : draft.rules) {
    if (rule.level < 0) {
      continue;
    }
    Side& level = draft.levels[At(rule.level)].level.side;
    const bool undecided = level == Side::kNone;
    if (undecided && rule.rule.side != Side::kNone) {
      level = rule.rule.side;
    }
  }
  for (const RuleDraft& rule : draft.rules) {
    // A category with any violating rule is one that content can violate.
    if (rule.level >= 0 && rule.rule.side == Side::kViolating && rule.parent < 0 && !rule.flips) {
      LevelDraft& level = draft.levels[At(rule.level)];
      if (level.words == Side::kNone && level.inherited == Side::kNone) {
        const std::optional<IdMatch> match = MatchId(level.level.id);
        if (!match || !SeverityOf(*match)) {
          level.level.side = Side::kViolating;
        }
      }
    }
  }
}

}  // namespace safeguard::moderation::reading
