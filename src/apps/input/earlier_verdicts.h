// Verdicts that were given before, as `batch` and `backtest` write them: JSONL with "id" or "line",
// "policy", "outcome", "score" and "rule_ids". For comparing with what is judged now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "eval/dataset.h"
#include "moderation/verdict.h"

namespace safeguard::apps {

struct EarlierVerdict {
  moderation::Outcome outcome = moderation::Outcome::kUndetermined;
  std::optional<double> score;
  std::vector<std::string> rule_ids;
};

class EarlierVerdicts {
 public:
  // Those of `policy_id`; lines that name no policy count too. Fails when the file cannot be read,
  // at a line that is no verdict (the message names it), when a content has two verdicts, and when
  // none is of this policy (the message names those that are there).
  static Result<EarlierVerdicts> Read(const std::string& path, const std::string& policy_id);

  // By the record's id where it has one, else by its line; nullptr when there is none.
  [[nodiscard]] const EarlierVerdict* Find(const eval::Record& record) const;
  [[nodiscard]] std::size_t size() const { return by_id_.size() + by_line_.size(); }

 private:
  Status Add(const std::string& line, std::size_t number, const std::string& policy_id,
             std::string& others);

  std::unordered_map<std::string, EarlierVerdict> by_id_;
  std::unordered_map<std::uint64_t, EarlierVerdict> by_line_;  // of contents without an id
};

}  // namespace safeguard::apps
