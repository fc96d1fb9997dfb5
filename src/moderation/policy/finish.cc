// When all lines are read: which drafts count, which side each rule, level and example is on, and
// what the rules without written ids are called.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "moderation/policy/draft.h"
#include "moderation/policy/fields.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

std::size_t At(int index) {
  return static_cast<std::size_t>(index);
}

bool HasAny(const std::vector<bool>& flags) {
  return std::ranges::any_of(flags, [](bool flag) { return flag; });
}

// Paragraphs are rules only where their section lists none; unplaced items only when nothing else
// is.
std::vector<bool> ChooseRules(const Draft& draft) {
  std::vector<bool> listed(draft.sections.size() + 1, false);
  for (const RuleDraft& rule : draft.rules) {
    if (!rule.loose && !rule.paragraph) {
      listed[static_cast<std::size_t>(rule.section) + 1] = true;  // -1 is the first
    }
  }
  std::vector<bool> keep;
  keep.reserve(draft.rules.size());
  for (const RuleDraft& rule : draft.rules) {
    keep.push_back(!rule.loose &&
                   (!rule.paragraph || !listed[static_cast<std::size_t>(rule.section) + 1]));
  }
  return keep;
}

// A later rule may stand below an earlier one that is dropped; it then stands alone.
void KeepOnly(Draft& draft, const std::vector<bool>& keep) {
  std::vector<int> moved(draft.rules.size(), -1);
  std::vector<RuleDraft> kept;
  for (std::size_t i = 0; i < draft.rules.size(); ++i) {
    if (keep[i]) {
      RuleDraft rule = std::move(draft.rules[i]);
      rule.parent = rule.parent < 0 ? -1 : moved[At(rule.parent)];
      moved[i] = static_cast<int>(kept.size());
      kept.push_back(std::move(rule));
    }
  }
  draft.rules = std::move(kept);
}

bool HasKeptLevel(const Draft& draft) {
  return std::ranges::any_of(
      draft.levels, [](const LevelDraft& level) { return level.strong && !level.mention; });
}

void SelectRules(Draft& draft) {
  const std::vector<bool> strict = ChooseRules(draft);
  if (HasAny(strict) || HasKeptLevel(draft)) {
    KeepOnly(draft, strict);
  } else if (draft.rules.empty()) {
    ReadProseRules(draft);
  }
}

// "1. TITLE" groups rules like any level when its rules have no other.
void LevelsFromNumbers(Draft& draft) {
  for (RuleDraft& rule : draft.rules) {
    if (rule.level < 0 && !rule.number.empty() && !rule.rule.id_written) {
      LevelTitle title;
      title.id = rule.number;
      title.name = rule.number_title;
      const int line =
          rule.section >= 0 ? draft.sections[At(rule.section)].section.line_begin : rule.rule.line;
      rule.level = AddLevel(draft, title, line);
    }
  }
}

void LevelsFromIds(Draft& draft) {
  for (RuleDraft& rule : draft.rules) {
    if (!rule.rule.id_written) {
      continue;
    }
    const std::optional<IdMatch> match = MatchId(rule.rule.id);
    if (!match) {
      continue;
    }
    for (const std::string& id : {match->id, match->parent}) {
      const auto found = draft.level_by_id.find(id);
      if (!id.empty() && found != draft.level_by_id.end()) {
        rule.level = found->second;
        break;
      }
    }
  }
}

// A level that stands by itself ("TVEC5: ...") is the clause that is cited.
void RulesFromLevels(Draft& draft) {
  std::vector<bool> used(draft.levels.size(), false);
  for (const RuleDraft& rule : draft.rules) {
    if (rule.level >= 0) {
      used[At(rule.level)] = true;
    }
  }
  std::vector<int> section_of(draft.levels.size(), -1);
  for (std::size_t i = draft.sections.size(); i > 0; --i) {
    if (draft.sections[i - 1].level >= 0) {
      section_of[At(draft.sections[i - 1].level)] = static_cast<int>(i) - 1;
    }
  }
  const bool listed = !draft.rules.empty() || HasKeptLevel(draft);
  for (std::size_t i = 0; i < draft.levels.size(); ++i) {
    const LevelDraft& level = draft.levels[i];
    if (used[i] || (level.mention ? listed : !level.strong)) {
      continue;
    }
    RuleDraft rule;
    rule.rule.id = level.level.id;
    rule.rule.id_written = true;
    rule.rule.line = level.level.line;
    rule.rule.text = level.level.name;
    if (!rule.rule.text.empty() && !level.level.text.empty()) {
      rule.rule.text += rule.rule.text.ends_with('.') ? "" : ".";
    }
    Join(rule.rule.text, level.level.text);
    rule.level = static_cast<int>(i);
    if (section_of[i] >= 0) {
      rule.rule.section = draft.sections[At(section_of[i])].section.title;
    }
    draft.rules.push_back(std::move(rule));
  }
}

class IdMaker {
 public:
  explicit IdMaker(Draft& draft) : draft_(draft), children_(draft.rules.size(), 0) {
    std::vector<unsigned> seen(draft.levels.size(), 0);
    for (const RuleDraft& rule : draft.rules) {
      if (rule.rule.id_written) {
        used_.insert(rule.rule.id);
        repeated_ = repeated_ || markers_.contains(rule.rule.id);
      } else if (rule.level < 0 && rule.parent < 0 && !rule.marker.empty()) {
        repeated_ = !markers_.insert(rule.marker).second || repeated_;
      }
      if (rule.level >= 0 && rule.context != Side::kNone) {
        seen[At(rule.level)] |= rule.context == Side::kSafe ? 1U : 2U;
      }
    }
    for (const unsigned sides : seen) {
      both_.push_back(sides == 3U);
    }
  }

  void NameAll() {
    for (std::size_t i = 0; i < draft_.rules.size(); ++i) {
      if (!draft_.rules[i].rule.id_written) {
        Name(i);
      }
    }
  }

 private:
  static std::string Group(const RuleDraft& rule) {
    const Side side = rule.context == Side::kNone ? rule.own : rule.context;
    return side == Side::kNone ? "" : side == Side::kSafe ? "s" : "v";
  }

  void Name(std::size_t i) {
    RuleDraft& rule = draft_.rules[i];
    if (rule.parent >= 0) {
      const std::string base = draft_.rules[At(rule.parent)].rule.id + ".";
      Take(rule, base, children_[At(rule.parent)], !rule.marker.empty());
    } else if (rule.level >= 0) {
      const std::string group = both_[At(rule.level)] ? Group(rule) : "";
      const std::string base = draft_.levels[At(rule.level)].level.id + "." + group;
      Take(rule, base, counters_[base], !rule.marker.empty());
    } else if (!rule.marker.empty() && !repeated_) {
      Take(rule, "", counters_[""], true);
    } else {
      std::string group = Group(rule).empty() ? "r" : Group(rule);
      group += !rule.marker.empty() && IsAsciiAlpha(rule.marker.front()) ? "." : "";
      Take(rule, group, counters_[group], !rule.marker.empty());
      rule.rule.id_written = false;  // "1." in two lists: the author's number alone is no id
    }
  }

  // base + marker when the author wrote one and it is free, else base + the next free number.
  void Take(RuleDraft& rule, const std::string& base, int& counter, bool marked) {
    if (marked && used_.insert(base + rule.marker).second) {
      rule.rule.id = base + rule.marker;
      rule.rule.id_written = true;
      return;
    }
    do {
      rule.rule.id = base + std::to_string(++counter);
    } while (!used_.insert(rule.rule.id).second);
  }

  Draft& draft_;
  std::unordered_set<std::string> used_;
  std::unordered_set<std::string> markers_;
  bool repeated_ = false;  // two lists number their items alike
  std::unordered_map<std::string, int> counters_;
  std::vector<int> children_;
  std::vector<bool> both_;
};

// Words that could be ids of this policy, such as the "HR" of "HR = 1".
std::vector<std::string> PlainTokens(std::string_view text) {
  std::vector<std::string> tokens;
  std::string token;
  for (const char c : text) {
    if (IsAsciiAlpha(c) || IsAsciiDigit(c) || c == '.' || c == '-' || c == '_') {
      token += c;
    } else if (!token.empty()) {
      tokens.push_back(std::exchange(token, {}));
    }
  }
  if (!token.empty()) {
    tokens.push_back(std::move(token));
  }
  for (std::string& one : tokens) {
    while (one.ends_with('.') || one.ends_with('-')) {
      one.pop_back();
    }
  }
  return tokens;
}

// "SP2" of the dual labels "D-SP2" (depicted) and "R-SP2" (requested).
std::string WithoutDual(const std::string& token) {
  const bool dual =
      token.size() > 3 && token[1] == '-' && IsAsciiUpper(token[0]) && IsAsciiUpper(token[2]);
  return dual ? token.substr(2) : token;
}

class ExampleSides {
 public:
  ExampleSides(const Draft& draft, const Policy& policy) : policy_(policy) {
    for (const LevelDraft& level : draft.levels) {
      sides_.emplace(level.level.id, level.level.side);
    }
    for (const RuleDraft& rule : draft.rules) {
      sides_.emplace(rule.rule.id, rule.rule.side);
    }
  }

  void Resolve(ExampleDraft& draft) const {
    Example& example = draft.example;
    for (const std::string& token : PlainTokens(example.label)) {
      const std::string plain = WithoutDual(token);
      const std::optional<IdMatch> match = MatchId(plain);
      if (sides_.contains(plain) || (match && match->bytes == plain.size())) {
        Cite(plain, example);
      }
    }
    for (const std::string& token : PlainTokens(draft.cites)) {
      if (sides_.contains(token)) {
        Cite(token, example);
      }
    }
    example.side = SideOf(draft);
  }

 private:
  static void Cite(const std::string& id, Example& example) {
    if (std::ranges::find(example.rule_ids, id) == example.rule_ids.end() &&
        example.rule_ids.size() < 32) {
      example.rule_ids.push_back(id);
    }
  }

  Side SideOfIds(const std::string& label) const {
    bool safe = false;
    for (const std::string& id : IdTokens(label)) {
      const auto known = sides_.find(id);
      Side side = known == sides_.end() ? Side::kNone : known->second;
      if (side == Side::kNone) {
        const std::optional<IdMatch> match = MatchId(id);
        const std::optional<int> severity = match ? SeverityOf(*match) : std::nullopt;
        side = !severity ? Side::kNone : *severity > 0 ? Side::kViolating : Side::kSafe;
      }
      if (side == Side::kViolating) {
        return side;
      }
      safe = safe || side == Side::kSafe;
    }
    return safe ? Side::kSafe : Side::kNone;
  }

  Side SideOf(const ExampleDraft& draft) const {
    const Example& example = draft.example;
    if (const auto meaning = policy_.label_meanings.find(example.label);
        meaning != policy_.label_meanings.end()) {
      if (meaning->second == "violation" || meaning->second == "safe") {
        return meaning->second == "safe" ? Side::kSafe : Side::kViolating;
      }
    }
    const bool flags = example.label.find('=') != std::string::npos;
    Side side = flags ? Side::kNone : SideOfIds(example.label);
    side = side == Side::kNone ? LabelSide(example.label) : side;
    side = side == Side::kNone ? draft.context : side;
    const auto exact = sides_.find(example.label);
    if (side == Side::kNone && exact != sides_.end()) {
      side = exact->second;
    }
    if (side == Side::kNone && example.rule_ids.size() == 1) {
      const auto cited = sides_.find(example.rule_ids.front());
      side = cited == sides_.end() ? Side::kNone : cited->second;
    }
    return side;
  }

  const Policy& policy_;
  std::unordered_map<std::string, Side> sides_;
};

void NameLabels(Draft& draft, Policy& policy) {
  if (!policy.labels.empty()) {
    return;
  }
  for (const LevelDraft& level : draft.levels) {
    if (!level.level.output.empty() && level.level.output.size() <= 40) {
      draft.labels.emplace_back(level.level.output, level.level.side);
    }
  }
  for (const auto& [label, side] : draft.labels) {
    if (std::ranges::find(policy.labels, label) == policy.labels.end() &&
        policy.labels.size() < 64) {
      policy.labels.push_back(label);
      if (side != Side::kNone) {
        policy.label_meanings.emplace(label, side == Side::kSafe ? "safe" : "violation");
      }
    }
  }
}

// What a level is, when only a definition says so: "S (Sexual)" in the definitions.
void DescribeLevels(Draft& draft) {
  for (const Definition& definition : draft.definitions) {
    const std::string code = definition.term.substr(0, definition.term.find(" ("));
    const auto found = draft.level_by_id.find(code);
    if (found != draft.level_by_id.end()) {
      std::string& text = draft.levels[At(found->second)].level.text;
      text = text.empty() ? definition.text : text;
    }
  }
}

void MoveOut(Draft& draft, Policy& policy) {
  std::vector<bool> used(draft.levels.size(), false);
  for (RuleDraft& rule : draft.rules) {
    if (rule.level >= 0) {
      used[At(rule.level)] = true;
      rule.rule.level_id = draft.levels[At(rule.level)].level.id;
    }
    policy.rules.push_back(std::move(rule.rule));
  }
  std::ranges::stable_sort(policy.rules, {}, &Rule::line);
  for (std::size_t i = 0; i < draft.levels.size(); ++i) {
    if (used[i] || draft.levels[i].strong || draft.levels[i].mention) {
      policy.levels.push_back(std::move(draft.levels[i].level));
    }
  }
  std::ranges::stable_sort(policy.levels, {}, &Level::line);
  for (ExampleDraft& example : draft.examples) {
    policy.examples.push_back(std::move(example.example));
  }
  std::ranges::stable_sort(policy.examples, {}, &Example::line);
  policy.definitions = std::move(draft.definitions);
}

}  // namespace

void Finish(Draft& draft, Policy& policy) {
  FlushExample(draft);
  ReadMappings(draft);
  SelectRules(draft);
  LevelsFromIds(draft);
  LevelsFromNumbers(draft);
  RulesFromLevels(draft);
  SideLevels(draft);
  SideRules(draft);
  IdMaker(draft).NameAll();
  DescribeLevels(draft);
  NameLabels(draft, policy);
  const ExampleSides sides(draft, policy);
  for (ExampleDraft& example : draft.examples) {
    sides.Resolve(example);
  }
  for (SectionDraft& section : draft.sections) {
    Side& side = section.section.side;
    side = side == Side::kNone ? section.output : side;
    if (side == Side::kNone && section.level >= 0) {
      side = draft.levels[At(section.level)].level.side;
    }
    policy.sections.push_back(std::move(section.section));
  }
  MoveOut(draft, policy);
}

}  // namespace safeguard::moderation::reading
