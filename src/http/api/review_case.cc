#include "http/api/review_case.h"

#include <utility>

#include "base/utc_time.h"
#include "http/json_fields.h"
#include "http/json_input.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kLeaseMsMin = 1'000;
constexpr double kLeaseMsMax = 24.0 * 3600 * 1000;
constexpr moderation::TimeMs kLeaseMsDefault = 600'000;
constexpr double kLeaseMax = 9e15;
constexpr std::size_t kWhyBytesMax = 2000;
constexpr std::size_t kRulesMax = 64;

// The value when nothing is wrong with the fields.
template <typename T>
OrProblem<T> Checked(Fields& fields, T value) {
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return value;
}

std::int64_t LeaseIn(Fields& fields) {
  const std::optional<double> lease = fields.Number("lease", 1, kLeaseMax);
  if (!lease) {
    fields.Fault("lease", "is missing", "give the one that came with the review");
  }
  return static_cast<std::int64_t>(lease.value_or(0));
}

}  // namespace

OrProblem<ReviewRequest> ReadReviewRequest(std::string_view body) {
  const OrProblem<nlohmann::json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  ReviewRequest review;
  review.content = ReadContent(fields, "");
  review.policy = fields.Text("policy", kNameBytesMax);
  if (review.policy.empty()) {
    fields.Fault("policy", "is missing", "name the policy that the content is reviewed under");
  }
  review.why = fields.Text("why", kWhyBytesMax);
  review.priority = fields.Number("priority", -kPriorityMax, kPriorityMax).value_or(0);
  return Checked(fields, std::move(review));
}

OrProblem<DecisionRequest> ReadReviewDecision(std::string_view body) {
  const OrProblem<nlohmann::json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  DecisionRequest decision;
  decision.lease = LeaseIn(fields);
  const std::string outcome = fields.Text("outcome", kNameBytesMax);
  if (outcome == "violation" || outcome == "safe") {
    decision.outcome = *moderation::OutcomeFrom(outcome);
  } else {
    fields.Fault("outcome", "is no decision",
                 "there are: violation, safe; who cannot decide gives it back");
  }
  decision.rule_ids = fields.Names("rule_ids", kRulesMax);
  if (decision.outcome == moderation::Outcome::kSafe && !decision.rule_ids.empty()) {
    fields.Fault("rule_ids", "stand with what is safe", "what is safe breaks no rule");
  }
  decision.note = fields.Text("note", kWhyBytesMax);
  return Checked(fields, std::move(decision));
}

OrProblem<std::int64_t> ReadLeaseNumber(std::string_view body) {
  const OrProblem<nlohmann::json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  const std::int64_t lease = LeaseIn(fields);
  return Checked(fields, lease);
}

OrProblem<moderation::TimeMs> ReadLeaseTime(std::string_view body) {
  if (body.empty()) {
    return kLeaseMsDefault;
  }
  const OrProblem<nlohmann::json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  const std::optional<double> ms = fields.Number("lease_ms", kLeaseMsMin, kLeaseMsMax);
  return Checked(fields, ms ? static_cast<moderation::TimeMs>(*ms) : kLeaseMsDefault);
}

bool IsHeld(const moderation::ReviewCase& found, moderation::TimeMs now) {
  return !found.decision && found.held_until > now;
}

Json SummaryJson(const moderation::ReviewCase& found, moderation::TimeMs now) {
  const bool held = IsHeld(found, now);
  Json json = {{"review", std::to_string(found.id)},
               {"state", found.decision ? "done"
                         : held         ? "leased"
                                        : "waiting"},
               {"priority", found.priority},
               {"created", UtcText(found.filed)},
               {"changed", UtcText(found.decision ? found.decision->when : found.filed)}};
  if (!found.route.empty()) {
    json["route"] = found.route;
  }
  if (held) {
    json["reviewer"] = found.holder;
    json["lease_ends"] = UtcText(found.held_until);
  }
  return json;
}

Json CaseJson(const moderation::ReviewCase& found, moderation::TimeMs now) {
  Json json = SummaryJson(found, now);
  if (found.decision) {
    json["decision"] = {{"outcome", ToString(found.decision->outcome)},
                        {"rule_ids", found.decision->rule_ids},
                        {"note", found.decision->why},
                        {"reviewer", found.decision->by},
                        {"policy", found.policy.id},
                        {"policy_version", found.policy.version},
                        {"content_hash", moderation::ContentHash(found.content)},
                        {"when", UtcText(found.decision->when)}};
    return json;
  }
  json["policy"] = found.policy.id;
  json["policy_version"] = found.policy.version;
  json["policy_hash"] = found.policy.hash;
  json["why"] = found.why;
  for (const auto& [field, value] :
       {std::pair{"id", &found.content.id}, std::pair{"surface", &found.content.surface},
        std::pair{"language", &found.content.language}}) {
    if (!value->empty()) {
      json[field] = *value;
    }
  }
  json["messages"] = Json::array();
  for (const moderation::Message& message : found.content.messages) {
    json["messages"].push_back({{"role", ToString(message.role)}, {"content", message.text}});
  }
  return json;
}

}  // namespace safeguard::http
