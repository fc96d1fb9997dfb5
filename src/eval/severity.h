// Graded severity: levels such as SP0, SP2, SP3 and SP4 of one policy, compared as ranks.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/metrics.h"
#include "moderation/verdict.h"

namespace safeguard::eval {

inline constexpr int kSeverityMax = 99;

// The level that a label or category names: 2 of "SP2", "D-SP2.a", "level 2" and "2"; of several
// ("D-SP2, R-SP0") the highest. Empty when it names none.
std::optional<int> SeverityOf(std::string_view label);

// The severity of a verdict: of its category, else of its gravest rule; 0 of a safe one that names
// none. Empty when undetermined, or a violation without a level.
std::optional<int> SeverityOf(const moderation::Verdict& verdict);

struct SeverityPair {
  int expected = 0;
  std::optional<int> judged;  // empty: no level came out
};

struct SeverityFigures {
  std::size_t cases = 0;
  std::size_t without_level = 0;  // of these, without a judged level: wrong in exact and off-by-one
  std::size_t exact = 0;
  std::size_t off_by_one = 0;  // exact ones included
  std::size_t too_high = 0;
  std::size_t too_low = 0;
  // Cohen's kappa with quadratic weights over the ranks of all levels that occur (Cohen 1968), of
  // the cases with a judged level. Not defined when both sides name one single level.
  std::optional<double> quadratic_kappa;
  std::vector<int> levels;  // that occur, rising
  std::vector<std::vector<std::size_t>>
      counts;  // counts[e][j]: expected levels[e], judged levels[j]
  // At or above the level is a violation; a case without a judged level counts as wrong. One for
  // each level above the lowest.
  struct Cut {
    int level = 0;
    Confusion confusion{};
  };
  std::vector<Cut> cuts;
};

// "Off by one" means neighbours among the levels that occur or are `known`: a scale SP0, SP2, SP3
// has no SP1 between.
SeverityFigures MeasureSeverity(std::span<const SeverityPair> cases,
                                std::span<const int> known = {});

}  // namespace safeguard::eval
