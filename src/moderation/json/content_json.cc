#include "moderation/content_json.h"

#include <utility>

#include "moderation/json/json_fields.h"

namespace safeguard::moderation {
namespace json {
namespace {

std::optional<Role> RoleFrom(const std::string& text) {
  for (const Role role :
       {Role::kSystem, Role::kDeveloper, Role::kUser, Role::kAssistant, Role::kTool}) {
    if (text == ToString(role)) {
      return role;
    }
  }
  return std::nullopt;
}

std::optional<ContentKind> KindFrom(const std::string& text) {
  for (const ContentKind kind :
       {ContentKind::kUserMessage, ContentKind::kCompletion, ContentKind::kConversation}) {
    if (text == ToString(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string Dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::unexpected<Error> Unreadable() {
  return Fail(ErrorCode::kCorruptFile, "what was kept of a verdict is damaged",
              "restore the file from a backup");
}

bool HasText(const nlohmann::json& object, const char* field) {
  return object.is_object() && object.contains(field) && object[field].is_string();
}

bool HasNumber(const nlohmann::json& object, const char* field) {
  return object.is_object() && object.contains(field) && object[field].is_number();
}

std::optional<std::vector<std::string>> Texts(const nlohmann::json& object, const char* field) {
  if (!object.is_object() || !object.contains(field) || !object[field].is_array()) {
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const nlohmann::json& item : object[field]) {
    if (!item.is_string()) {
      return std::nullopt;
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

nlohmann::ordered_json ObjectOf(const Content& content) {
  nlohmann::ordered_json messages = nlohmann::ordered_json::array();
  for (const Message& message : content.messages) {
    messages.push_back({{"role", ToString(message.role)}, {"text", message.text}});
  }
  return {{"kind", ToString(content.kind)}, {"messages", std::move(messages)}};
}

Result<Content> ContentOf(const nlohmann::json& object) {
  if (!HasText(object, "kind") || !object.contains("messages") || !object["messages"].is_array()) {
    return Unreadable();
  }
  Content content;
  const std::optional<ContentKind> kind = KindFrom(object["kind"].get<std::string>());
  if (!kind) {
    return Unreadable();
  }
  content.kind = *kind;
  for (const nlohmann::json& message : object["messages"]) {
    if (!HasText(message, "role") || !HasText(message, "text")) {
      return Unreadable();
    }
    const std::optional<Role> role = RoleFrom(message["role"].get<std::string>());
    if (!role) {
      return Unreadable();
    }
    content.messages.push_back({*role, message["text"].get<std::string>()});
  }
  return content;
}

nlohmann::ordered_json ObjectOf(const EarlierVerdict& verdict) {
  nlohmann::ordered_json object = {{"outcome", ToString(verdict.outcome)},
                                   {"reason", ToString(verdict.reason)},
                                   {"rule_ids", verdict.rule_ids},
                                   {"layer", verdict.layer}};
  if (verdict.score) {
    object["score"] = *verdict.score;
  }
  return object;
}

Result<EarlierVerdict> EarlierOf(const nlohmann::json& object) {
  auto rules = Texts(object, "rule_ids");
  if (!HasText(object, "outcome") || !HasText(object, "reason") || !HasText(object, "layer") ||
      !rules) {
    return Unreadable();
  }
  const auto outcome = OutcomeFrom(object["outcome"].get<std::string>());
  const auto reason = UndeterminedReasonFrom(object["reason"].get<std::string>());
  if (!outcome || !reason) {
    return Unreadable();
  }
  EarlierVerdict verdict{*outcome, *reason, std::nullopt, std::move(*rules),
                         object["layer"].get<std::string>()};
  if (HasNumber(object, "score")) {
    verdict.score = object["score"].get<double>();
  }
  return verdict;
}

nlohmann::ordered_json ObjectOf(const PolicyReference& policy) {
  return {{"id", policy.id}, {"version", policy.version}, {"hash", policy.hash}};
}

Result<PolicyReference> PolicyOf(const nlohmann::json& object) {
  if (!HasText(object, "id") || !HasText(object, "version") || !HasText(object, "hash")) {
    return Unreadable();
  }
  return PolicyReference{object["id"].get<std::string>(), object["version"].get<std::string>(),
                         object["hash"].get<std::string>()};
}

}  // namespace json

std::string ContentJson(const Content& content) {
  return json::Dump(json::ObjectOf(content));
}

Result<Content> ContentFromJson(std::string_view text) {
  return json::ContentOf(nlohmann::json::parse(text, nullptr, false));
}

std::string ListJson(const std::vector<std::string>& list) {
  return json::Dump(list);
}

Result<std::vector<std::string>> ListFromJson(std::string_view text) {
  auto list = json::Texts({{"list", nlohmann::json::parse(text, nullptr, false)}}, "list");
  return list ? Result<std::vector<std::string>>(std::move(*list)) : json::Unreadable();
}

std::string EarlierJson(const EarlierVerdict& verdict) {
  return json::Dump(json::ObjectOf(verdict));
}

Result<EarlierVerdict> EarlierFromJson(std::string_view text) {
  return json::EarlierOf(nlohmann::json::parse(text, nullptr, false));
}

}  // namespace safeguard::moderation
