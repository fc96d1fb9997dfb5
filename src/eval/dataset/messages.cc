#include "eval/dataset/messages.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "eval/dataset.h"
#include "eval/dataset/field_names.h"

namespace safeguard::eval {
namespace {

using moderation::Role;

std::optional<Role> ReadRole(std::string_view written) {
  const std::string role = NormalFieldName(written);
  if (role == "user" || role == "human" || role == "customer") {
    return Role::kUser;
  }
  if (role == "assistant" || role == "gpt" || role == "bot" || role == "model" || role == "ai") {
    return Role::kAssistant;
  }
  if (role == "system") {
    return Role::kSystem;
  }
  if (role == "developer") {
    return Role::kDeveloper;
  }
  if (role == "tool" || role == "function") {
    return Role::kTool;
  }
  return std::nullopt;
}

const nlohmann::json* Member(const nlohmann::json& object, std::string_view a, std::string_view b) {
  for (const std::string_view name : {a, b}) {
    const auto found = object.find(name);
    if (found != object.end()) {
      return &*found;
    }
  }
  return nullptr;
}

Result<std::string> ReadMessageText(const nlohmann::json& content) {
  if (content.is_string()) {
    return content.get<std::string>();
  }
  if (content.is_null()) {
    return std::string();  // an assistant turn that only calls a tool
  }
  if (!content.is_array()) {
    return Fail(ErrorCode::kInvalidInput, "the content of a message is not a text");
  }
  std::string text;
  for (const nlohmann::json& part : content) {
    const nlohmann::json* part_text = part.is_object() ? Member(part, "text", "text") : nullptr;
    if (part_text == nullptr || !part_text->is_string()) {
      return Fail(ErrorCode::kInvalidInput, "a message has a part that is not text",
                  "only text can be judged; leave the part out or describe it in words");
    }
    text += (text.empty() ? "" : "\n") + part_text->get<std::string>();
  }
  return text;
}

Result<moderation::Message> ReadMessage(const nlohmann::json& value) {
  const nlohmann::json* role = value.is_object() ? Member(value, "role", "from") : nullptr;
  const nlohmann::json* content = value.is_object() ? Member(value, "content", "value") : nullptr;
  if (role == nullptr || !role->is_string() || content == nullptr) {
    return Fail(ErrorCode::kInvalidInput, "a message is not {\"role\": ..., \"content\": ...}");
  }
  const std::optional<Role> known = ReadRole(role->get_ref<const std::string&>());
  if (!known) {
    return Fail(ErrorCode::kInvalidInput,
                "a message has the unknown role \"" +
                    role->get_ref<const std::string&>().substr(0, 40) + "\"",
                "use system, developer, user, assistant or tool");
  }
  Result<std::string> text = ReadMessageText(*content);
  if (!text) {
    return std::unexpected(text.error());
  }
  return moderation::Message{.role = *known, .text = std::move(*text)};
}

}  // namespace

Result<std::vector<moderation::Message>> ReadChatMessages(const nlohmann::json& value) {
  if (!value.is_array() || value.empty()) {
    return Fail(ErrorCode::kInvalidInput, "the messages are not a list of at least one message",
                "write [{\"role\": \"user\", \"content\": \"...\"}, ...]");
  }
  if (value.size() > kMessagesMax) {
    return Fail(ErrorCode::kLimit,
                "the conversation has " + std::to_string(value.size()) + " messages, over " +
                    std::to_string(kMessagesMax),
                "split it");
  }
  std::vector<moderation::Message> messages;
  messages.reserve(value.size());
  for (const nlohmann::json& item : value) {
    Result<moderation::Message> message = ReadMessage(item);
    if (!message) {
      return std::unexpected(message.error());
    }
    messages.push_back(std::move(*message));
  }
  return messages;
}

}  // namespace safeguard::eval
