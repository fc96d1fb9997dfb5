// Anthropic messages: message_start, then blocks (content_block_start, _delta, _stop),
// message_delta with the stop reason, message_stop; between them ping and error.
#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "http/guard/sse_wire.h"

namespace safeguard::guard {
namespace {

constexpr std::array<std::string_view, 6> kBlocks = {"text",
                                                     "tool_use",
                                                     "thinking",
                                                     "redacted_thinking",
                                                     "server_tool_use",
                                                     "web_search_tool_result"};

class MessagesWire final : public SseWire {
 public:
  using SseWire::SseWire;

  std::string Ending(EndKind kind, const std::string& message) override;
  void Released(const WireEvent& event) override;

 private:
  Status Read(const SseEvent& sse, WireEvent& event) override;
  [[nodiscard]] bool complete() const override { return complete_; }
  Status ReadBlock(Json& json, Json& rest, WireEvent& event);
  Status ReadDelta(Json& json, Json& rest, WireEvent& event);

  bool complete_ = false;
  bool started_ = false;        // message_start was released
  std::set<std::string> open_;  // blocks whose start was released, and not their stop
};

std::string Channel(const Json& json, const char* what) {
  return IndexAt(json, "index") + "/" + what;
}

Status MessagesWire::Read(const SseEvent& sse, WireEvent& event) {
  Result<Json> json = ReadData(sse);
  if (!json) {
    return std::unexpected(json.error());
  }
  const std::string type = StringAt(*json, "type");
  if (!sse.name.empty() && sse.name != type) {
    return NotUnderstood("an event whose name and type differ");
  }
  if (complete_) {
    return NotUnderstood("an event after message_stop");
  }
  Json rest = *json;
  Status read;
  if (type == "content_block_start") {
    read = ReadBlock(*json, rest, event);
  } else if (type == "content_block_delta") {
    read = ReadDelta(*json, rest, event);
  } else if (type == "content_block_stop") {
    event.notes = {"stop", IndexAt(*json, "index")};
    for (const char* what : {"text", "tool", "thinking"}) {
      event.closes.push_back(Channel(*json, what));
    }
  } else if (type == "message_start") {
    event.notes = {"message"};
  } else if (type == "message_delta") {
    event.answer_ends = true;
  } else if (type == "message_stop" || type == "error") {
    complete_ = true;
    event.answer_ends = true;
  } else if (type != "ping") {
    return NotUnderstood("an event of type \"" + type.substr(0, 60) + "\"");
  }
  event.bytes = SseFrame(type, *json);
  return read ? CollectFields(rest, event.texts) : read;
}

Status MessagesWire::ReadBlock(Json& json, Json& rest, WireEvent& event) {
  const std::string type = StringAt(At(json, "content_block"), "type");
  if (std::ranges::find(kBlocks, type) == kBlocks.end()) {
    return NotUnderstood("a content block of type \"" + type.substr(0, 60) + "\"");
  }
  event.notes = {"start", IndexAt(json, "index")};
  Json& block = json["content_block"];
  Json& rest_block = rest["content_block"];
  if (type == "redacted_thinking" && block.contains("data")) {
    block["data"] = "";
    rest_block.erase("data");
    CountDropped();
  }
  TakeText(Channel(json, "text"), TextKind::kContent, "text", block, rest_block, event);
  TakeText(Channel(json, "thinking"), TextKind::kReasoning, "thinking", block, rest_block, event);
  return {};
}

Status MessagesWire::ReadDelta(Json& json, Json& rest, WireEvent& event) {
  const std::string type = StringAt(At(json, "delta"), "type");
  Json& delta = json["delta"];
  Json& rest_delta = rest["delta"];
  if (type == "text_delta") {
    TakeText(Channel(json, "text"), TextKind::kContent, "text", delta, rest_delta, event);
  } else if (type == "thinking_delta") {
    TakeText(Channel(json, "thinking"), TextKind::kReasoning, "thinking", delta, rest_delta, event);
  } else if (type == "input_json_delta") {
    TakeText(Channel(json, "tool"), TextKind::kTool, "partial_json", delta, rest_delta, event);
  } else if (type != "signature_delta" && type != "citations_delta") {
    return NotUnderstood("a delta of type \"" + type.substr(0, 60) + "\"");
  }
  return {};
}

void MessagesWire::Released(const WireEvent& event) {
  if (event.notes.empty()) {
    return;
  }
  started_ = started_ || event.notes[0] == "message";
  if (event.notes[0] == "start") {
    open_.insert(event.notes[1]);
  } else if (event.notes[0] == "stop") {
    open_.erase(event.notes[1]);
  }
}

std::string MessagesWire::Ending(EndKind kind, const std::string& message) {
  if (kind == EndKind::kFailure || !started_) {
    const std::string text = kind == EndKind::kFailure ? message : "stopped by the content policy";
    return SseFrame("error",
                    {{"type", "error"}, {"error", {{"type", "api_error"}, {"message", text}}}});
  }
  std::string out;
  for (const std::string& index : open_) {
    out += SseFrame("content_block_stop",
                    {{"type", "content_block_stop"}, {"index", std::stoull(index)}});
  }
  out += SseFrame("message_delta",
                  {{"type", "message_delta"},
                   {"delta", {{"stop_reason", "refusal"}, {"stop_sequence", nullptr}}},
                   {"usage", {{"output_tokens", 0}}}});
  return out + SseFrame("message_stop", {{"type", "message_stop"}});
}

}  // namespace

std::unique_ptr<WireDecoder> MakeMessagesWire(const GuardSettings& settings) {
  return std::make_unique<MessagesWire>(settings);
}

}  // namespace safeguard::guard
