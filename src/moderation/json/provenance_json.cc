#include <utility>

#include "base/json_depth.h"
#include "moderation/json/json_fields.h"
#include "moderation/receipt.h"

namespace safeguard::moderation {
namespace json {
namespace {

nlohmann::ordered_json StepJson(const LayerStep& step) {
  nlohmann::ordered_json object = {{"layer", step.layer},
                                   {"name", step.name},
                                   {"outcome", ToString(step.outcome)},
                                   {"reason", ToString(step.reason)},
                                   {"why", step.why}};
  if (step.score) {
    object["score"] = *step.score;
  }
  return object;
}

Result<LayerStep> StepOf(const nlohmann::json& object) {
  LayerStep step;
  for (const auto& [field, value] : {std::pair{"layer", &step.layer}, std::pair{"name", &step.name},
                                     std::pair{"why", &step.why}}) {
    if (!HasText(object, field)) {
      return Unreadable();
    }
    *value = object[field].get<std::string>();
  }
  if (!HasText(object, "outcome") || !HasText(object, "reason")) {
    return Unreadable();
  }
  const auto outcome = OutcomeFrom(object["outcome"].get<std::string>());
  const auto reason = UndeterminedReasonFrom(object["reason"].get<std::string>());
  if (!outcome || !reason) {
    return Unreadable();
  }
  step.outcome = *outcome;
  step.reason = *reason;
  if (HasNumber(object, "score")) {
    step.score = object["score"].get<double>();
  }
  return step;
}

Result<std::map<std::string, std::string>> MapOf(const nlohmann::json& object, const char* field) {
  if (!object.is_object() || !object.contains(field) || !object[field].is_object()) {
    return Unreadable();
  }
  std::map<std::string, std::string> map;
  for (const auto& [key, value] : object[field].items()) {
    if (!value.is_string()) {
      return Unreadable();
    }
    map[key] = value.get<std::string>();
  }
  return map;
}

}  // namespace

nlohmann::ordered_json ObjectOf(const Provenance& provenance) {
  nlohmann::ordered_json path = nlohmann::ordered_json::array();
  for (const LayerStep& step : provenance.path) {
    path.push_back(StepJson(step));
  }
  nlohmann::ordered_json object = {{"settings", nlohmann::ordered_json::object()},
                                   {"path", std::move(path)}};
  for (const auto& [name, value] : provenance.settings) {
    object["settings"][name] = value;
  }
  return object;
}

Result<Provenance> ProvenanceOf(const nlohmann::json& object) {
  Result<std::map<std::string, std::string>> settings = MapOf(object, "settings");
  if (!settings || !object.contains("path") || !object["path"].is_array()) {
    return Unreadable();
  }
  Provenance provenance{std::move(*settings), {}, ""};
  for (const nlohmann::json& item : object["path"]) {
    Result<LayerStep> step = StepOf(item);
    if (!step) {
      return std::unexpected(step.error());
    }
    provenance.path.push_back(std::move(*step));
  }
  return provenance;
}

}  // namespace json

namespace {

constexpr const char* kJointPolicies = "joint_policies";

std::unexpected<Error> NoPolicies() {
  return Fail(ErrorCode::kInvalidInput, "the policies of the prompt cannot be read",
              "give the receipt as it was exported");
}

}  // namespace

std::pair<std::string, std::string> JointPoliciesSetting(std::span<const Policy* const> policies) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Policy* policy : policies) {
    list.push_back({{"id", policy->id}, {"hash", policy->hash}});
  }
  return {kJointPolicies, json::Dump(list)};
}

Result<std::vector<PolicyReference>> JointPoliciesOf(
    const std::map<std::string, std::string>& settings) {
  std::vector<PolicyReference> policies;
  const auto setting = settings.find(kJointPolicies);
  if (setting == settings.end()) {
    return policies;
  }
  const bool readable = JsonDepth(setting->second) <= 2;
  const auto list = nlohmann::json::parse(readable ? setting->second : "", nullptr, false);
  if (!list.is_array() || list.empty() || list.size() > kJointPoliciesMax) {
    return NoPolicies();
  }
  for (const nlohmann::json& policy : list) {
    if (!json::HasText(policy, "id") || !json::HasText(policy, "hash")) {
      return NoPolicies();
    }
    policies.push_back({policy["id"].get<std::string>(), "", policy["hash"].get<std::string>()});
  }
  return policies;
}

std::string ProvenanceJson(const Provenance& provenance) {
  return json::Dump(json::ObjectOf(provenance));
}

Result<Provenance> ProvenanceFromJson(std::string_view text) {
  return json::ProvenanceOf(nlohmann::json::parse(text, nullptr, false));
}

}  // namespace safeguard::moderation
