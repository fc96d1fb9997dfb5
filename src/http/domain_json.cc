#include "http/domain_json.h"

#include <cmath>
#include <utility>

#include "base/utc_time.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::EventKind;
using moderation::StoreEvent;
using moderation::VersionInfo;
using moderation::VersionState;

// Microseconds are as fine as these clocks mean anything.
double RoundedMs(double ms) {
  return std::round(ms * 1000) / 1000;
}

Json EvidenceJson(const moderation::Verdict& verdict, moderation::ContentKind kind) {
  Json list = Json::array();
  for (const moderation::Evidence& evidence : verdict.evidence) {
    Json object = {{"start", evidence.start}, {"end", evidence.end}, {"text", evidence.text}};
    if (kind == moderation::ContentKind::kConversation) {
      object["message"] = evidence.message;
    }
    list.push_back(std::move(object));
  }
  return list;
}

Json PathJson(const moderation::Verdict& verdict) {
  Json path = Json::array();
  for (const moderation::LayerStep& step : verdict.path) {
    Json object = {{"layer", step.layer}};
    if (!step.name.empty()) {
      object["name"] = step.name;
    }
    object["outcome"] = moderation::ToString(step.outcome);
    if (step.outcome == moderation::Outcome::kUndetermined) {
      object["reason"] = moderation::ToString(step.reason);
    }
    if (step.score) {
      object["score"] = *step.score;
    }
    object["ms"] = RoundedMs(step.ms);
    if (!step.why.empty()) {
      object["why"] = step.why;
    }
    path.push_back(std::move(object));
  }
  return path;
}

Json EarlierJson(const moderation::EarlierVerdict& earlier) {
  Json json = {{"outcome", ToString(earlier.outcome)}, {"reason", nullptr}};
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

Json ChangeJson(const moderation::VerdictChange& change) {
  Json json = {{"outcome", change.outcome}, {"score", nullptr}};
  if (change.score) {
    json["score"] = *change.score;
  }
  json["rules_added"] = change.rules_added;
  json["rules_dropped"] = change.rules_dropped;
  return json;
}

}  // namespace

Json VerdictJson(const moderation::Verdict& verdict, moderation::ContentKind kind) {
  Json object;
  object["policy"] = verdict.policy.id;
  object["policy_version"] = verdict.policy.version;
  object["policy_hash"] = verdict.policy.hash;
  object["outcome"] = moderation::ToString(verdict.outcome);
  object["reason"] = nullptr;
  if (verdict.outcome == moderation::Outcome::kUndetermined) {
    object["reason"] = moderation::ToString(verdict.reason);
  }
  object["score"] = nullptr;
  if (verdict.score) {
    object["score"] = *verdict.score;
  }
  object["category"] = verdict.category;
  object["rule_ids"] = verdict.rule_ids;
  object["rationale"] = verdict.rationale;
  object["evidence"] = EvidenceJson(verdict, kind);
  object["decided_by"] = verdict.decided_by.layer;
  if (verdict.provisional) {
    object["provisional"] = true;
  }
  Json timings = Json::object();
  for (const auto& [stage, ms] : verdict.timings_ms) {
    timings[stage] = RoundedMs(ms);
  }
  object["timings_ms"] = std::move(timings);
  if (!verdict.view.empty()) {
    object["view"] = verdict.view;
  }
  if (!verdict.detail.empty()) {
    object["detail"] = verdict.detail;
  }
  if (!verdict.notes.empty()) {
    object["notes"] = verdict.notes;
  }
  if (!verdict.confidence.empty()) {
    object["confidence"] = verdict.confidence;
  }
  if (!verdict.reasoning.empty()) {
    object["reasoning"] = verdict.reasoning;
  }
  if (verdict.tokens.prompt > 0) {
    object["tokens"] = {{"prompt", verdict.tokens.prompt},
                        {"cached", verdict.tokens.cached},
                        {"reasoning", verdict.tokens.reasoning},
                        {"answer", verdict.tokens.answer}};
  }
  if (!verdict.path.empty()) {
    object["path"] = PathJson(verdict);
  }
  if (!verdict.decided_by.settings.empty()) {
    object["settings"] = verdict.decided_by.settings;
  }
  if (!verdict.decided_by.model.empty()) {
    object["model"] = verdict.decided_by.model;
  }
  if (!verdict.decided_by.model_hash.empty()) {
    object["model_hash"] = verdict.decided_by.model_hash;
  }
  return object;
}

Json RoutedVerdictJson(const moderation::Verdict& verdict, moderation::Channel channel,
                       moderation::ContentKind kind) {
  Json object = VerdictJson(verdict, kind);
  if (channel != moderation::Channel::kDirect) {
    object["channel"] = moderation::ToString(channel);
  }
  return object;
}

std::string JsonLine(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string JsonText(const Json& object) {
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json RecordJson(const moderation::VerdictRecord& record) {
  Json json = {{"sequence", record.sequence}, {"when", UtcText(record.when)}};
  if (!record.content_id.empty()) {
    json["id"] = record.content_id;
  }
  if (record.content && record.content->kind == moderation::ContentKind::kConversation) {
    json["messages"] = Json::array();
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

Json VersionJson(const VersionInfo& version) {
  Json json = {{"policy", version.policy_id},
               {"version", version.number},
               {"state", ToString(version.state)},
               {"state_since", UtcText(version.state_since)}};
  if (version.state == VersionState::kCanary) {
    json["canary_percent"] = version.canary_percent;
  }
  json["policy_hash"] = version.hash;
  json["golden_hash"] = version.golden_hash;
  json["author"] = version.author;
  json["created"] = UtcText(version.created);
  json["note"] = version.note;
  json["approved_by"] = version.approved_by;
  if (!version.approved_by.empty()) {
    json["approved"] = UtcText(version.approved);
  }
  return json;
}

Json EventJson(const StoreEvent& event) {
  Json json = {{"sequence", event.sequence},
               {"when", UtcText(event.when)},
               {"event", ToString(event.kind)},
               {"policy", event.policy_id}};
  if (event.number != 0) {
    json["version"] = event.number;
  }
  if (event.kind == EventKind::kPublish) {
    json["policy_hash"] = event.hash;
    json["golden_hash"] = event.golden_hash;
  }
  if (event.kind == EventKind::kMove || event.kind == EventKind::kRollback) {
    json["from"] = ToString(event.from);
    json["to"] = ToString(event.to);
  }
  if (event.kind == EventKind::kMove && event.to == VersionState::kCanary) {
    json["canary_percent"] = event.canary_percent;
  }
  if (event.kind == EventKind::kTwoPersonRule) {
    json["two_person"] = event.two_person ? Json(*event.two_person) : Json(nullptr);
  }
  json["who"] = event.who;
  json["why"] = event.why;
  return json;
}

}  // namespace safeguard::http
