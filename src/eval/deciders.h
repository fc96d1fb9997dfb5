// Who decided: of a judge that has layers (a cascade), what each of them settled, how well, and at
// what cost.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "eval/dataset.h"
#include "eval/runner.h"

namespace safeguard::eval {

struct Decider {
  // A layer ("list", "screen"), or a reasoner of a route by its name; "nobody": undetermined.
  std::string name;
  std::size_t verdicts = 0;
  std::size_t violations = 0;
  std::size_t safe = 0;
  std::size_t labelled = 0;  // of the verdicts, those whose right answer is known
  std::size_t right = 0;     // of the labelled
  double tokens = 0;         // of all its verdicts; of a reasoner's, the last one asked alone
  double ms = 0;             // own time of its verdicts, all together
};

// The most verdicts first, equal ones by name. Empty without a judged record.
// REQUIRES: as many results as records.
std::vector<Decider> MeasureDeciders(std::span<const Record> records,
                                     std::span<const CaseResult> results);

}  // namespace safeguard::eval
