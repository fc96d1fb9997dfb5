// The diff by clause: parts of both versions matched, then compared.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "moderation/policy/clause_lines.h"
#include "moderation/policy/diff_sequence.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/scan.h"
#include "moderation/policy_clauses.h"
#include "moderation/policy_diff.h"

namespace safeguard::moderation {
namespace {

constexpr double kAlikeLeast = 0.5;           // share of words in common
constexpr std::size_t kPairsMax = 1'000'000;  // beyond, likeness is not looked for
constexpr std::size_t kWordsCompared = 200;

struct Part {
  PartKind kind = PartKind::kRule;
  std::string name;
  bool named = false;  // the name is the author's, not made from the place
  std::string text;
  Side side = Side::kNone;
  std::string place;  // level or section
  int line = 0;
};

// What may be matched with what: rules and exceptions are one family.
int FamilyOf(PartKind kind) {
  return kind == PartKind::kException ? 0 : static_cast<int>(kind);
}

std::vector<Part> PartsOf(const Policy& policy) {
  std::vector<Part> parts;
  for (const Rule& rule : policy.rules) {
    parts.push_back({rule.side == Side::kSafe ? PartKind::kException : PartKind::kRule, rule.id,
                     rule.id_written, rule.text, rule.side,
                     rule.level_id.empty() ? rule.section : rule.level_id, rule.line});
  }
  for (const Level& level : policy.levels) {
    const std::string text = level.text.empty() ? level.name : level.name + ": " + level.text;
    parts.push_back({PartKind::kLevel, level.id, true, text, level.side, "", level.line});
  }
  for (const Definition& definition : policy.definitions) {
    parts.push_back({PartKind::kDefinition, definition.term, true, definition.text, Side::kNone, "",
                     definition.line});
  }
  for (const Example& example : policy.examples) {
    parts.push_back(
        {PartKind::kExample, example.label, false, example.text, example.side, "", example.line});
  }
  return parts;
}

// Lines that no clause, level or front matter takes, trimmed, with their numbers.
std::vector<Part> OtherLines(const Policy& policy) {
  std::set<int> taken;
  for (const Clause& clause : ClausesOf(policy)) {
    const LineRange range = LinesOf(policy, clause);
    for (int line = range.begin; line <= range.end; ++line) {
      taken.insert(line);
    }
  }
  for (const Level& level : policy.levels) {
    taken.insert(level.line);
  }
  std::vector<Part> others;
  const std::vector<std::string_view> lines = reading::SplitLines(policy.text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const int number = policy.body_line + static_cast<int>(i);
    const std::string_view text = reading::Trim(lines[i]);
    const bool says = std::ranges::any_of(text, [](char c) {
      return reading::IsAsciiAlpha(c) || reading::IsAsciiDigit(c) || (c & '\x80') != 0;
    });
    if (says && !taken.contains(number)) {
      others.push_back({PartKind::kText, "", false, std::string(text), Side::kNone, "", number});
    }
  }
  return others;
}

// Words in common over all words, counted with repeats (Dice).
double Likeness(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::map<std::string, int> counts;
  for (const std::string& word : a) {
    ++counts[word];
  }
  std::size_t common = 0;
  for (const std::string& word : b) {
    common += counts[word]-- > 0 ? 1 : 0;
  }
  return a.empty() && b.empty()
             ? 0
             : 2.0 * static_cast<double>(common) / static_cast<double>(a.size() + b.size());
}

class Matcher {
 public:
  Matcher(const std::vector<Part>& before, const std::vector<Part>& after)
      : before_(before), after_(after), match_(before.size()), taken_(after.size()) {}

  std::vector<std::optional<std::size_t>> Match() {
    const auto id = [](const Part& part) {
      return part.named
                 ? reading::FoldId(part.name).empty() ? part.name : reading::FoldId(part.name)
                 : std::string();
    };
    MatchBy([&](const Part& part) { return id(part) + "\x01" + part.text; });
    MatchBy([](const Part& part) { return part.text; });
    MatchAlike([&](const Part& a, const Part& b) { return !id(a).empty() && id(a) == id(b); }, 0.2);
    MatchAlike([](const Part&, const Part&) { return true; }, kAlikeLeast);
    MatchBy([&](const Part& part) {
      return part.kind == PartKind::kDefinition || part.kind == PartKind::kLevel ? id(part)
                                                                                 : std::string();
    });
    return match_;
  }

 private:
  // The first free part with the same key, in order; empty keys match nothing.
  template <typename KeyFunction>
  void MatchBy(const KeyFunction& key) {
    std::map<std::pair<int, std::string>, std::vector<std::size_t>> free;
    for (std::size_t j = after_.size(); j-- > 0;) {
      const std::string value = key(after_[j]);
      if (!taken_[j] && !value.empty()) {
        free[{FamilyOf(after_[j].kind), value}].push_back(j);
      }
    }
    for (std::size_t i = 0; i < before_.size(); ++i) {
      const auto found = free.find({FamilyOf(before_[i].kind), key(before_[i])});
      if (!match_[i] && found != free.end() && !found->second.empty()) {
        Join(i, found->second.back());
        found->second.pop_back();
      }
    }
  }

  template <typename Admits>
  void MatchAlike(const Admits& admits, double least) {
    if (before_.size() * after_.size() > kPairsMax) {
      return;
    }
    std::vector<std::vector<std::string>> words;
    for (const Part& part : after_) {
      words.push_back(reading::Words(part.text, kWordsCompared));
    }
    std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      if (match_[i]) {
        continue;
      }
      const std::vector<std::string> own = reading::Words(before_[i].text, kWordsCompared);
      for (std::size_t j = 0; j < after_.size(); ++j) {
        if (!taken_[j] && FamilyOf(before_[i].kind) == FamilyOf(after_[j].kind) &&
            admits(before_[i], after_[j])) {
          const double likeness = Likeness(own, words[j]);
          if (likeness >= least) {
            pairs.emplace_back(-likeness, i, j);
          }
        }
      }
    }
    std::ranges::sort(pairs);
    for (const auto& [likeness, i, j] : pairs) {
      if (!match_[i] && !taken_[j]) {
        Join(i, j);
      }
    }
  }

  void Join(std::size_t i, std::size_t j) {
    match_[i] = j;
    taken_[j] = true;
  }

  const std::vector<Part>& before_;
  const std::vector<Part>& after_;
  std::vector<std::optional<std::size_t>> match_;
  std::vector<bool> taken_;
};

PartChange Removed(const Part& part) {
  PartChange change;
  change.kind = part.kind;
  change.removed = true;
  change.name_before = part.name;
  change.text_before = part.text;
  change.side_before = part.side;
  change.level_before = part.place;
  change.line_before = part.line;
  return change;
}

PartChange Added(const Part& part) {
  PartChange change;
  change.kind = part.kind;
  change.added = true;
  change.name_after = part.name;
  change.text_after = part.text;
  change.side_after = part.side;
  change.level_after = part.place;
  change.line_after = part.line;
  return change;
}

PartChange Both(const Part& before, const Part& after, bool out_of_order) {
  PartChange change = Added(after);
  const PartChange old = Removed(before);
  change.added = false;
  change.name_before = old.name_before;
  change.text_before = old.text_before;
  change.side_before = old.side_before;
  change.level_before = old.level_before;
  change.line_before = old.line_before;
  change.text_changed = before.text != after.text;
  change.side_changed = before.side != after.side;
  // A name made from the place says no more than the place.
  change.renamed = before.name != after.name &&
                   (before.named || after.named || before.kind == PartKind::kExample);
  change.moved = out_of_order || before.place != after.place;
  if (change.text_changed) {
    change.words = DiffWords(before.text, after.text);
  }
  return change;
}

// Of matched parts, those that do not stand in the order of the longest run that does.
std::set<std::size_t> OutOfOrder(const std::vector<Part>& before,
                                 const std::vector<std::optional<std::size_t>>& match) {
  std::map<int, std::vector<std::size_t>> families;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (match[i]) {
      families[FamilyOf(before[i].kind)].push_back(*match[i]);
    }
  }
  std::set<std::size_t> moved;
  for (auto& [family, order] : families) {
    std::vector<std::size_t> sorted = order;
    std::ranges::sort(sorted);
    std::set<std::size_t> stay;
    for (const auto& [i, j] : reading::CommonSequence(order, sorted)) {
      stay.insert(order[i]);
    }
    for (const std::size_t each : order) {
      if (!stay.contains(each)) {
        moved.insert(each);
      }
    }
  }
  return moved;
}

void DiffParts(const Policy& before, const Policy& after, PolicyDiff& diff) {
  const std::vector<Part> old_parts = PartsOf(before);
  const std::vector<Part> new_parts = PartsOf(after);
  const auto match = Matcher(old_parts, new_parts).Match();
  const std::set<std::size_t> moved = OutOfOrder(old_parts, match);
  std::set<std::size_t> matched;
  for (std::size_t i = 0; i < old_parts.size(); ++i) {
    if (!match[i]) {
      diff.parts.push_back(Removed(old_parts[i]));
      continue;
    }
    matched.insert(*match[i]);
    PartChange change = Both(old_parts[i], new_parts[*match[i]], moved.contains(*match[i]));
    if (change.text_changed || change.side_changed || change.renamed || change.moved) {
      diff.parts.push_back(std::move(change));
    }
  }
  for (std::size_t j = 0; j < new_parts.size(); ++j) {
    if (!matched.contains(j)) {
      diff.parts.push_back(Added(new_parts[j]));
    }
  }
}

// Lines that are no clause: what is not in common, in order; a line that became another one like it
// is one change.
void DiffOtherLines(const Policy& before, const Policy& after, PolicyDiff& diff) {
  const std::vector<Part> a = OtherLines(before);
  const std::vector<Part> b = OtherLines(after);
  std::vector<std::string> texts_a;
  std::vector<std::string> texts_b;
  for (const Part& part : a) {
    texts_a.push_back(part.text);
  }
  for (const Part& part : b) {
    texts_b.push_back(part.text);
  }
  std::set<std::size_t> same_a;
  std::set<std::size_t> same_b;
  for (const auto& [i, j] : reading::CommonSequence(texts_a, texts_b)) {
    same_a.insert(i);
    same_b.insert(j);
  }
  std::vector<Part> gone;
  std::vector<Part> come;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_a.contains(i)) {
      gone.push_back(a[i]);
    }
  }
  for (std::size_t j = 0; j < b.size(); ++j) {
    if (!same_b.contains(j)) {
      come.push_back(b[j]);
    }
  }
  const auto match = Matcher(gone, come).Match();
  std::set<std::size_t> matched;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (match[i]) {
      matched.insert(*match[i]);
      diff.parts.push_back(Both(gone[i], come[*match[i]], gone[i].text == come[*match[i]].text));
    } else {
      diff.parts.push_back(Removed(gone[i]));
    }
  }
  for (std::size_t j = 0; j < come.size(); ++j) {
    if (!matched.contains(j)) {
      diff.parts.push_back(Added(come[j]));
    }
  }
}

std::string Joined(const std::vector<std::string>& values) {
  std::string joined;
  for (const std::string& value : values) {
    joined += (joined.empty() ? "" : ", ") + value;
  }
  return joined;
}

std::string Number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  return text.ends_with('.') ? text + "0" : text;
}

void DiffFields(const Policy& before, const Policy& after, PolicyDiff& diff) {
  const auto add = [&diff](const std::string& field, const std::string& a, const std::string& b) {
    if (a != b) {
      diff.fields.push_back({field, a, b});
    }
  };
  add("id", before.id, after.id);
  add("name", before.name, after.name);
  add("version", before.version, after.version);
  add("languages", Joined(before.languages), Joined(after.languages));
  add("labels", Joined(before.labels), Joined(after.labels));
  std::set<std::string> labels;
  for (const Policy* policy : {&before, &after}) {
    for (const auto& [label, meaning] : policy->label_meanings) {
      labels.insert(label);
    }
  }
  for (const std::string& label : labels) {
    const auto of = [&label](const Policy& policy) {
      const auto found = policy.label_meanings.find(label);
      return found == policy.label_meanings.end() ? std::string() : found->second;
    };
    add("label " + label, of(before), of(after));
  }
  add("output", before.output, after.output);
  const auto threshold = [](const Policy& policy, double Thresholds::* which) {
    return policy.thresholds ? Number(*policy.thresholds.*which) : std::string();
  };
  add("threshold violation", threshold(before, &Thresholds::violation),
      threshold(after, &Thresholds::violation));
  add("threshold safe", threshold(before, &Thresholds::safe), threshold(after, &Thresholds::safe));
}

}  // namespace

PolicyDiff DiffPolicies(const Policy& before, const Policy& after) {
  PolicyDiff diff;
  diff.before = before.Reference();
  diff.after = after.Reference();
  DiffFields(before, after, diff);
  DiffParts(before, after, diff);
  DiffOtherLines(before, after, diff);
  std::ranges::stable_sort(diff.parts, {}, [](const PartChange& change) {
    return change.removed ? change.line_before : change.line_after;
  });
  return diff;
}

const char* ToString(PartKind kind) {
  switch (kind) {
    case PartKind::kRule:
      return "rule";
    case PartKind::kException:
      return "exception";
    case PartKind::kLevel:
      return "level";
    case PartKind::kDefinition:
      return "definition";
    case PartKind::kExample:
      return "example";
    case PartKind::kText:
      return "text";
  }
  return "text";
}

}  // namespace safeguard::moderation
