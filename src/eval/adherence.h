// How written answers kept to their policies: parse rate, format, rules that do not exist.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "eval/runner.h"

namespace safeguard::eval {

struct AdherenceFigures {
  std::size_t answers = 0;   // verdicts that say how their answer kept to the policy
  std::size_t read = 0;      // of these, from which an outcome or a stated doubt came out
  std::size_t asked = 0;     // whose policy asks for a format
  std::size_t followed = 0;  // of the asked ones
  std::map<std::string, std::size_t> forms;
  std::map<std::string, std::size_t> faults;
  std::size_t citing = 0;          // that cite rules or levels, known or not
  std::size_t citing_unknown = 0;  // of these, at least one that the policy does not have
};

AdherenceFigures MeasureAdherence(std::span<const CaseResult> results);

}  // namespace safeguard::eval
