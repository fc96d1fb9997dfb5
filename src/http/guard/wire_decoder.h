// A wire format as the guard sees it: events that may be released, each with all text in it.
//
// What leaves the guard is written anew from what was parsed, so a reader cannot see what the guard
// did not (comments, duplicate keys, bytes that are no UTF-8). Every string of an event is either
// one of the format's own words (ids, types, roles: short, and of letters, digits and -_.:/@+ only)
// or text, which is judged. What cannot be judged (pictures, audio, long runs of base64, lists of
// numbers) is refused; signatures, log probabilities and echoes of the request are taken out.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/guard/guard_settings.h"

namespace safeguard::guard {

enum class TextKind {
  kContent,    // shown as it comes, within the contract
  kReasoning,  // the same, or dropped
  kTool,       // a tool call: judged when it is whole, released after that
  kField,      // any other string: judged with its event, released after that
};

struct WireText {
  std::string channel;
  std::string text;  // valid UTF-8
  TextKind kind = TextKind::kContent;
};

struct WireEvent {
  std::string bytes;  // what is released; empty: nothing, but its text is judged all the same
  std::vector<WireText> texts;
  std::vector<std::string> closes;  // channels that get no more text
  bool answer_ends = false;         // behind it no answer is to be expected
  std::vector<std::string> notes;   // the decoder's own, for Released()
};

enum class EndKind {
  kViolation,  // the content breaks the policy
  kFailure,    // it could not be judged, understood or finished
};

class WireDecoder {
 public:
  virtual ~WireDecoder() = default;

  // Appends the events that `bytes` complete. An error says why the stream is refused; the events
  // before it have been appended.
  virtual Status Feed(std::string_view bytes, std::vector<WireEvent>& events) = 0;
  // Appends what need not wait for more bytes.
  virtual void Flush(std::vector<WireEvent>& events) = 0;
  // The upstream is done. An error: it stopped in the middle.
  virtual Status Finish(std::vector<WireEvent>& events) = 0;
  // The bytes that end the stream in this format, after the events that have been released.
  virtual std::string Ending(EndKind kind, const std::string& message) = 0;
  // To be told of each event that is released, in order: the ending depends on it.
  virtual void Released(const WireEvent& event) = 0;
  // Fields that were taken out.
  [[nodiscard]] virtual std::size_t dropped() const = 0;
};

std::unique_ptr<WireDecoder> MakeWireDecoder(const GuardSettings& settings);

}  // namespace safeguard::guard
