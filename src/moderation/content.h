// Content: what is judged. A user message, an assistant completion, or a whole conversation.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace safeguard::moderation {

enum class Role { kSystem, kDeveloper, kUser, kAssistant, kTool };

struct Message {
  Role role = Role::kUser;
  std::string text;  // valid UTF-8; repair at the edge (base/utf8.h)
};

enum class ContentKind { kUserMessage, kCompletion, kConversation };

struct Content {
  ContentKind kind = ContentKind::kUserMessage;
  std::vector<Message> messages;  // exactly one unless kind is kConversation
  std::string id;                 // the caller's name for it; may be empty
  std::string surface;            // "comment", "dm", "review", "bio", ...; may be empty
  std::string language;           // BCP 47; empty when unknown
};

Content UserMessage(std::string text);
Content Completion(std::string text);

// Bytes of text over all messages.
std::size_t TextBytes(const Content& content);

// Whether no message holds anything but white space.
bool IsBlank(const Content& content);

const char* ToString(Role role);
const char* ToString(ContentKind kind);

}  // namespace safeguard::moderation
