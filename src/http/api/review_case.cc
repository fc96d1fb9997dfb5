#include "http/api/review_case.h"

#include <utility>

#include "http/domain_json.h"
#include "http/json_fields.h"
#include "http/json_input.h"
#include "moderation/content_json.h"

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

std::unexpected<Error> Unreadable() {
  return Fail(ErrorCode::kCorruptFile, "the review in the queue cannot be read",
              "it was written by another program");
}

}  // namespace

OrProblem<ReviewCase> ReadReviewCase(std::string_view body) {
  const OrProblem<nlohmann::json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  ReviewCase review;
  review.content = ReadContent(fields, "");
  review.policy.id = fields.Text("policy", kNameBytesMax);
  if (review.policy.id.empty()) {
    fields.Fault("policy", "is missing", "name the policy that the content is reviewed under");
  }
  review.why = fields.Text("why", kWhyBytesMax);
  review.priority = fields.Number("priority", -kPriorityMax, kPriorityMax).value_or(0);
  return Checked(fields, std::move(review));
}

OrProblem<ReviewDecision> ReadReviewDecision(std::string_view body) {
  const OrProblem<nlohmann::json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  ReviewDecision decision;
  decision.lease = LeaseIn(fields);
  const std::string outcome = fields.Text("outcome", kNameBytesMax);
  if (outcome == "violation" || outcome == "safe") {
    decision.outcome = *moderation::OutcomeFrom(outcome);
  } else {
    fields.Fault("outcome", "is no decision",
                 "there are: violation, safe; who cannot decide gives it back");
  }
  decision.rule_ids = fields.Names("rule_ids", kRulesMax);
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

std::string PayloadOf(const ReviewCase& review) {
  return JsonLine({{"content", moderation::ContentJson(review.content)},
                   {"id", review.content.id},
                   {"surface", review.content.surface},
                   {"language", review.content.language},
                   {"policy", review.policy.id},
                   {"policy_version", review.policy.version},
                   {"policy_hash", review.policy.hash},
                   {"policy_text", review.policy_text},
                   {"why", review.why}});
}

Result<ReviewCase> ReviewCaseOf(std::string_view payload) {
  const nlohmann::json json = nlohmann::json::parse(payload, nullptr, false);
  if (!json.is_object() || !json.contains("content") || !json["content"].is_string()) {
    return Unreadable();
  }
  Result<moderation::Content> content =
      moderation::ContentFromJson(json["content"].get_ref<const std::string&>());
  if (!content) {
    return std::unexpected(content.error());
  }
  ReviewCase review;
  review.content = std::move(*content);
  for (const auto& [field, value] :
       {std::pair{"id", &review.content.id}, std::pair{"surface", &review.content.surface},
        std::pair{"language", &review.content.language}, std::pair{"policy", &review.policy.id},
        std::pair{"policy_version", &review.policy.version},
        std::pair{"policy_hash", &review.policy.hash},
        std::pair{"policy_text", &review.policy_text}, std::pair{"why", &review.why}}) {
    if (!json.contains(field) || !json[field].is_string()) {
      return Unreadable();
    }
    *value = json[field].get<std::string>();
  }
  return review;
}

Json CaseJson(const ReviewCase& review) {
  Json json = {{"policy", review.policy.id},
               {"policy_version", review.policy.version},
               {"policy_hash", review.policy.hash},
               {"why", review.why}};
  for (const auto& [field, value] :
       {std::pair{"id", &review.content.id}, std::pair{"surface", &review.content.surface},
        std::pair{"language", &review.content.language}}) {
    if (!value->empty()) {
      json[field] = *value;
    }
  }
  json["messages"] = Json::array();
  for (const moderation::Message& message : review.content.messages) {
    json["messages"].push_back({{"role", ToString(message.role)}, {"content", message.text}});
  }
  return json;
}

}  // namespace safeguard::http
