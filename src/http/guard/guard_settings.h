// What a route promises about a stream, and how it is kept.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "moderation/clock.h"
#include "moderation/policy.h"

namespace safeguard::guard {

using moderation::Duration;
using std::chrono::milliseconds;

enum class WireFormat { kOpenAiChat, kOpenAiResponses, kAnthropicMessages, kPlainText };

// "openai-chat", "openai-responses", "anthropic", "plain". Anything else is not understood, and a
// stream in it must be refused.
std::optional<WireFormat> WireFormatFrom(std::string_view name);
const char* ToString(WireFormat format);

// What happens to text that could not be judged: no answer in time, overload, an unreadable answer.
//   kClosed   the stream ends with an error event
//   kDegrade  the slow judge is asked instead; when it cannot judge either, as kClosed
//   kOpen     the text passes, is counted as unscanned, and every such window is an event
enum class FailMode { kClosed, kOpen, kDegrade };

std::optional<FailMode> FailModeFrom(std::string_view name);  // "closed", "open", "degrade"
const char* ToString(FailMode mode);

// The model's chain of thought: judged like an answer, or taken out of the stream.
enum class Reasoning { kScan, kDrop };

// At most `tokens_max` tokens are ever visible before they are judged, and none of them for longer
// than `visible_max`. With either 0 nothing is visible before it is judged. Tool calls, and fields
// that the wire format does not name, never are.
struct Contract {
  std::size_t tokens_max = 0;
  Duration visible_max = milliseconds(500);
};

// Text is judged in windows that depend on the text alone, not on how it arrives. The first ones
// close early (a quarter, a half of these sizes), so that the first words are not held for long.
struct WindowSizes {
  std::size_t bytes_min = 48;         // a sentence closes a window of at least this
  std::size_t bytes_soft = 128;       // any white space closes one of at least this
  std::size_t bytes_max = 512;        // no window is larger (but a tool call is one window)
  std::size_t overlap_bytes = 256;    // judged again before a window, as its context
  Duration idle = milliseconds(120);  // text that waits this long for more is a window as it is
  std::size_t in_flight_max = 8;      // windows of one stream being judged at once
};

// Every limit ends the stream with an error event that names it, but for held_bytes_max.
struct GuardLimits {
  std::size_t frame_bytes_max = std::size_t{1} << 20;  // one event of the upstream
  std::size_t held_bytes_max = std::size_t{1} << 20;   // above: wants_input() is false
  std::size_t text_bytes_max = std::size_t{4} << 20;   // of one stream, all channels
  std::size_t tool_call_bytes_max = std::size_t{64} << 10;
  std::size_t channels_max = 256;  // choices, blocks, tool calls
  std::size_t json_depth_max = 32;
  Duration stall_max = milliseconds(30'000);  // of an upstream that sends nothing
  Duration score_max = milliseconds(2'000);   // for the screen's answer
  Duration slow_max = milliseconds(20'000);   // for the slow judge's
};

struct GuardSettings {
  WireFormat format = WireFormat::kOpenAiChat;
  Contract contract;
  WindowSizes windows;
  GuardLimits limits;
  FailMode fail_mode = FailMode::kClosed;
  Reasoning reasoning = Reasoning::kScan;
  // A window that scores this or more is a violation, whatever the judge's outcome; empty: as the
  // judge says. 0..1.
  std::optional<double> violation_at{};
  // A window that scores this or more is shown to the slow judge, with all that came before, and
  // the stream waits. Empty: there is no slow judge. 0..1.
  std::optional<double> doubt_at{};
  // From this score on nothing is shown before it is judged, until a window scores less. 0..1.
  double calm_below = 0.25;
  // All text once more as one, before the event that ends the answer is released.
  bool whole_pass = true;
  // Plain text has no event to end with: this is sent instead.
  std::string plain_notice{};
  // Counts tokens for the contract. Empty: bytes, which no tokenizer's count exceeds.
  moderation::TokenCounter count_tokens{};
};

// What is wrong with the settings; names the field and its range.
Status CheckSettings(const GuardSettings& settings);

}  // namespace safeguard::guard
