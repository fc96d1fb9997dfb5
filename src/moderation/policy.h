// Policy: what was understood of a text that a Trust & Safety team wrote.
//
// Any Markdown or plain text is a policy. Optional YAML front matter names it; everything else is
// recognised from the shapes that people really write (moderation/policy/README.md lists them).
// A Policy is a value: immutable after ReadPolicy, free of disk, model and clock.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/verdict.h"

namespace safeguard::moderation {

// Which side of the line a rule, level, section or example is on. kNone: it says nothing about it
// (an instruction, a definition), or nothing could be made out.
enum class Side { kNone, kViolating, kSafe };

// Lines are 1-based in the file as written, front matter included; `line_end` is inclusive.
struct Section {
  std::string title;
  int heading_level = 1;  // 1 for "#", 2 for "##", ...; plain-text headings count as 2
  Side side = Side::kNone;
  int line_begin = 0;
  int line_end = 0;
};

// A severity level or category that groups rules, such as "SP2" or "AR3".
struct Level {
  std::string id;
  std::string name;
  std::string text;    // its description, one paragraph
  std::string output;  // what the policy says to answer at this level; may be empty
  Side side = Side::kNone;
  int line = 0;
};

struct Rule {
  std::string id;  // as written ("SP2.a"), or made from its place when the author gave none
  bool id_written = false;
  std::string text;      // without the id and list marker
  std::string level_id;  // the Level it belongs to; may be empty
  std::string section;   // title of the section it stands in
  Side side = Side::kNone;
  // "Everything else", "whatever is off topic": stands for all that no other rule names.
  bool rest = false;
  int line = 0;
};

struct Definition {
  std::string term;
  std::string text;
  int line = 0;
};

struct Example {
  std::string text;                   // the content of the example
  std::string label;                  // as written: "VALID", "1", "D-SP2", ...
  std::vector<std::string> rule_ids;  // rules or levels it cites
  Side side = Side::kNone;
  int line = 0;
};

struct Thresholds {
  double violation = 0.5;  // score at or above: violation
  double safe = 0.5;       // score below: safe; between the two: undetermined (uncertain)
  friend bool operator==(const Thresholds&, const Thresholds&) = default;
};

// Scores at or above Policy::thresholds->violation are violations; see Thresholds.
struct Policy {
  std::string id;                      // front matter, else made from the title or the file's name
  std::string name;                    // front matter, else the title
  std::string version;                 // front matter, else "1"
  std::string hash;                    // BLAKE2b of the bytes as given
  std::string text;                    // the body without front matter, newlines as "\n"
  std::vector<std::string> languages;  // BCP 47; empty: not stated
  std::vector<std::string> labels;     // output labels, as stated
  std::map<std::string, std::string> label_meanings;  // label -> "violation" | "safe" | free text
  std::string output;                                 // front matter `output`; may be empty
  std::optional<Thresholds> thresholds;               // front matter `thresholds`
  bool has_front_matter = false;
  int body_line = 1;  // line of the file where `text` begins

  std::vector<Section> sections;
  std::vector<Level> levels;
  std::vector<Rule> rules;
  std::vector<Definition> definitions;
  std::vector<Example> examples;

  [[nodiscard]] const Rule* FindRule(std::string_view id) const;
  [[nodiscard]] const Level* FindLevel(std::string_view id) const;
  [[nodiscard]] PolicyReference Reference() const { return {id, version, hash}; }
};

inline constexpr std::size_t kPolicyBytesMax = 1 << 20;
inline constexpr std::size_t kFrontMatterBytesMax = 64 << 10;

// Reads a policy. `fallback_id` names one that names itself nowhere (usually the file's stem).
// Fails on: more than kPolicyBytesMax bytes (kLimit), NUL bytes (binary), invalid UTF-8 (with the
// offset), unreadable front matter (with the line). Never fails for lack of structure.
Result<Policy> ReadPolicy(std::string_view bytes, std::string_view fallback_id);

enum class Severity { kError, kWarning, kHint };

struct Finding {
  Severity severity = Severity::kWarning;
  std::string check;   // stable name: "output-instruction", "hedge-words", ...
  int line = 0;        // 1-based in the file; 0 when it concerns the whole policy
  std::string reason;  // what is wrong and why it matters
  std::string mend;    // what to write instead
};

// Counts tokens as the reasoner's tokenizer does (o200k); given by the caller, because the domain
// knows no tokenizer. Empty: the length checks say that they could not run.
using TokenCounter = std::function<std::size_t(std::string_view)>;

// Findings in order of line, then check.
std::vector<Finding> LintPolicy(const Policy& policy, const TokenCounter& count_tokens);

const char* ToString(Side side);
const char* ToString(Severity severity);

}  // namespace safeguard::moderation
