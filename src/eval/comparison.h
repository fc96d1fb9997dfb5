// Two systems on the same cases: paired, because differences between cases are larger than those
// between systems.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/bootstrap.h"
#include "eval/mean_cost.h"
#include "eval/metrics.h"
#include "eval/run_file.h"

namespace safeguard::eval {

// How likely `b` against `c` discordant pairs, or a more uneven split, would be if neither system
// were better.
struct McNemar {
  std::optional<double> p;  // not defined without discordant pairs
  bool exact = true;        // binomial; else chi-square with continuity correction
};
inline constexpr std::size_t kExactPairsMax = 1000;  // discordant pairs tested exactly
McNemar TestMcNemar(std::size_t only_a_right, std::size_t only_b_right);

// A figure of both and the difference B - A, with its paired bootstrap interval.
struct FigureDifference {
  std::optional<double> a;
  std::optional<double> b;
  std::optional<double> difference;
  std::optional<Interval> interval;
};

struct Comparison {
  std::size_t only_in_a = 0;  // cases that the other run did not judge
  std::size_t only_in_b = 0;
  std::size_t pairs = 0;     // judged by both
  std::size_t labelled = 0;  // of these: the figures below are of them

  // An undetermined verdict is wrong.
  std::size_t both_right = 0;
  std::size_t only_a_right = 0;
  std::size_t only_b_right = 0;
  std::size_t both_wrong = 0;
  McNemar test{};
  FigureDifference accuracy;
  FigureDifference f1;
  FigureDifference roc_auc;  // over the `scored` cases
  std::size_t scored = 0;    // labelled pairs with a score of both

  // counts[a][b] over all pairs, by outcome: violation, safe, undetermined.
  std::array<std::array<std::size_t, 3>, 3> outcomes{};
  // Cohen's kappa, over what was decided.
  std::optional<double> agreement;    // between the two
  std::optional<double> a_to_labels;  // with the labels
  std::optional<double> b_to_labels;

  MeanCost cost_a{};
  MeanCost cost_b{};
  std::vector<std::string> notes;
};

// Fails when the runs are of different data, or no case was judged by both. `policy_*` indexes the
// policies of the headers.
Result<Comparison> CompareRuns(const RecordedRun& a, std::size_t policy_a, const RecordedRun& b,
                               std::size_t policy_b, const BootstrapOptions& bootstrap);

}  // namespace safeguard::eval
