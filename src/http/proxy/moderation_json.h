// What the judge said of one side of an exchange, in the shape of OpenAI's inline moderation: its
// maps are open, so categories are the policies' own names, and a failure is an arm of its own.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "http/guard/guard_settings.h"
#include "http/judging.h"
#include "moderation/verdict.h"

namespace safeguard::http {

// The verdicts of one side: of each policy the worst that was seen.
class SideVerdicts {
 public:
  void Add(const JudgeAnswer& answer);
  // Something was not judged at all, and why.
  void Fail(std::string why) { failed_ = std::move(why); }

  // The worst of all; kUndetermined while there is none.
  [[nodiscard]] moderation::Outcome outcome() const;
  [[nodiscard]] bool empty() const { return verdicts_.empty() && !failed_; }
  // "safe", "violation", "undetermined", "not-judged".
  [[nodiscard]] std::string Word() const;
  // {"type": "moderation_results", ...} of chat, {"type": "moderation_result", ...} of responses,
  // or {"type": "error", "code", "message"}.
  [[nodiscard]] nlohmann::ordered_json ToJson(guard::WireFormat format,
                                              const std::string& model) const;

 private:
  std::vector<moderation::Verdict> verdicts_;
  std::optional<std::string> failed_;
};

}  // namespace safeguard::http
