// The policy while it is being read: what was found so far, with the evidence for its side kept
// apart until everything is known (finish.cc decides).
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "moderation/policy.h"
#include "moderation/policy/headings.h"
#include "moderation/policy/lines.h"
#include "moderation/policy/sides.h"

namespace safeguard::moderation::reading {

inline constexpr std::size_t kTitleMax = 300;  // longer lines are no headings
inline constexpr std::size_t kDepthMax = 12;   // deeper items count as this deep

struct RuleDraft {
  Rule rule;
  std::string marker;  // "1", "a" of its list item
  std::string number;  // of the numbered section it stands in
  std::string number_title;
  int parent = -1;             // rule it stands below
  int level = -1;              // index into Draft::levels
  int section = -1;            // index into Draft::sections
  Side own = Side::kNone;      // from its own mark, label or verdict
  Side context = Side::kNone;  // from the headings and the line that introduces its list
  bool flips = false;          // an exclusion from its parent
  bool loose = false;          // counts only when the policy has no other rules
  bool paragraph = false;      // counts only when its section has no listed rules
};

struct LevelDraft {
  Level level;
  bool strong = false;   // kept even when no rule is below it
  bool mention = false;  // only listed among the labels
  Side words = Side::kNone;
  Side inherited = Side::kNone;
  bool both_sides = false;
};

struct ExampleDraft {
  Example example;
  Side context = Side::kNone;
  int level = -1;
  std::string cites;  // further text with ids in it
};

struct SectionDraft {
  Section section;
  Side output = Side::kNone;  // from an "Output:" line in it
  int level = -1;
};

// Where the reader stands: one for each open heading.
struct Context {
  Heading::Make make = Heading::Make::kMarkdown;
  int depth = 0;
  Role role = Role::kUnknown;
  Side side = Side::kNone;
  bool own_side = false;
  int level = -1;
  int section = -1;
  int titled = -1;  // section whose title its rules carry
  int rule = -1;    // the heading is itself this rule
  std::string number;
  std::string number_title;
  std::string term;   // a definition whose text follows
  std::string label;  // of the examples below: "1" of "Violating examples (1)"
  // Set by the line that introduces the next list.
  Side list_side = Side::kNone;
  bool list_attaches = false;
  bool list_listens = false;  // "Answer 1 if:" in an instruction: its items are rules
};

enum class OpenKind { kNothing, kRule, kDefinition, kExample, kLevelText, kProse };
struct OpenItem {
  OpenKind kind = OpenKind::kNothing;
  int index = -1;
  int indent = 0;
  bool item = false;
};

struct PendingExample {
  ExampleDraft draft;
  bool has_content = false;
  bool labelled_by_heading = false;
  bool in_reason = false;
};

struct Draft {
  std::vector<Line> lines;
  std::deque<std::string> unfolded;  // texts of lines that tags.cc rewrote
  Survey survey;
  std::vector<SectionDraft> sections;
  std::vector<LevelDraft> levels;
  std::unordered_map<std::string, int> level_by_id;  // the latest of each id
  std::vector<RuleDraft> rules;
  std::vector<Definition> definitions;
  std::vector<ExampleDraft> examples;
  std::vector<std::pair<std::string, int>> prose;  // paragraphs in no known section, with lines
  std::vector<std::pair<std::string, Side>> labels;
  std::string title;

  std::vector<Context> stack;
  std::vector<OpenItem> open;
  std::optional<PendingExample> pending;
  bool after_blank = true;
  std::string_view last_text;  // the latest line that is not blank

  Context& Here() { return stack.back(); }
};

// rules.cc
int AddRule(Draft& draft, const Line& line, std::string_view text);
int AddLevel(Draft& draft, const LevelTitle& title, int line);
void ReadCriteriaItem(Draft& draft, const Line& line, const std::string& text);
void ReadCriteriaText(Draft& draft, const Line& line, const std::string& text);
// A line that leads with a rule id; false when it does not.
bool ReadIdentifiedRule(Draft& draft, const Line& line, const std::string& text);
void MentionLevel(Draft& draft, std::string_view id, std::string_view text, int line);

// outputs.cc
bool ReadOutputLine(Draft& draft, const Line& line);  // "Output: INVALID" in a section of rules
void NoteLabels(Draft& draft, const Line& line);      // Answer "Violating" in an instruction

// definitions.cc
void ReadDefinitionLine(Draft& draft, const Line& line, const std::string& text);
bool LooksLikeDefinition(std::string_view text);  // "Blitz means a game of five minutes."
bool ReadMeansSentence(Draft& draft, const Line& line, const std::string& text);

// examples.cc
void ReadExampleLine(Draft& draft, const Line& line);
// Labelled examples outside a section of examples: `"text" -> LABEL`, "Input: ... Output: 1".
bool ReadStrayExample(Draft& draft, const Line& line);
void StartHeadedExample(Draft& draft, const Heading& heading, int line);
bool IsExampleItemTitle(std::string_view title);
void FlushExample(Draft& draft);
void AddExample(Draft& draft, std::string_view text, std::string_view label, int line);

// tables.cc: reads the table that begins at `at` and returns the index after it.
std::size_t ReadTable(Draft& draft, std::size_t at);

// Opening, closing and continuing items.
void OpenAs(Draft& draft, OpenKind kind, int index, const Line& line);
bool Continue(Draft& draft, const Line& line, const std::string& text);
void Join(std::string& text, std::string_view more);

// mappings.cc: "id: V1 text: Offers bets side: violating", an item of a YAML list that was joined
// to one text, becomes the rule V1; "term: Bet text: a stake" the definition of Bet.
void ReadMappings(Draft& draft);

// The sides of levels, then of rules; parts of Finish (finish_sides.cc).
void SideLevels(Draft& draft);
void SideRules(Draft& draft);

// finish.cc: ids, sides, levels; moves everything into `policy`.
void Finish(Draft& draft, Policy& policy);

// fallback.cc: rules from the prose of a policy that has no listed rules.
void ReadProseRules(Draft& draft);

}  // namespace safeguard::moderation::reading
