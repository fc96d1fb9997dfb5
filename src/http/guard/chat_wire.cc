// OpenAI chat completions: `data: {"choices": [{"index", "delta", "finish_reason"}]}` and at the
// end `data: [DONE]`. Reasoning comes as `reasoning_content` or `reasoning` (vLLM, DeepSeek, ...).
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "http/guard/sse_wire.h"

namespace safeguard::guard {
namespace {

class ChatWire final : public SseWire {
 public:
  using SseWire::SseWire;

  std::string Ending(EndKind kind, const std::string& message) override;
  void Released(const WireEvent& event) override;

 private:
  Status Read(const SseEvent& sse, WireEvent& event) override;
  [[nodiscard]] bool complete() const override { return done_; }
  Status ReadChoice(Json& choice, Json& rest, WireEvent& event);
  void ReadToolCalls(const std::string& choice, Json& calls, WireEvent& event);

  bool done_ = false;
  std::string last_tool_;             // still open
  Json head_ = Json::object();        // id, object, created, model
  std::set<std::string> unfinished_;  // choices that were seen and whose end was not released
};

// What was said before a tool is called, or before the end, need not wait for more.
void CloseTexts(const std::string& choice, WireEvent& event) {
  for (const char* key : {"/reasoning", "/content", "/refusal"}) {
    event.closes.push_back(choice + key);
  }
}

Status ChatWire::Read(const SseEvent& sse, WireEvent& event) {
  if (!sse.name.empty() && sse.name != "message" && sse.name != "error") {
    return NotUnderstood("an event \"" + sse.name.substr(0, 40) + "\"");
  }
  if (done_) {
    return NotUnderstood("an event after [DONE]");
  }
  if (sse.data == "[DONE]") {
    done_ = true;
    event.answer_ends = true;
    event.bytes = "data: [DONE]\n\n";
    return {};
  }
  Result<Json> json = ReadData(sse);
  if (!json) {
    return std::unexpected(json.error());
  }
  const bool is_error = !At(*json, "error").is_null();
  if (!At(*json, "choices").is_array() && !is_error) {
    return NotUnderstood("an event without \"choices\"");
  }
  if (head_.empty() && !is_error) {
    head_ = {{"id", WordAt(*json, "id")},
             {"object", "chat.completion.chunk"},
             {"created", NumberAt(*json, "created")},
             {"model", WordAt(*json, "model")}};
  }
  Json rest = *json;
  if (json->contains("choices") && (*json)["choices"].is_array()) {
    for (std::size_t i = 0; i < (*json)["choices"].size(); ++i) {
      const Status read = ReadChoice((*json)["choices"][i], rest["choices"][i], event);
      if (!read) {
        return read;
      }
    }
  }
  event.answer_ends = event.answer_ends || is_error;
  event.bytes = SseFrame("", *json);
  return CollectFields(rest, event.texts);
}

Status ChatWire::ReadChoice(Json& choice, Json& rest, WireEvent& event) {
  if (!choice.is_object() || !At(choice, "delta").is_object()) {
    return NotUnderstood("a choice without \"delta\"");
  }
  const std::string index = IndexAt(choice, "index");
  unfinished_.insert(index);
  Json& delta = choice["delta"];
  Json& rest_delta = rest["delta"];
  for (const char* key : {"reasoning_content", "reasoning"}) {
    TakeText(index + "/reasoning", TextKind::kReasoning, key, delta, rest_delta, event);
  }
  for (const char* key : {"content", "refusal"}) {
    TakeText(index + "/" + key, TextKind::kContent, key, delta, rest_delta, event);
  }
  if (At(delta, "tool_calls").is_array()) {
    ReadToolCalls(index, delta["tool_calls"], event);
    rest_delta.erase("tool_calls");
    // What is beside name and arguments is judged like any other field.
    rest_delta["tool_calls"] = delta["tool_calls"];
    for (Json& call : rest_delta["tool_calls"]) {
      if (At(call, "function").is_object()) {
        call["function"].erase("arguments");
        call["function"].erase("name");
      }
    }
  }
  if (At(choice, "finish_reason").is_string()) {
    event.notes.push_back(index);
    event.answer_ends = true;
    CloseTexts(index, event);
    if (!last_tool_.empty()) {
      event.closes.push_back(std::exchange(last_tool_, ""));
    }
  }
  return {};
}

void ChatWire::ReadToolCalls(const std::string& choice, Json& calls, WireEvent& event) {
  for (const Json& call : calls) {
    const std::string channel = choice + "/tool " + IndexAt(call, "index");
    if (last_tool_ != channel) {
      CloseTexts(choice, event);
      if (!last_tool_.empty()) {
        event.closes.push_back(last_tool_);
      }
    }
    last_tool_ = channel;
    const Json& function = At(call, "function");
    for (const char* key : {"name", "arguments"}) {
      std::string text = StringAt(function, key);
      if (!text.empty()) {
        event.texts.push_back({channel, std::move(text), TextKind::kTool});
      }
    }
  }
}

void ChatWire::Released(const WireEvent& event) {
  for (const std::string& index : event.notes) {
    unfinished_.erase(index);
  }
}

std::string ChatWire::Ending(EndKind kind, const std::string& message) {
  std::string out;
  if (kind == EndKind::kFailure) {
    out = SseFrame("", {{"error",
                         {{"message", message},
                          {"type", "stream_guard"},
                          {"param", nullptr},
                          {"code", "content_not_judged"}}}});
  } else {
    Json chunk = head_.empty() ? Json{{"object", "chat.completion.chunk"}} : head_;
    chunk["choices"] = Json::array();
    if (unfinished_.empty()) {
      unfinished_.insert("0");
    }
    for (const std::string& index : unfinished_) {
      chunk["choices"].push_back({{"index", std::stoull(index)},
                                  {"delta", Json::object()},
                                  {"finish_reason", "content_filter"}});
    }
    out = SseFrame("", chunk);
  }
  return out + "data: [DONE]\n\n";
}

}  // namespace

std::unique_ptr<WireDecoder> MakeChatWire(const GuardSettings& settings) {
  return std::make_unique<ChatWire>(settings);
}

}  // namespace safeguard::guard
