#include "storage/sqlite/content_json.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace safeguard::storage {
namespace {

using moderation::Content;
using moderation::ContentKind;
using moderation::Role;

std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::unexpected<Error> Unreadable() {
  return Fail(ErrorCode::kCorruptFile, "a recorded verdict is damaged",
              "restore verdicts.db from a backup");
}

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

bool HasText(const nlohmann::json& object, const char* field) {
  return object.is_object() && object.contains(field) && object[field].is_string();
}

}  // namespace

std::string ContentJson(const Content& content) {
  nlohmann::json messages = nlohmann::json::array();
  for (const moderation::Message& message : content.messages) {
    messages.push_back({{"role", ToString(message.role)}, {"text", message.text}});
  }
  return Dump({{"kind", ToString(content.kind)}, {"messages", std::move(messages)}});
}

Result<Content> ContentFromJson(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!HasText(json, "kind") || !json.contains("messages") || !json["messages"].is_array()) {
    return Unreadable();
  }
  Content content;
  const std::optional<ContentKind> kind = KindFrom(json["kind"].get<std::string>());
  if (!kind) {
    return Unreadable();
  }
  content.kind = *kind;
  for (const nlohmann::json& message : json["messages"]) {
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

std::string ListJson(const std::vector<std::string>& list) {
  return Dump(list);
}

Result<std::vector<std::string>> ListFromJson(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) {
    return Unreadable();
  }
  std::vector<std::string> list;
  for (const nlohmann::json& item : json) {
    if (!item.is_string()) {
      return Unreadable();
    }
    list.push_back(item.get<std::string>());
  }
  return list;
}

std::string EarlierJson(const moderation::EarlierVerdict& verdict) {
  nlohmann::json json = {{"outcome", ToString(verdict.outcome)},
                         {"reason", ToString(verdict.reason)},
                         {"rule_ids", verdict.rule_ids},
                         {"layer", verdict.layer}};
  if (verdict.score) {
    json["score"] = *verdict.score;
  }
  return Dump(json);
}

Result<moderation::EarlierVerdict> EarlierFromJson(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!HasText(json, "outcome") || !HasText(json, "reason") || !HasText(json, "layer") ||
      !json.contains("rule_ids") || (json.contains("score") && !json["score"].is_number())) {
    return Unreadable();
  }
  const auto outcome = moderation::OutcomeFrom(json["outcome"].get<std::string>());
  const auto reason = moderation::UndeterminedReasonFrom(json["reason"].get<std::string>());
  Result<std::vector<std::string>> rules = ListFromJson(json["rule_ids"].dump());
  if (!outcome || !reason || !rules) {
    return Unreadable();
  }
  moderation::EarlierVerdict verdict{*outcome, *reason, std::nullopt, std::move(*rules),
                                     json["layer"].get<std::string>()};
  if (json.contains("score")) {
    verdict.score = json["score"].get<double>();
  }
  return verdict;
}

}  // namespace safeguard::storage
