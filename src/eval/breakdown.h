// Where a judge is right and wrong: by rule, by language, surface and tag, and case by case.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/dataset.h"
#include "eval/metrics.h"
#include "eval/runner.h"
#include "moderation/verdict.h"

namespace safeguard::eval {

// A labelled record and what was judged of it. Points into records and results, which must outlive
// it.
struct Judged {
  const Record* record = nullptr;
  const CaseResult* result = nullptr;

  [[nodiscard]] bool expected() const {
    return *record->expected == moderation::Outcome::kViolation;
  }
  [[nodiscard]] moderation::Outcome outcome() const { return result->verdict.outcome; }
  // The verdict's score; empty when there is none or it is not a number from 0 to 1.
  [[nodiscard]] std::optional<double> score() const;
};

// The records that are labelled and were judged. REQUIRES: as many results as records.
std::vector<Judged> JudgedCases(std::span<const Record> records,
                                std::span<const CaseResult> results);

// Counts over cases: decided ones alone, and with undetermined as the wrong answer.
struct Tally {
  Confusion decided{};
  Confusion with_undetermined{};
  std::size_t undetermined = 0;
};
Tally Count(std::span<const Judged> cases);

// Whether the verdict cites the rule: by its id, by a sub-rule of it ("SP2.a" cites "SP2"), or as
// its category.
bool Cites(const moderation::Verdict& verdict, std::string_view rule);

// One rule: cited against expected. Cases that are violations but name no rule say nothing about
// citations and are left out.
struct RuleResult {
  std::string rule;
  std::size_t support = 0;          // cases that expect it
  std::size_t detected = 0;         // of those, judged a violation, whatever rule was cited
  std::size_t found = 0;            // of those, with this rule cited
  std::size_t cited = 0;            // violation verdicts that cite it
  std::size_t cited_rightly = 0;    // of those, on cases that expect it
  std::optional<double> recall;     // found / support
  std::optional<double> precision;  // cited_rightly / cited
};
// Every rule that is expected or cited, in order of id; of more than kRulesMax those that occur
// most. None when no case names the rules it expects.
inline constexpr std::size_t kRulesMax = 500;
std::vector<RuleResult> MeasureRules(std::span<const Judged> cases);

struct GroupResult {
  std::string name;  // "en", "comment", "adversarial"; "(not stated)" for none
  std::size_t cases = 0;
  Tally tally{};
  std::optional<double> roc_auc;
};
enum class GroupKind { kLanguage, kSurface, kTag };
// The largest first; at most kGroupsMax, the smallest are left out. A case with several tags counts
// in each; nothing when no case states any.
inline constexpr std::size_t kGroupsMax = 100;
std::vector<GroupResult> MeasureGroups(std::span<const Judged> cases, GroupKind kind);

struct TellingCase {
  std::string name;  // RecordName
  std::size_t line = 0;
  std::optional<double> score;
  std::string label;               // as written in the data
  std::vector<std::string> rules;  // expected
  std::vector<std::string> cited;  // by the verdict
  std::string reason;              // of an undetermined verdict
  std::string excerpt;             // of the content, bounded, one line, safe to print
  std::string evidence;            // the first evidence span, likewise
};
struct TellingErrors {
  std::vector<TellingCase> false_alarms;  // highest score first; without a score last
  std::vector<TellingCase> misses;        // lowest score first; without a score last
  std::vector<TellingCase> undetermined;  // in order of the data
};
// At most `count_max` of each; excerpts of at most `excerpt_bytes_max` bytes (0: none at all).
TellingErrors FindTellingErrors(std::span<const Judged> cases, std::size_t count_max,
                                std::size_t excerpt_bytes_max);

// Text as one printable line of at most `bytes_max` bytes and whole code points: runs of white
// space as one space; control, bidirectional and other invisible characters as U+FFFD, so that
// content cannot drive a terminal.
std::string Excerpt(std::string_view text, std::size_t bytes_max);

}  // namespace safeguard::eval
