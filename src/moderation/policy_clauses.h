// Clauses: the parts of a policy that can be named, compared, tested and taken out one by one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/policy.h"

namespace safeguard::moderation {

// A rule on the safe side is an exception: it says what the violating ones do not reach.
enum class ClauseKind { kRule, kException, kDefinition, kExample };

struct Clause {
  ClauseKind kind = ClauseKind::kRule;
  std::size_t index = 0;  // into Policy::rules, Policy::definitions or Policy::examples
  std::string name;       // "SP2.a", "definition of Spam", "example in line 67"
  std::string text;
  Side side = Side::kNone;
  int line = 0;  // 1-based in the file
};

// All of a policy's clauses, in order of line.
std::vector<Clause> ClausesOf(const Policy& policy);

// The lines that a clause takes, 1-based in the file and inclusive: its own and those that
// continue it.
struct LineRange {
  int begin = 0;
  int end = 0;
};
LineRange LinesOf(const Policy& policy, const Clause& clause);

// A policy with one clause taken out of its text.
struct CutPolicy {
  std::string bytes;  // the file without it, front matter included
  Policy policy;      // `bytes`, read again
  // Other clauses that went with it, by name: what is written below it, or in the same line.
  std::vector<std::string> also;
};

// Takes `clause` out by surgery on the lines of the file, whatever shape they have, and proves by
// reading the result again that it is gone, that no other clause was changed, and what else is
// gone. Lines first, then the clause's words inside its line. `bytes` are those that `policy` was
// read from. Fails (kInvalidInput) when no cut removes it without changing another clause.
Result<CutPolicy> CutClause(std::string_view bytes, const Policy& policy, const Clause& clause);

const char* ToString(ClauseKind kind);

}  // namespace safeguard::moderation
