#include "apps/output/verdict_json.h"

#include <cmath>

namespace safeguard::apps {
namespace {

using Json = nlohmann::ordered_json;

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

}  // namespace safeguard::apps
