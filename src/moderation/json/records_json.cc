#include <utility>

#include "moderation/content_json.h"
#include "moderation/json/json_fields.h"

namespace safeguard::moderation {
namespace {

using json::HasText;

nlohmann::ordered_json ObjectOf(const VerdictRecord& record) {
  nlohmann::ordered_json object = {
      {"when", record.when},
      {"content_hash", record.content_hash},
      {"content_id", record.content_id},
      {"surface", record.surface},
      {"language", record.language},
      {"policy", json::ObjectOf(record.policy)},
      {"channel", ToString(record.channel)},
      {"verdict", json::ObjectOf(EarlierVerdict{record.outcome, record.reason, record.score,
                                                record.rule_ids, record.layer})},
      {"category", record.category},
      {"model", record.model},
      {"model_hash", record.model_hash},
      {"key", record.key}};
  if (record.provisional) {
    object["provisional"] = json::ObjectOf(*record.provisional);
  }
  object["provenance"] = json::ObjectOf(record.provenance);
  object["setup"] = record.provenance.setup;
  return object;
}

Result<VerdictRecord> RecordFrom(const nlohmann::json& object) {
  VerdictRecord record;
  for (const auto& [field, value] :
       {std::pair{"content_hash", &record.content_hash},
        std::pair{"content_id", &record.content_id}, std::pair{"surface", &record.surface},
        std::pair{"language", &record.language}, std::pair{"category", &record.category},
        std::pair{"model", &record.model}, std::pair{"model_hash", &record.model_hash},
        std::pair{"key", &record.key}}) {
    if (!HasText(object, field)) {
      return json::Unreadable();
    }
    *value = object[field].get<std::string>();
  }
  if (!object.contains("when") || !object["when"].is_number_integer() ||
      !HasText(object, "channel") || !object.contains("policy") || !object.contains("verdict")) {
    return json::Unreadable();
  }
  const auto channel = ChannelFrom(object["channel"].get<std::string>());
  Result<PolicyReference> policy = json::PolicyOf(object["policy"]);
  Result<EarlierVerdict> verdict = json::EarlierOf(object["verdict"]);
  if (!channel || !policy || !verdict) {
    return json::Unreadable();
  }
  record.when = object["when"].get<TimeMs>();
  record.channel = *channel;
  record.policy = std::move(*policy);
  record.outcome = verdict->outcome;
  record.reason = verdict->reason;
  record.score = verdict->score;
  record.rule_ids = std::move(verdict->rule_ids);
  record.layer = std::move(verdict->layer);
  if (object.contains("provisional")) {
    Result<EarlierVerdict> provisional = json::EarlierOf(object["provisional"]);
    if (!provisional) {
      return json::Unreadable();
    }
    record.provisional = std::move(*provisional);
  }
  if (object.contains("provenance")) {  // jobs that were queued before there was any have none
    Result<Provenance> provenance = json::ProvenanceOf(object["provenance"]);
    if (!provenance || !HasText(object, "setup")) {
      return json::Unreadable();
    }
    record.provenance = std::move(*provenance);
    record.provenance.setup = object["setup"].get<std::string>();
  }
  return record;
}

}  // namespace

std::string RecordsJson(const std::vector<VerdictRecord>& records) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const VerdictRecord& record : records) {
    list.push_back(ObjectOf(record));
  }
  return json::Dump(list);
}

Result<std::vector<VerdictRecord>> RecordsFromJson(std::string_view text) {
  const nlohmann::json list = nlohmann::json::parse(text, nullptr, false);
  if (!list.is_array()) {
    return json::Unreadable();
  }
  std::vector<VerdictRecord> records;
  for (const nlohmann::json& object : list) {
    Result<VerdictRecord> record = RecordFrom(object);
    if (!record) {
      return std::unexpected(record.error());
    }
    records.push_back(std::move(*record));
  }
  return records;
}

}  // namespace safeguard::moderation
