#include "http/guard/sse_wire.h"

#include <utility>

namespace safeguard::guard {

std::unexpected<Error> NotUnderstood(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, "the guard does not understand " + what,
              "name the stream's wire format; what is not understood is not passed");
}

Status SseWire::Feed(std::string_view bytes, std::vector<WireEvent>& events) {
  std::vector<SseEvent> parsed;
  const Status fed = parser_.Feed(bytes, parsed);
  for (const SseEvent& sse : parsed) {
    WireEvent event;
    const Status read = Read(sse, event);
    if (!read) {
      return read;
    }
    events.push_back(std::move(event));
  }
  return fed;
}

Status SseWire::Finish(std::vector<WireEvent>&) {
  if (parser_.in_event() || !complete()) {
    return Fail(ErrorCode::kUnavailable, "the upstream stopped before the end of its answer",
                "ask again");
  }
  return {};
}

Result<Json> SseWire::ReadData(const SseEvent& sse) {
  Result<Json> json = ReadEvent(sse.data, depth_max_);
  if (json) {
    dropped_ += DropOpaque(*json);
  }
  return json;
}

void SseWire::TakeText(const std::string& channel, TextKind kind, const char* key, Json& from,
                       Json& rest, WireEvent& event) {
  std::string text = StringAt(from, key);
  if (text.empty()) {
    return;
  }
  rest.erase(key);
  if (kind == TextKind::kReasoning && drop_reasoning_) {
    from[key] = "";
    ++dropped_;
    return;
  }
  event.texts.push_back({channel, std::move(text), kind});
}

std::unique_ptr<WireDecoder> MakeWireDecoder(const GuardSettings& settings) {
  switch (settings.format) {
    case WireFormat::kOpenAiChat:
      return MakeChatWire(settings);
    case WireFormat::kOpenAiResponses:
      return MakeResponsesWire(settings);
    case WireFormat::kAnthropicMessages:
      return MakeMessagesWire(settings);
    case WireFormat::kPlainText:
      break;
  }
  return MakePlainWire(settings);
}

}  // namespace safeguard::guard
