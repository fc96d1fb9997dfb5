#include "moderation/content.h"

#include <utility>

namespace safeguard::moderation {
namespace {

Content Single(ContentKind kind, Role role, std::string text) {
  Content content;
  content.kind = kind;
  content.messages.push_back({role, std::move(text)});
  return content;
}

}  // namespace

Content UserMessage(std::string text) {
  return Single(ContentKind::kUserMessage, Role::kUser, std::move(text));
}

Content Completion(std::string text) {
  return Single(ContentKind::kCompletion, Role::kAssistant, std::move(text));
}

std::size_t TextBytes(const Content& content) {
  std::size_t bytes = 0;
  for (const Message& message : content.messages) {
    bytes += message.text.size();
  }
  return bytes;
}

bool IsBlank(const Content& content) {
  for (const Message& message : content.messages) {
    if (message.text.find_first_not_of(" \t\r\n\v\f") != std::string::npos) {
      return false;
    }
  }
  return true;
}

const char* ToString(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kDeveloper:
      return "developer";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
    case Role::kTool:
      return "tool";
  }
  return "unknown";
}

const char* ToString(ContentKind kind) {
  switch (kind) {
    case ContentKind::kUserMessage:
      return "user_message";
    case ContentKind::kCompletion:
      return "completion";
    case ContentKind::kConversation:
      return "conversation";
  }
  return "unknown";
}

}  // namespace safeguard::moderation
