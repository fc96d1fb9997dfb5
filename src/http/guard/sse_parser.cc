#include "http/guard/sse_parser.h"

#include <utility>

namespace safeguard::guard {

Status SseParser::Feed(std::string_view bytes, std::vector<SseEvent>& events) {
  for (const char c : bytes) {
    const bool second_half = c == '\n' && after_cr_;
    after_cr_ = c == '\r';
    if (second_half) {
      continue;
    }
    if (c == '\n' || c == '\r') {
      EndLine(events);
      continue;
    }
    line_ += c;
    if (++event_bytes_ > event_bytes_max_) {
      return Fail(
          ErrorCode::kLimit,
          "an event of the stream is larger than " + std::to_string(event_bytes_max_) + " bytes",
          "raise frame_bytes_max, or mend the upstream");
    }
  }
  return {};
}

void SseParser::EndLine(std::vector<SseEvent>& events) {
  std::string_view line = line_;
  if (std::exchange(first_line_, false) && line.starts_with("\xEF\xBB\xBF")) {
    line.remove_prefix(3);
  }
  if (line.empty()) {
    if (has_data_) {
      events.push_back(std::move(event_));
    }
    event_ = {};
    has_data_ = false;
    event_bytes_ = 0;
  } else if (line[0] != ':') {
    const std::size_t colon = line.find(':');
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    value.remove_prefix(value.starts_with(' ') ? 1 : 0);
    Field(line.substr(0, colon), value);
  } else if (!has_data_ && event_.name.empty()) {
    event_bytes_ = 0;  // comments between events keep a connection alive for as long as it lasts
  }
  line_.clear();
}

void SseParser::Field(std::string_view name, std::string_view value) {
  if (name == "data") {
    event_.data += std::exchange(has_data_, true) ? "\n" : "";
    event_.data += value;
  } else if (name == "event") {
    event_.name = value;
  }
  // `id`, `retry` and fields that the standard does not know say nothing that is passed on.
}

}  // namespace safeguard::guard
