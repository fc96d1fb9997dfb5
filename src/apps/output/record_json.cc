#include "apps/output/record_json.h"

#include <utility>

#include "base/utc_time.h"

namespace safeguard::apps {
namespace {

nlohmann::ordered_json EarlierJson(const moderation::EarlierVerdict& earlier) {
  nlohmann::ordered_json json = {{"outcome", ToString(earlier.outcome)}, {"reason", nullptr}};
  if (earlier.outcome == moderation::Outcome::kUndetermined) {
    json["reason"] = ToString(earlier.reason);
  }
  json["score"] = nullptr;
  if (earlier.score) {
    json["score"] = *earlier.score;
  }
  json["rule_ids"] = earlier.rule_ids;
  json["decided_by"] = earlier.layer;
  return json;
}

nlohmann::ordered_json ChangeJson(const moderation::VerdictChange& change) {
  nlohmann::ordered_json json = {{"outcome", change.outcome}, {"score", nullptr}};
  if (change.score) {
    json["score"] = *change.score;
  }
  json["rules_added"] = change.rules_added;
  json["rules_dropped"] = change.rules_dropped;
  return json;
}

}  // namespace

nlohmann::ordered_json RecordJson(const moderation::VerdictRecord& record) {
  nlohmann::ordered_json json = {{"sequence", record.sequence}, {"when", UtcText(record.when)}};
  if (!record.content_id.empty()) {
    json["id"] = record.content_id;
  }
  if (record.content && record.content->kind == moderation::ContentKind::kConversation) {
    json["messages"] = nlohmann::ordered_json::array();
    for (const moderation::Message& message : record.content->messages) {
      json["messages"].push_back({{"role", ToString(message.role)}, {"content", message.text}});
    }
  } else if (record.content && !record.content->messages.empty()) {
    json["text"] = record.content->messages.front().text;
  }
  for (const auto& [field, value] :
       {std::pair{"surface", &record.surface}, std::pair{"language", &record.language}}) {
    if (!value->empty()) {
      json[field] = *value;
    }
  }
  json["content_hash"] = record.content_hash;
  json["policy"] = record.policy.id;
  json["policy_version"] = record.policy.version;
  json["policy_hash"] = record.policy.hash;
  json["channel"] = ToString(record.channel);
  json["outcome"] = ToString(record.outcome);
  json["reason"] = nullptr;
  if (record.outcome == moderation::Outcome::kUndetermined) {
    json["reason"] = ToString(record.reason);
  }
  json["score"] = nullptr;
  if (record.score) {
    json["score"] = *record.score;
  }
  json["category"] = record.category;
  json["rule_ids"] = record.rule_ids;
  json["decided_by"] = record.layer;
  json["model"] = record.model;
  json["model_hash"] = record.model_hash;
  if (record.provisional) {
    json["provisional"] = EarlierJson(*record.provisional);
    json["changed"] = ChangeJson(ChangeFrom(*record.provisional, record));
  }
  return json;
}

}  // namespace safeguard::apps
