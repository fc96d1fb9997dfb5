// A case for a person, as it is asked for, kept in the queue and answered.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/problem.h"
#include "moderation/content.h"
#include "moderation/job_queue.h"
#include "moderation/verdict.h"

namespace safeguard::http {

inline constexpr const char* kReviewJob = "review";

struct ReviewCase {
  moderation::Content content;
  moderation::PolicyReference policy;  // as asked for, its name alone, until it is looked up
  std::string policy_text;             // of one that is in no store
  std::string why;
  double priority = 0;
};

struct ReviewDecision {
  std::int64_t lease = 0;
  moderation::Outcome outcome = moderation::Outcome::kUndetermined;
  std::vector<std::string> rule_ids;
  std::string note;
};

OrProblem<ReviewCase> ReadReviewCase(std::string_view body);
OrProblem<ReviewDecision> ReadReviewDecision(std::string_view body);
// {"lease": 3}
OrProblem<std::int64_t> ReadLeaseNumber(std::string_view body);
// {"lease_ms": 600000} or nothing at all.
OrProblem<moderation::TimeMs> ReadLeaseTime(std::string_view body);

// As the queue keeps it, and back (kCorruptFile).
std::string PayloadOf(const ReviewCase& review);
Result<ReviewCase> ReviewCaseOf(std::string_view payload);
// As a reviewer sees it: content, policy, why.
nlohmann::ordered_json CaseJson(const ReviewCase& review);

}  // namespace safeguard::http
