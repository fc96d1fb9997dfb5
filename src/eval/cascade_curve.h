// The curve of cost against quality of a cascade: what a compute budget buys, between the screen
// alone and the reasoner for everything.
//
// The screen's verdicts are recorded ones; the reasoner's are recorded too, or those of a synthetic
// one of known error rates. The cascade and its governor are the real ones, on a simulated clock:
// contents arrive evenly, each point has a budget of its own, and what the budget does not reach
// keeps the screen's verdict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/intervals.h"
#include "eval/metrics.h"
#include "eval/runner.h"

namespace safeguard::eval {

// Right with these chances, each case by its own draw, the same at every budget.
struct SyntheticReasoner {
  double recall = 0.95;       // of violations, the share that it finds
  double specificity = 0.95;  // of safe content, the share that it calls safe
  double tokens = 600;        // of a verdict, on average; single ones from half to half more
  std::uint64_t seed = 1;
};

struct CurveOptions {
  // Shares of what the reasoner would cost for everything.
  std::vector<double> budgets{0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75};
  SyntheticReasoner reasoner{};
  double false_alarm = 1;  // weight of a false alarm against a missed violation
  // How far below the reasoner's F1 counts as equal.
  double tolerance = 0.005;
};

struct BudgetPoint {
  std::string name;       // "screen alone", "cascade, 5 %", "reasoner alone"
  double budget = 0;      // share allowed
  double spent = 0;       // share really used
  double tokens = 0;      // of a content, on average
  double asked = 0;       // share of contents that the reasoner saw
  Confusion confusion{};  // undetermined is wrong on either side
  std::size_t undetermined = 0;
  std::optional<double> f1;
  std::optional<double> precision;
  std::optional<double> recall;
  std::optional<Interval> recall_interval;  // Wilson, 95 %
};

struct CascadeCurve {
  std::string dataset;
  std::string policy;
  std::string screen;    // whose verdicts they are
  std::string reasoner;  // in words
  std::size_t cases = 0;
  std::size_t positives = 0;
  std::vector<BudgetPoint> points;  // by cost
  // The cheapest point of the cascade that is as good as the reasoner alone, and what it saves.
  std::optional<std::size_t> equal;
  std::optional<double> saved;
  double tolerance = 0;
  std::vector<std::string> notes;
};

// What the reasoner said of records[i]; empty: synthetic.
// Fails without labelled, judged cases of both sides; with a recorded reasoner of another length.
Result<CascadeCurve> DrawCascadeCurve(std::span<const Record> records,
                                      std::span<const CaseResult> screen,
                                      std::span<const CaseResult> reasoner,
                                      const CurveOptions& options);

std::string RenderText(const CascadeCurve& curve);
std::string RenderMarkdown(const CascadeCurve& curve);
std::string RenderJson(const CascadeCurve& curve);
// One page that needs nothing else.
std::string RenderHtml(const CascadeCurve& curve);

}  // namespace safeguard::eval
