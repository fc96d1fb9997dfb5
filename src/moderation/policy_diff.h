// What changed between two versions of a policy, by clause.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moderation/policy.h"

namespace safeguard::moderation {

enum class WordChange { kSame, kRemoved, kAdded };

// A run of words with the spaces between them; joined without the added ones they are the old text.
struct WordRun {
  WordChange change = WordChange::kSame;
  std::string text;
  friend bool operator==(const WordRun&, const WordRun&) = default;
};

// The fewest words removed and added. Texts of very many words are given as one removed and one
// added run.
std::vector<WordRun> DiffWords(std::string_view before, std::string_view after);

// kText: a line that is no clause, such as an instruction or the order of precedence.
enum class PartKind { kRule, kException, kLevel, kDefinition, kExample, kText };

struct PartChange {
  PartKind kind = PartKind::kRule;
  bool added = false;    // only in the new version
  bool removed = false;  // only in the old one
  // Of what is in both:
  bool text_changed = false;
  bool side_changed = false;
  bool renamed = false;  // another id, term or label
  bool moved = false;    // to another place, level or section
  std::string name_before;
  std::string name_after;
  std::string text_before;
  std::string text_after;
  Side side_before = Side::kNone;
  Side side_after = Side::kNone;
  std::string level_before;
  std::string level_after;
  int line_before = 0;
  int line_after = 0;
  std::vector<WordRun> words;  // when text_changed
};

struct FieldChange {
  std::string field;  // "version", "threshold violation", ...
  std::string before;
  std::string after;
};

struct PolicyDiff {
  PolicyReference before;
  PolicyReference after;
  std::vector<FieldChange> fields;  // front matter
  std::vector<PartChange> parts;    // in order of line in the new version, removed ones by the old
  [[nodiscard]] bool empty() const { return fields.empty() && parts.empty(); }
};

// Clauses are matched by text, then by id, then by likeness, so that a rule that was renumbered or
// reworded is the same rule.
PolicyDiff DiffPolicies(const Policy& before, const Policy& after);

const char* ToString(PartKind kind);

}  // namespace safeguard::moderation
