// OpenAI responses: typed events with deltas, each text repeated whole by later events.
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "http/guard/sse_wire.h"

namespace safeguard::guard {
namespace {

// Events whose `delta` is text.
struct DeltaType {
  std::string_view prefix;  // of "response.PREFIX.delta" and "response.PREFIX.done"
  TextKind kind;
};
constexpr std::array<DeltaType, 8> kDeltas = {{
    {"output_text", TextKind::kContent},
    {"refusal", TextKind::kContent},
    {"reasoning_text", TextKind::kReasoning},
    {"reasoning_summary_text", TextKind::kReasoning},
    {"function_call_arguments", TextKind::kTool},
    {"custom_tool_call_input", TextKind::kTool},
    {"mcp_call_arguments", TextKind::kTool},
    {"code_interpreter_call_code", TextKind::kTool},
}};

// Events whose text, if any, is judged as fields.
constexpr std::array<std::string_view, 15> kOthers = {"created",
                                                      "in_progress",
                                                      "queued",
                                                      "completed",
                                                      "incomplete",
                                                      "failed",
                                                      "output_item.added",
                                                      "output_item.done",
                                                      "content_part.added",
                                                      "content_part.done",
                                                      "output_text.annotation.added",
                                                      "reasoning_summary_part.added",
                                                      "reasoning_summary_part.done",
                                                      "reasoning_part.added",
                                                      "reasoning_part.done"};

class ResponsesWire final : public SseWire {
 public:
  using SseWire::SseWire;

  std::string Ending(EndKind kind, const std::string& message) override;
  void Released(const WireEvent&) override { ++sequence_; }

 private:
  Status Read(const SseEvent& sse, WireEvent& event) override;
  [[nodiscard]] bool complete() const override { return complete_; }
  Status ReadKnown(const std::string& type, Json& json, WireEvent& event);

  bool complete_ = false;
  std::uint64_t sequence_ = 0;
  Json head_ = Json::object();  // id, created_at, model
};

// Reasoning in items and parts that repeat what was streamed.
std::size_t EmptyReasoning(Json& value, bool inside) {
  std::size_t emptied = 0;
  if (value.is_array()) {
    for (Json& item : value) {
      emptied += EmptyReasoning(item, inside);
    }
  }
  if (!value.is_object()) {
    return emptied;
  }
  const std::string type = StringAt(value, "type");
  inside = inside || type == "reasoning" || type == "reasoning_text" || type == "summary_text";
  for (auto it = value.begin(); it != value.end(); ++it) {
    if (inside && it.key() == "text" && it.value().is_string()) {
      it.value() = "";
      ++emptied;
    } else {
      emptied += EmptyReasoning(it.value(), inside);
    }
  }
  return emptied;
}

Status ResponsesWire::Read(const SseEvent& sse, WireEvent& event) {
  if (sse.data == "[DONE]" && complete_) {
    event.bytes = "data: [DONE]\n\n";
    return {};
  }
  Result<Json> json = ReadData(sse);
  if (!json) {
    return std::unexpected(json.error());
  }
  const std::string type = StringAt(*json, "type");
  if (!sse.name.empty() && sse.name != type) {
    return NotUnderstood("an event whose name and type differ");
  }
  if (complete_) {
    return NotUnderstood("an event after the end of the response");
  }
  const Json& response = At(*json, "response");
  if (head_.empty() && response.is_object()) {
    head_ = {{"id", WordAt(response, "id")},
             {"object", "response"},
             {"created_at", NumberAt(response, "created_at")},
             {"status", "incomplete"},
             {"model", WordAt(response, "model")}};
  }
  if (drops_reasoning() && EmptyReasoning(*json, type.starts_with("response.reasoning")) > 0) {
    CountDropped();
  }
  const Status read = ReadKnown(type, *json, event);
  if (read && event.bytes.empty()) {
    event.bytes = SseFrame(type, *json);
  }
  return read;
}

Status ResponsesWire::ReadKnown(const std::string& type, Json& json, WireEvent& event) {
  Json rest = json;
  const std::string_view name =
      type.starts_with("response.") ? std::string_view(type).substr(9) : std::string_view();
  for (const DeltaType& delta : kDeltas) {
    if (!name.starts_with(delta.prefix) || name.size() <= delta.prefix.size()) {
      continue;
    }
    const std::string_view rest_of_name = name.substr(delta.prefix.size());
    const std::string part = At(json, "summary_index").is_null() ? IndexAt(json, "content_index")
                                                                 : IndexAt(json, "summary_index");
    const std::string channel =
        IndexAt(json, "output_index") + "/" + part + " " + std::string(delta.prefix);
    if (rest_of_name == ".delta") {
      TakeText(channel, delta.kind, "delta", json, rest, event);
      return CollectFields(rest, event.texts);
    }
    if (rest_of_name == ".done") {
      event.closes.push_back(channel);
      return CollectFields(rest, event.texts);
    }
  }
  const bool known = std::ranges::find(kOthers, name) != kOthers.end() || type == "error";
  if (!known || name.empty() != (type == "error")) {
    return NotUnderstood("an event of type \"" + type.substr(0, 60) + "\"");
  }
  complete_ = name == "completed" || name == "incomplete" || name == "failed" || type == "error";
  event.answer_ends = complete_;
  return CollectFields(rest, event.texts);
}

std::string ResponsesWire::Ending(EndKind kind, const std::string& message) {
  if (kind == EndKind::kFailure) {
    return SseFrame("error", {{"type", "error"},
                              {"sequence_number", sequence_},
                              {"code", "content_not_judged"},
                              {"message", message},
                              {"param", nullptr}});
  }
  Json response = head_.empty() ? Json{{"object", "response"}, {"status", "incomplete"}} : head_;
  response["error"] = nullptr;
  response["incomplete_details"] = {{"reason", "content_filter"}};
  response["output"] = Json::array();
  return SseFrame("response.incomplete", {{"type", "response.incomplete"},
                                          {"sequence_number", sequence_},
                                          {"response", std::move(response)}});
}

}  // namespace

std::unique_ptr<WireDecoder> MakeResponsesWire(const GuardSettings& settings) {
  return std::make_unique<ResponsesWire>(settings);
}

}  // namespace safeguard::guard
