// What the three formats on server-sent events share.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/guard/guard_settings.h"
#include "http/guard/json_event.h"
#include "http/guard/sse_parser.h"
#include "http/guard/wire_decoder.h"

namespace safeguard::guard {

class SseWire : public WireDecoder {
 public:
  explicit SseWire(const GuardSettings& settings)
      : parser_(settings.limits.frame_bytes_max),
        depth_max_(settings.limits.json_depth_max),
        drop_reasoning_(settings.reasoning == Reasoning::kDrop) {}

  Status Feed(std::string_view bytes, std::vector<WireEvent>& events) final;
  void Flush(std::vector<WireEvent>&) final {}
  Status Finish(std::vector<WireEvent>& events) final;
  [[nodiscard]] std::size_t dropped() const final { return dropped_; }

 protected:
  // Fills `event` from one event of the upstream.
  virtual Status Read(const SseEvent& sse, WireEvent& event) = 0;
  // Whether the upstream has said that the stream is over.
  [[nodiscard]] virtual bool complete() const = 0;

  // The event's JSON, without what must not pass.
  Result<Json> ReadData(const SseEvent& sse);
  // Moves the string at `key` of `from` to the event's text, or, where it is reasoning that is not
  // to be seen, empties it. `rest` loses the key: what stays there is judged as fields.
  void TakeText(const std::string& channel, TextKind kind, const char* key, Json& from, Json& rest,
                WireEvent& event);
  [[nodiscard]] bool drops_reasoning() const { return drop_reasoning_; }
  void CountDropped() { ++dropped_; }

 private:
  SseParser parser_;
  std::size_t depth_max_;
  bool drop_reasoning_;
  std::size_t dropped_ = 0;
};

std::unexpected<Error> NotUnderstood(const std::string& what);

std::unique_ptr<WireDecoder> MakeChatWire(const GuardSettings& settings);
std::unique_ptr<WireDecoder> MakeResponsesWire(const GuardSettings& settings);
std::unique_ptr<WireDecoder> MakeMessagesWire(const GuardSettings& settings);
std::unique_ptr<WireDecoder> MakePlainWire(const GuardSettings& settings);

}  // namespace safeguard::guard
