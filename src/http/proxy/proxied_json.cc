#include "http/proxy/proxied_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "http/api/chat_input.h"
#include "http/guard/json_event.h"
#include "http/json_fields.h"
#include "http/json_input.h"
#include "http/proxy/judgeable_text.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using guard::WireFormat;
using moderation::Content;
using moderation::Role;

// Fields whose strings are prose, of any length and any letters.
constexpr std::array<std::string_view, 14> kTextKeys = {
    "content",           "text",      "input",    "refusal",         "reasoning",
    "reasoning_content", "output",    "thinking", "system",          "instructions",
    "description",       "arguments", "title",    "prompt_cache_key"};

// Kinds of parts, items and tools that are all text.
constexpr std::array<std::string_view, 31> kTextTypes = {"text",
                                                         "input_text",
                                                         "output_text",
                                                         "refusal",
                                                         "message",
                                                         "function_call",
                                                         "function_call_output",
                                                         "reasoning",
                                                         "custom",
                                                         "function",
                                                         "summary_text",
                                                         "reasoning_text",
                                                         "tool_use",
                                                         "tool_result",
                                                         "thinking",
                                                         "ephemeral",
                                                         "json_schema",
                                                         "object",
                                                         "string",
                                                         "number",
                                                         "integer",
                                                         "boolean",
                                                         "array",
                                                         "null",
                                                         "json_object",
                                                         "enabled",
                                                         "disabled",
                                                         "auto",
                                                         "any",
                                                         "tool",
                                                         "none"};

// Fields that bring in what this service does not see, or take the answer elsewhere.
constexpr std::array<std::string_view, 12> kUnseenKeys = {
    "previous_response_id", "conversation",       "prompt",      "audio",
    "prediction",           "container",          "mcp_servers", "background",
    "modalities",           "web_search_options", "file_ids",    "functions"};

bool Has(std::span<const std::string_view> list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

Problem Unsupported(const std::string& pointer, const std::string& what) {
  return {400, "unsupported-content", what + " cannot be judged here",
          "send text alone; what cannot be read must not pass as read", pointer};
}

// Moves every prose string of `value` to `texts`; what stays is for guard::CollectFields.
void TakeProse(Json& value, std::string_view key, std::vector<std::string>& texts) {
  if (value.is_string() && Has(kTextKeys, key)) {
    std::string text = value.get<std::string>();
    if (key == "arguments") {
      const std::string plain = guard::Unescaped(text);
      text += plain == text ? "" : "\n" + plain;
    }
    if (!text.empty()) {
      texts.push_back(std::move(text));
    }
    value = "";
    return;
  }
  if (value.is_array()) {
    for (Json& item : value) {
      TakeProse(item, key, texts);
    }
  } else if (value.is_object()) {
    for (auto it = value.begin(); it != value.end(); ++it) {
      TakeProse(it.value(), it.key(), texts);
    }
  }
}

// All text of `value`, in its order but for prose first; an error for what cannot be judged.
Result<std::string> TextOf(Json value) {
  std::vector<std::string> texts;
  TakeProse(value, "", texts);
  std::vector<guard::WireText> fields;
  const Status collected = guard::CollectFields(value, fields);
  if (!collected) {
    return std::unexpected(collected.error());
  }
  for (guard::WireText& field : fields) {
    texts.push_back(std::move(field.text));
  }
  std::string joined;
  for (const std::string& text : texts) {
    joined += (joined.empty() ? "" : "\n") + text;
  }
  return joined;
}

// The first thing under `value` that says it is of a kind that is not text; empty when none does.
std::string OtherKind(const Json& value, const std::string& pointer) {
  if (value.is_object()) {
    const auto type = value.find("type");
    if (type != value.end() && type->is_string() &&
        !Has(kTextTypes, type->get_ref<const std::string&>())) {
      return pointer;
    }
  }
  if (!value.is_structured()) {
    return "";
  }
  for (const auto& [key, item] : value.items()) {
    std::string found = OtherKind(item, pointer + "/" + key);
    if (!found.empty()) {
      return found;
    }
  }
  return "";
}

OrProblem<ProxyMode> ReadMode(const nlohmann::json& policy, const char* side, ProxyMode least) {
  const auto found = policy.find(side);
  if (found == policy.end() || found->is_null()) {
    return least;
  }
  const std::string mode =
      found->is_object() && found->contains("mode") && (*found)["mode"].is_string()
          ? (*found)["mode"].get<std::string>()
          : "";
  if (mode != "score" && mode != "block") {
    return std::unexpected(Problem{400, "invalid-request", "the mode is none that is known",
                                   "there are: score, block",
                                   std::string("/moderation/policy/") + side + "/mode"});
  }
  return mode == "block" ? ProxyMode::kBlock : least;
}

// {"model", "policy": {"input": {"mode"}, "output": {"mode"}}}
std::optional<Problem> ReadModeration(const nlohmann::json& moderation, ProxiedRequest& request) {
  if (!moderation.is_object()) {
    return Problem{400, "invalid-request", "\"moderation\" is no object",
                   R"(give {"policy": {"input": {"mode": "block"}}})", "/moderation"};
  }
  request.tell = true;
  Fields fields(moderation, "/moderation");
  fields.Text("model", kNameBytesMax);  // there is one
  if (const nlohmann::json* policy = fields.Get("policy")) {
    if (!policy->is_object()) {
      fields.Fault("policy", "is no object", R"(give {"input": {"mode": "block"}})");
      return fields.End();
    }
    for (const char* side : {"input", "output"}) {
      ProxyMode& mode = side == std::string_view("input") ? request.input : request.output;
      const OrProblem<ProxyMode> read = ReadMode(*policy, side, mode);
      if (!read) {
        return read.error();
      }
      mode = *read;
    }
  }
  return fields.End();
}

std::optional<Problem> AddMessage(const Json& item, const std::string& pointer, Content& content) {
  const std::string name = guard::StringAt(item, "role");
  const std::optional<Role> role = name.empty() ? Role::kTool : ChatRole(name);
  if (!item.is_object() || !role) {
    return Unsupported(pointer, "a message of an unknown role");
  }
  if (const std::string other = OtherKind(item, pointer); !other.empty()) {
    return Unsupported(other, "what is here");
  }
  Result<std::string> text = TextOf(item);
  if (!text) {
    return Unsupported(pointer, "what this message holds");
  }
  if (!text->empty()) {
    content.messages.push_back({*role, std::move(*text)});
  }
  return std::nullopt;
}

// The conversation of `list`, and everything else of the request as instructions before it.
std::optional<Problem> ReadContents(const Json& body, const char* list, Content& content) {
  content.kind = moderation::ContentKind::kConversation;
  Json rest = body;
  rest.erase(list);
  if (const std::string other = OtherKind(rest, ""); !other.empty()) {
    return Unsupported(other, "what is here");
  }
  Result<std::string> outer = TextOf(std::move(rest));
  if (!outer) {
    return Unsupported("", "a field of the request");
  }
  if (!outer->empty()) {
    content.messages.push_back({Role::kDeveloper, std::move(*outer)});
  }
  const Json& items = guard::At(body, list);
  if (items.is_string() && std::string_view(list) == "input") {
    content.messages.push_back({Role::kUser, items.get<std::string>()});
    return std::nullopt;
  }
  if (!items.is_array() || items.empty() || items.size() > kMessagesMax) {
    return Problem{400, "invalid-request",
                   std::string("\"") + list + "\" is no list of 1 to " +
                       std::to_string(kMessagesMax) + " messages",
                   "give the conversation", std::string("/") + list};
  }
  for (std::size_t m = 0; m < items.size(); ++m) {
    const std::string place = std::string("/") + list + "/" + std::to_string(m);
    if (std::optional<Problem> problem = AddMessage(items[m], place, content)) {
      return problem;
    }
  }
  return std::nullopt;
}

}  // namespace

OrProblem<ProxiedRequest> ReadProxiedRequest(WireFormat format, std::string_view body,
                                             const GuardOptions& options) {
  const OrProblem<nlohmann::json> checked = ParseObject(body);
  if (!checked) {
    return std::unexpected(checked.error());
  }
  ProxiedRequest request;
  request.format = format;
  request.input = options.input;
  request.output = options.output;
  const auto inline_part = checked->find("moderation");
  if (inline_part != checked->end() && !inline_part->is_null()) {
    if (std::optional<Problem> problem = ReadModeration(*inline_part, request)) {
      return std::unexpected(std::move(*problem));
    }
  }
  request.forward = Json::parse(body);  // it is well-formed, and no field is there twice
  request.forward.erase("moderation");
  for (const std::string_view key : kUnseenKeys) {
    const Json& value = guard::At(request.forward, std::string(key).c_str());
    const bool empty = value.is_null() || value == Json(false) || value == Json::array({"text"});
    if (!empty) {
      return std::unexpected(Unsupported("/" + std::string(key), "\"" + std::string(key) + "\""));
    }
  }
  const Json& stream = guard::At(request.forward, "stream");
  if (!stream.is_null() && !stream.is_boolean()) {
    return std::unexpected(Problem{400, "invalid-request", "\"stream\" is neither true nor false",
                                   "give a boolean", "/stream"});
  }
  request.stream = stream == Json(true);
  request.model = guard::StringAt(request.forward, "model");
  if (request.model.empty() || request.model.size() > kNameBytesMax) {
    return std::unexpected(Problem{400, "invalid-request", "\"model\" is missing or too long",
                                   "name the upstream's model", "/model"});
  }
  const char* const list = format == WireFormat::kOpenAiResponses ? "input" : "messages";
  if (std::optional<Problem> problem = ReadContents(request.forward, list, request.content)) {
    return std::unexpected(std::move(*problem));
  }
  return request;
}

Result<ProxiedAnswer> ReadProxiedAnswer(WireFormat format, std::string_view body) {
  constexpr std::size_t kDepthMax = 32;
  if (const OrProblem<nlohmann::json> checked = ParseObject(body); !checked) {
    return Fail(ErrorCode::kInvalidInput,
                "the upstream's answer is not understood: " + checked.error().detail);
  }
  Result<Json> json = guard::ReadEvent(body, kDepthMax);
  if (!json) {
    return std::unexpected(json.error());
  }
  const char* const part = format == WireFormat::kOpenAiChat        ? "choices"
                           : format == WireFormat::kOpenAiResponses ? "output"
                                                                    : "content";
  if (!guard::At(*json, part).is_array()) {
    return Fail(ErrorCode::kInvalidInput,
                std::string("the upstream's answer has no \"") + part + "\"");
  }
  guard::DropOpaque(*json);
  Result<std::string> text = TextOf(*json);
  if (!text) {
    return std::unexpected(text.error());
  }
  return ProxiedAnswer{std::move(*json), std::move(*text)};
}

Json StoppedAnswer(const ProxiedRequest& request, const std::string& id, std::int64_t created_s) {
  if (request.format == WireFormat::kAnthropicMessages) {
    return {{"id", "msg_" + id},        {"type", "message"},
            {"role", "assistant"},      {"content", Json::array()},
            {"model", request.model},   {"stop_reason", "refusal"},
            {"stop_sequence", nullptr}, {"usage", {{"input_tokens", 0}, {"output_tokens", 0}}}};
  }
  if (request.format == WireFormat::kOpenAiResponses) {
    return {{"id", "resp_" + id},
            {"object", "response"},
            {"created_at", created_s},
            {"status", "incomplete"},
            {"error", nullptr},
            {"incomplete_details", {{"reason", "content_filter"}}},
            {"model", request.model},
            {"output", Json::array()},
            {"parallel_tool_calls", false},
            {"tool_choice", "none"},
            {"tools", Json::array()},
            {"usage", {{"input_tokens", 0}, {"output_tokens", 0}, {"total_tokens", 0}}}};
  }
  Json message = {{"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}};
  return {{"id", "chatcmpl-" + id},
          {"object", "chat.completion"},
          {"created", created_s},
          {"model", request.model},
          {"choices", Json::array({{{"index", 0},
                                    {"message", std::move(message)},
                                    {"logprobs", nullptr},
                                    {"finish_reason", "content_filter"}}})},
          {"usage", {{"prompt_tokens", 0}, {"completion_tokens", 0}, {"total_tokens", 0}}}};
}

Result<std::string> JudgeableText(Json value) {
  if (const std::string other = OtherKind(value, ""); !other.empty()) {
    return Fail(ErrorCode::kInvalidInput, "what stands at " + other + " cannot be judged",
                "send text alone");
  }
  return TextOf(std::move(value));
}

std::string ErrorWord(std::string_view body, const char* key) {
  constexpr std::size_t kDepthMax = 16;
  const Result<Json> json = guard::ReadEvent(body, kDepthMax);
  return json ? guard::WordAt(guard::At(*json, "error"), key) : "";
}

}  // namespace safeguard::http
