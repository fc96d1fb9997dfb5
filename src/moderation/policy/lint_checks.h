// The parts of LintPolicy. Each looks at one kind of mistake and adds its findings.
#pragma once

#include <string>
#include <vector>

#include "moderation/policy.h"
#include "moderation/policy/lines.h"
#include "moderation/policy/sides.h"

namespace safeguard::moderation::reading {

inline constexpr std::size_t kTokensAdvised = 600;    // OpenAI's user guide: 400 to 600 is best
inline constexpr std::size_t kTokensMax = 10'000;     // and up to about 10,000 works
inline constexpr std::size_t kFindingsPerCheck = 50;  // the rest is counted in one finding

// A line with what is known of its place.
struct PlacedLine {
  const Line* line = nullptr;
  Role role = Role::kUnknown;
  int section = -1;  // index into Policy::sections, the innermost
  bool heading = false;
  bool clause = false;   // a rule begins here
  bool example = false;  // an example begins here
};

struct LintContext {
  const Policy* policy = nullptr;
  std::vector<Line> lines;
  std::vector<PlacedLine> placed;
  std::vector<Finding> findings;

  void Add(Severity severity, std::string check, int line, std::string reason, std::string mend);
};

void CheckStructure(LintContext& context);                                 // lint_structure.cc
void CheckLength(LintContext& context, const TokenCounter& count_tokens);  // lint_structure.cc
void CheckOutput(LintContext& context);                                    // lint_output.cc
void CheckAnswerCue(LintContext& context);                                 // lint_output.cc
void CheckHedges(LintContext& context);                                    // lint_words.cc
void CheckEscalation(LintContext& context);                                // lint_words.cc
void CheckIds(LintContext& context);                                       // lint_ids.cc
void CheckPrecedence(LintContext& context);                                // lint_precedence.cc

// `text` with everything between quotation marks replaced by spaces, so that offsets stay.
std::string MaskQuotes(std::string_view text);

}  // namespace safeguard::moderation::reading
