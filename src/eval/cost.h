// What an evaluation cost, and how many of the model's answers could be read.
//
// Pure and thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/runner.h"

namespace safeguard::eval {

// Of one quantity over the judged contents.
struct Spread {
  double total = 0;
  double mean = 0;
  double p50 = 0;  // nearest rank: a value that was really seen
  double p95 = 0;
  double p99 = 0;
  double max = 0;
};
// Not defined without values.
std::optional<Spread> MeasureSpread(std::vector<double> values);

// Of every judged content, labelled or not. Token counts are empty where no verdict used tokens
// (the screen), never 0.
struct Cost {
  std::size_t contents = 0;
  std::optional<Spread> seconds;           // a content's own time
  std::optional<Spread> prompt_tokens;     // all of the prompt
  std::optional<Spread> cached_tokens;     // of these, what a shared prefix had ready
  std::optional<Spread> reasoning_tokens;  // sampled before the answer
  std::optional<Spread> answer_tokens;
};
Cost MeasureCost(std::span<const CaseResult> results);

// Answers of a model that writes them (layers "reasoner" and "recorded"; an instant score is none).
struct AnswerFigures {
  std::size_t asked = 0;     // contents that reached the model and came back with some answer
  std::size_t readable = 0;  // of those, a label or the JSON that was asked for
  // Of the asked ones by kind: "refusal", "unreadable_answer", "echoed_cue", "obeyed_content",
  // "unfinished_reasoning".
  std::map<std::string, std::size_t> unreadable;
  std::optional<double> parse_rate;  // readable / asked; not defined when nothing was asked
  std::optional<Interval> interval;  // Wilson, 95 %
};
// What never came to an answer (empty content, timeout, overload, no model) is not counted.
AnswerFigures MeasureAnswers(std::span<const CaseResult> results);

}  // namespace safeguard::eval
