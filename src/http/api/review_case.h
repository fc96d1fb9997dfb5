// A case for a person, as it is asked for, told and answered.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/problem.h"
#include "moderation/content.h"
#include "moderation/review_queue.h"
#include "moderation/verdict.h"

namespace safeguard::http {

// What is asked to be reviewed.
struct ReviewRequest {
  moderation::Content content;
  std::string policy;  // a name for PolicyShelf
  std::string why;
  double priority = 0;
};

struct DecisionRequest {
  std::int64_t lease = 0;
  moderation::Outcome outcome = moderation::Outcome::kUndetermined;
  std::vector<std::string> rule_ids;
  std::string note;
};

OrProblem<ReviewRequest> ReadReviewRequest(std::string_view body);
OrProblem<DecisionRequest> ReadReviewDecision(std::string_view body);
// {"lease": 3}
OrProblem<std::int64_t> ReadLeaseNumber(std::string_view body);
// {"lease_ms": 600000} or nothing at all.
OrProblem<moderation::TimeMs> ReadLeaseTime(std::string_view body);

// In a list: "waiting", "leased" (somebody holds it now) or "done".
nlohmann::ordered_json SummaryJson(const moderation::ReviewCase& found, moderation::TimeMs now);
// As a reviewer sees it: content, policy, why; once it is decided, the decision in their place.
nlohmann::ordered_json CaseJson(const moderation::ReviewCase& found, moderation::TimeMs now);
bool IsHeld(const moderation::ReviewCase& found, moderation::TimeMs now);

}  // namespace safeguard::http
