// What OpenAI's clients ask a model, as a question for ChatModel. A field that would change the
// answer and is not understood is a problem, never ignored.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "http/chat_model.h"
#include "http/json_fields.h"
#include "http/problem.h"

namespace safeguard::http {

inline constexpr std::size_t kChatTokensMax = 131'072;

struct ChatRequest {
  ChatQuestion question;
  std::string model;
  bool stream = false;
  bool include_usage = false;  // in the stream's last chunk
  bool include_reasoning = true;
};

// The body of /v1/chat/completions.
OrProblem<ChatRequest> ReadChatRequest(const nlohmann::json& body);
// The body of /v1/responses.
OrProblem<ChatRequest> ReadResponsesRequest(const nlohmann::json& body);

// The text of a message: a string, or parts that are all text ("text", "input_text",
// "output_text"). Pictures, sounds and files are problems.
OrProblem<std::string> ContentText(const nlohmann::json& content, const std::string& pointer);
// system, developer, user, assistant, tool.
std::optional<moderation::Role> ChatRole(std::string_view name);
// The whole number at `name`, 0..max; a problem when it is another thing.
std::optional<std::size_t> WholeNumber(Fields& fields, const std::string& name, std::size_t min,
                                       std::size_t max);

}  // namespace safeguard::http
