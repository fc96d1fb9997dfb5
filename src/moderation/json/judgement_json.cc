#include <utility>

#include "base/hash.h"
#include "base/utc_time.h"
#include "moderation/json/json_fields.h"
#include "moderation/judgement_job.h"

namespace safeguard::moderation {
namespace {

using json::HasText;
using Object = nlohmann::ordered_json;

// What is judged under what: the same for the same question, whatever was answered meanwhile.
std::string FingerprintOf(const Judgement& judgement) {
  std::string text = ContentHash(judgement.content) + " " + judgement.webhook;
  for (const JudgedPolicy& policy : judgement.policies) {
    text += "\n" + policy.policy.id + " " + policy.policy.hash;
  }
  // What a route puts off is told apart by its key, and always was.
  if (!judgement.route.empty() && judgement.why == ToString(DeferReason::kAsked)) {
    text += "\nroute " + judgement.route;
  }
  return Blake2bHex(text);
}

Result<JudgedPolicy> JudgedPolicyOf(const nlohmann::json& object) {
  if (!object.is_object() || !object.contains("policy") || !object.contains("provisional") ||
      !HasText(object, "text") || !HasText(object, "channel")) {
    return json::Unreadable();
  }
  Result<PolicyReference> policy = json::PolicyOf(object["policy"]);
  Result<EarlierVerdict> provisional = json::EarlierOf(object["provisional"]);
  const auto channel = ChannelFrom(object["channel"].get<std::string>());
  if (!policy || !provisional || !channel) {
    return json::Unreadable();
  }
  return JudgedPolicy{std::move(*policy), object["text"].get<std::string>(), *channel,
                      std::move(*provisional)};
}

Object VerdictObject(const EarlierVerdict& verdict) {
  Object object = {{"outcome", ToString(verdict.outcome)}, {"reason", nullptr}};
  if (verdict.outcome == Outcome::kUndetermined) {
    object["reason"] = ToString(verdict.reason);
  }
  object["score"] = nullptr;
  if (verdict.score) {
    object["score"] = *verdict.score;
  }
  object["rule_ids"] = verdict.rule_ids;
  object["decided_by"] = verdict.layer;
  return object;
}

void AddPolicy(const PolicyReference& policy, Object& object) {
  object["policy"] = policy.id;
  object["policy_version"] = policy.version;
  object["policy_hash"] = policy.hash;
}

Object FinalObject(const VerdictRecord& record) {
  Object object;
  AddPolicy(record.policy, object);
  object.update(
      VerdictObject({record.outcome, record.reason, record.score, record.rule_ids, record.layer}));
  object["category"] = record.category;
  object["model"] = record.model;
  if (record.provisional) {
    const VerdictChange change = ChangeFrom(*record.provisional, record);
    object["provisional"] = VerdictObject(*record.provisional);
    object["changed"] = {{"outcome", change.outcome}, {"score", nullptr}};
    if (change.score) {
      object["changed"]["score"] = *change.score;
    }
    object["changed"]["rules_added"] = change.rules_added;
    object["changed"]["rules_dropped"] = change.rules_dropped;
  }
  return object;
}

Object EventObject(const char* type, const Job& job, TimeMs now) {
  Object data = {{"job", job.id}};
  if (!job.what.key.empty()) {
    data["key"] = job.what.key;
  }
  return {{"type", type}, {"timestamp", UtcText(now)}, {"data", std::move(data)}};
}

}  // namespace

Result<NewJob> JobOf(const Judgement& judgement) {
  if (judgement.policies.empty() || judgement.policies.size() > kJudgementPoliciesMax) {
    return Fail(ErrorCode::kLimit, "a judgement is put off under 1 to " +
                                       std::to_string(kJudgementPoliciesMax) + " policies");
  }
  if (judgement.webhook.size() > kWebhookUrlBytesMax) {
    return Fail(ErrorCode::kLimit,
                "a webhook's URL has at most " + std::to_string(kWebhookUrlBytesMax) + " bytes");
  }
  Object policies = Object::array();
  for (const JudgedPolicy& policy : judgement.policies) {
    policies.push_back({{"policy", json::ObjectOf(policy.policy)},
                        {"text", policy.text},
                        {"channel", ToString(policy.channel)},
                        {"provisional", json::ObjectOf(policy.provisional)}});
  }
  Object object = json::ObjectOf(judgement.content);
  object["id"] = judgement.content.id;
  object["surface"] = judgement.content.surface;
  object["language"] = judgement.content.language;
  object["policies"] = std::move(policies);
  object["webhook"] = judgement.webhook;
  object["route"] = judgement.route;
  object["route_file"] = judgement.route_file;
  object["why"] = judgement.why;
  object["audit_weight"] = judgement.audit_weight;
  object["keep_content"] = judgement.keep_content;
  NewJob job{.kind = kJudgeJob, .payload = json::Dump(object)};
  job.fingerprint = FingerprintOf(judgement);
  return job;
}

Result<Judgement> JudgementFromJson(std::string_view payload) {
  const nlohmann::json object = nlohmann::json::parse(payload, nullptr, false);
  Judgement judgement;
  Result<Content> content = json::ContentOf(object);
  if (!content) {
    return std::unexpected(content.error());
  }
  judgement.content = std::move(*content);
  for (const auto& [field, value] :
       {std::pair{"id", &judgement.content.id}, std::pair{"surface", &judgement.content.surface},
        std::pair{"language", &judgement.content.language},
        std::pair{"webhook", &judgement.webhook}, std::pair{"route", &judgement.route},
        std::pair{"why", &judgement.why}}) {
    if (!HasText(object, field)) {
      return json::Unreadable();
    }
    *value = object[field].get<std::string>();
  }
  if (object.contains("route_file")) {  // queues written before it had one have none
    if (!HasText(object, "route_file")) {
      return json::Unreadable();
    }
    judgement.route_file = object["route_file"].get<std::string>();
  }
  if (!json::HasNumber(object, "audit_weight") || !object.contains("keep_content") ||
      !object["keep_content"].is_boolean() || !object.contains("policies") ||
      !object["policies"].is_array() || object["policies"].empty() ||
      object["policies"].size() > kJudgementPoliciesMax) {
    return json::Unreadable();
  }
  judgement.audit_weight = object["audit_weight"].get<double>();
  judgement.keep_content = object["keep_content"].get<bool>();
  for (const nlohmann::json& item : object["policies"]) {
    Result<JudgedPolicy> policy = JudgedPolicyOf(item);
    if (!policy) {
      return std::unexpected(policy.error());
    }
    judgement.policies.push_back(std::move(*policy));
  }
  return judgement;
}

std::string NoticeJson(const Notice& notice) {
  return json::Dump({{"url", notice.url}, {"id", notice.id}, {"body", notice.body}});
}

Result<Notice> NoticeFromJson(std::string_view payload) {
  const nlohmann::json object = nlohmann::json::parse(payload, nullptr, false);
  if (!HasText(object, "url") || !HasText(object, "id") || !HasText(object, "body")) {
    return json::Unreadable();
  }
  return Notice{object["url"].get<std::string>(), object["id"].get<std::string>(),
                object["body"].get<std::string>()};
}

std::string FinalEventJson(const Job& job, const std::vector<VerdictRecord>& records, TimeMs now) {
  Object event = EventObject("verdict.final", job, now);
  Object verdicts = Object::array();
  for (const VerdictRecord& record : records) {
    if (verdicts.empty()) {
      event["data"]["content"] = {{"id", record.content_id}, {"hash", record.content_hash}};
    }
    verdicts.push_back(FinalObject(record));
  }
  event["data"]["verdicts"] = std::move(verdicts);
  return json::Dump(event);
}

std::string AbandonedEventJson(const Job& job, const Judgement& judgement, std::string_view problem,
                               TimeMs now) {
  Object event = EventObject("verdict.abandoned", job, now);
  event["data"]["content"] = {{"id", judgement.content.id},
                              {"hash", ContentHash(judgement.content)}};
  event["data"]["problem"] = problem;
  Object verdicts = Object::array();
  for (const JudgedPolicy& policy : judgement.policies) {
    Object object;
    AddPolicy(policy.policy, object);
    object["provisional"] = VerdictObject(policy.provisional);
    verdicts.push_back(std::move(object));
  }
  event["data"]["verdicts"] = std::move(verdicts);
  return json::Dump(event);
}

}  // namespace safeguard::moderation
