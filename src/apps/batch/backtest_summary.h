// What a backtest found: the verdicts of its output, and how they differ from those given before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "apps/exit_code.h"
#include "base/result.h"

namespace safeguard::apps {

struct BacktestSummary {
  Tally now;
  std::uint64_t compared = 0;  // contents with an earlier verdict
  std::uint64_t agreed = 0;    // of these, with the same outcome
  std::map<std::string, std::uint64_t> outcomes_then;
  std::map<std::string, std::uint64_t> outcomes_now;  // of the compared ones
  std::map<std::string, std::uint64_t> flips;         // "safe to violation"
  std::map<std::string, std::uint64_t> clauses;       // of flips: cited by the violation
  std::map<std::string, std::uint64_t> rules;         // of violations now

  // Agreement beyond chance (Cohen 1960); empty when chance alone would agree always.
  [[nodiscard]] std::optional<double> kappa() const;
};

// Reads the lines that a backtest wrote. Fails at a line that is none.
Result<BacktestSummary> SummariseBacktest(const std::string& out);

std::string BacktestText(const BacktestSummary& summary, std::size_t width, bool color);
nlohmann::ordered_json BacktestJson(const BacktestSummary& summary);

}  // namespace safeguard::apps
