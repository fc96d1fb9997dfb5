#include "http/api/chat_input.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "http/json_input.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::json;
using moderation::Message;
using moderation::Role;

constexpr std::size_t kTextBytesMax = std::size_t{4} << 20;
constexpr std::size_t kTopLogprobsMax = 20;

Problem Invalid(std::string pointer, std::string detail, std::string hint) {
  return {400, "invalid-request", std::move(detail), std::move(hint), std::move(pointer)};
}

// Fields that say who asks and what becomes of it: they change no answer.
void SkipBookkeeping(Fields& fields) {
  for (const char* name :
       {"user", "safety_identifier", "metadata", "prompt_cache_key", "service_tier"}) {
    fields.Get(name);
  }
  if (fields.Flag("store")) {
    fields.Fault("store", "is true, and this service keeps no answers", "leave it out");
  }
}

void ReadSampling(Fields& fields, ChatQuestion& question) {
  question.temperature = fields.Number("temperature", 0, 2).value_or(1);
  question.top_p = fields.Number("top_p", 0, 1).value_or(1);
  if (question.top_p == 0) {
    fields.Fault("top_p", "is 0", "give a temperature of 0 for the likeliest tokens");
  }
}

void ReadEffort(Fields& fields, const std::string& name, ChatQuestion& question) {
  const std::string effort = fields.Text(name, kNameBytesMax);
  if (effort == "low") {
    question.effort = ChatEffort::kLow;
  } else if (effort == "high") {
    question.effort = ChatEffort::kHigh;
  } else if (!effort.empty() && effort != "medium") {
    fields.Fault(name, "is none that this model knows", "there are: low, medium, high");
  }
}

// {"type": "json_schema", "json_schema": {...}}, or flat as /v1/responses has it.
void ReadFormat(const Json& format, const std::string& pointer, bool flat, Fields& outer,
                ChatQuestion& question) {
  if (!format.is_object()) {
    outer.Fault(
        Invalid(pointer, "the format is no object", R"(give {"type": "json_schema", ...})"));
    return;
  }
  Fields fields(format, pointer);
  const std::string type = fields.Text("type", kNameBytesMax);
  if (type == "json_object") {
    fields.Fault("type", "is json_object, which says nothing of the answer's fields",
                 "give a json_schema");
  } else if (type != "text" && type != "json_schema") {
    fields.Fault("type", "is none that is known", "there are: text, json_schema");
  }
  const Json* schema = &format;
  if (type == "json_schema" && !flat) {
    schema = fields.Get("json_schema");
    if (schema == nullptr || !schema->is_object()) {
      fields.Fault("json_schema", "is no object", R"(give {"name": "verdict", "schema": {...}})");
      schema = nullptr;
    }
  }
  if (type == "json_schema" && schema != nullptr) {
    Fields own(*schema, flat ? pointer : pointer + "/json_schema");
    Fields& where = flat ? fields : own;
    question.format.kind = ChatFormat::Kind::kJsonSchema;
    question.format.name = where.Text("name", kNameBytesMax);
    question.format.description = where.Text("description", 4096);
    where.Flag("strict");  // it always is
    const Json* text = where.Get("schema");
    if (text == nullptr || !text->is_object()) {
      where.Fault("schema", "is no object", "give a JSON Schema");
    } else {
      question.format.schema = text->dump();
    }
    if (std::optional<Problem> problem = flat ? std::nullopt : own.End()) {
      outer.Fault(std::move(*problem));
    }
  }
  if (std::optional<Problem> problem = fields.End()) {
    outer.Fault(std::move(*problem));
  }
}

// Fields that only a message which a model once gave has; they must say nothing.
void SkipEmptyFields(Fields& message) {
  for (const char* name : {"refusal", "annotations", "audio", "function_call", "tool_calls"}) {
    const Json* value = message.Get(name);
    if (value != nullptr && !value->empty()) {
      message.Fault(name, "is not understood by this model", "leave it out");
    }
  }
  for (const char* name : {"reasoning", "reasoning_content"}) {
    message.Get(name);  // of an earlier turn: the format has the model not see it again
  }
}

void ReadChatMessages(const Json* list, Fields& fields, ChatQuestion& question) {
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > kMessagesMax) {
    fields.Fault("messages", "is no list of 1 to " + std::to_string(kMessagesMax) + " messages",
                 R"(give the policy as "system" and the content as "user")");
    return;
  }
  for (std::size_t m = 0; m < list->size(); ++m) {
    const std::string place = "/messages/" + std::to_string(m);
    const Json& object = (*list)[m];
    if (!object.is_object()) {
      fields.Fault(Invalid(place, "a message is no object", R"(give {"role", "content"})"));
      return;
    }
    Fields message(object, place);
    const std::optional<Role> role = ChatRole(message.Text("role", kNameBytesMax));
    if (!role || *role == Role::kTool) {
      message.Fault("role", "is none that this model understands",
                    "there are: system, developer, user, assistant");
    }
    const Json* content = message.Get("content");
    OrProblem<std::string> text =
        ContentText(content == nullptr ? Json() : *content, place + "/content");
    if (!text) {
      message.Fault(text.error());
    }
    if (role == Role::kAssistant) {
      SkipEmptyFields(message);
    }
    if (std::optional<Problem> problem = message.End()) {
      fields.Fault(std::move(*problem));
      return;
    }
    question.messages.push_back({*role, std::move(*text)});
  }
}

void ReadInputItems(const Json& list, Fields& fields, ChatQuestion& question) {
  if (!list.is_array() || list.empty() || list.size() > kMessagesMax) {
    fields.Fault("input", "is no text and no list of 1 to " + std::to_string(kMessagesMax),
                 "give the content to judge");
    return;
  }
  for (std::size_t m = 0; m < list.size(); ++m) {
    const std::string place = "/input/" + std::to_string(m);
    if (!list[m].is_object()) {
      fields.Fault(Invalid(place, "an item is no object", R"(give {"role", "content"})"));
      return;
    }
    Fields item(list[m], place);
    const std::string type = item.Text("type", kNameBytesMax);
    if (type == "reasoning") {
      continue;  // of an earlier turn, as above
    }
    if (!type.empty() && type != "message") {
      item.Fault("type", "is none that this model understands", "there are: message");
    }
    item.Get("id");
    item.Get("status");
    const std::optional<Role> role = ChatRole(item.Text("role", kNameBytesMax));
    if (!role || *role == Role::kTool) {
      item.Fault("role", "is none that this model understands",
                 "there are: system, developer, user, assistant");
    }
    const Json* content = item.Get("content");
    OrProblem<std::string> text =
        ContentText(content == nullptr ? Json() : *content, place + "/content");
    if (!text) {
      item.Fault(text.error());
    }
    if (std::optional<Problem> problem = item.End()) {
      fields.Fault(std::move(*problem));
      return;
    }
    question.messages.push_back({*role, std::move(*text)});
  }
}

// A policy alone, or a content without one, is a mistake that should not look like an answer.
void CheckMessages(const char* field, Fields& fields, const ChatQuestion& question) {
  if (std::ranges::find(question.messages, Role::kUser, &Message::role) ==
      question.messages.end()) {
    fields.Fault(field, "holds no message of the user",
                 "give the content to judge as a message of the user");
  }
}

}  // namespace

std::optional<Role> ChatRole(std::string_view name) {
  for (const Role role :
       {Role::kSystem, Role::kDeveloper, Role::kUser, Role::kAssistant, Role::kTool}) {
    if (name == ToString(role)) {
      return role;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> WholeNumber(Fields& fields, const std::string& name, std::size_t min,
                                       std::size_t max) {
  const std::optional<double> number =
      fields.Number(name, static_cast<double>(min), static_cast<double>(max));
  if (number && *number != std::floor(*number)) {
    fields.Fault(name, "is no whole number", "give a whole number");
    return std::nullopt;
  }
  return number ? std::optional(static_cast<std::size_t>(*number)) : std::nullopt;
}

OrProblem<std::string> ContentText(const Json& content, const std::string& pointer) {
  if (content.is_string()) {
    return content.get<std::string>();
  }
  if (!content.is_array() || content.empty() || content.size() > kMessagesMax) {
    return std::unexpected(
        Invalid(pointer, "the content is no text and no list of parts", "give a text"));
  }
  std::string text;
  for (std::size_t p = 0; p < content.size(); ++p) {
    const Json& part = content[p];
    const std::string place = pointer + "/" + std::to_string(p);
    const bool typed = part.is_object() && part.contains("type") && part["type"].is_string();
    const std::string type = typed ? part["type"].get<std::string>() : "";
    if (type != "text" && type != "input_text" && type != "output_text") {
      return std::unexpected(Invalid(place, "a part is no text",
                                     "send text alone; what cannot be read must not pass as read"));
    }
    if (!part.contains("text") || !part["text"].is_string()) {
      return std::unexpected(Invalid(place + "/text", "a part has no text", "give a string"));
    }
    text += (p == 0 ? "" : "\n") + part["text"].get<std::string>();
  }
  return text;
}

OrProblem<ChatRequest> ReadChatRequest(const Json& body) {
  Fields fields(body, "");
  ChatRequest request;
  ChatQuestion& question = request.question;
  request.model = fields.Text("model", kNameBytesMax);
  ReadChatMessages(fields.Get("messages"), fields, question);
  CheckMessages("messages", fields, question);
  ReadEffort(fields, "reasoning_effort", question);
  ReadSampling(fields, question);
  if (const auto seed = WholeNumber(fields, "seed", 0, std::size_t{1} << 53)) {
    question.seed = *seed;
  }
  const auto tokens = WholeNumber(fields, "max_completion_tokens", 1, kChatTokensMax);
  const auto older = WholeNumber(fields, "max_tokens", 1, kChatTokensMax);
  question.tokens_max = tokens.value_or(older.value_or(question.tokens_max));
  question.logprobs = fields.Flag("logprobs");
  const auto top = WholeNumber(fields, "top_logprobs", 0, kTopLogprobsMax);
  question.top_logprobs = top.value_or(0);
  if (question.top_logprobs > 0 && !question.logprobs) {
    fields.Fault("top_logprobs", "goes with \"logprobs\": true", "give both");
  }
  if (const Json* format = fields.Get("response_format")) {
    ReadFormat(*format, "/response_format", false, fields, question);
  }
  request.stream = fields.Flag("stream");
  request.include_reasoning =
      fields.Get("include_reasoning") == nullptr || fields.Flag("include_reasoning");
  if (const Json* options = fields.Get("stream_options")) {
    Fields own(*options, "/stream_options");
    request.include_usage = own.Flag("include_usage");
    own.Flag("include_obfuscation");  // there is none
    if (std::optional<Problem> problem =
            options->is_object() ? own.End()
                                 : std::optional(Invalid("/stream_options", "is no object", ""))) {
      fields.Fault(std::move(*problem));
    }
  }
  if (WholeNumber(fields, "n", 1, 128).value_or(1) != 1) {
    fields.Fault("n", "is more than 1", "ask once for each answer");
  }
  SkipBookkeeping(fields);
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return request;
}

OrProblem<ChatRequest> ReadResponsesRequest(const Json& body) {
  Fields fields(body, "");
  ChatRequest request;
  ChatQuestion& question = request.question;
  request.model = fields.Text("model", kNameBytesMax);
  const std::string instructions = fields.Text("instructions", kTextBytesMax);
  if (!instructions.empty()) {
    question.messages.push_back({Role::kDeveloper, instructions});
  }
  const Json* input = fields.Get("input");
  if (input != nullptr && input->is_string()) {
    question.messages.push_back({Role::kUser, input->get<std::string>()});
  } else {
    ReadInputItems(input == nullptr ? Json() : *input, fields, question);
  }
  CheckMessages("input", fields, question);
  if (const Json* reasoning = fields.Get("reasoning")) {
    Fields own(*reasoning, "/reasoning");
    if (reasoning->is_object()) {
      ReadEffort(own, "effort", question);
      own.Get("summary");  // the reasoning itself is given
    }
    if (std::optional<Problem> problem =
            reasoning->is_object() ? own.End()
                                   : std::optional(Invalid("/reasoning", "is no object", ""))) {
      fields.Fault(std::move(*problem));
    }
  }
  ReadSampling(fields, question);
  question.tokens_max =
      WholeNumber(fields, "max_output_tokens", 1, kChatTokensMax).value_or(question.tokens_max);
  if (const Json* text = fields.Get("text")) {
    Fields own(*text, "/text");
    const Json* format = text->is_object() ? own.Get("format") : nullptr;
    if (format != nullptr) {
      ReadFormat(*format, "/text/format", true, fields, question);
    }
    if (std::optional<Problem> problem =
            text->is_object() ? own.End() : std::optional(Invalid("/text", "is no object", ""))) {
      fields.Fault(std::move(*problem));
    }
  }
  request.stream = fields.Flag("stream");
  SkipBookkeeping(fields);
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return request;
}

}  // namespace safeguard::http
