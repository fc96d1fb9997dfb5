// Server-sent events from bytes, wherever they are split. WHATWG HTML 9.2.6: lines end with LF, CR
// or CRLF; a BOM at the start is skipped; comments are skipped; several data lines are one text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::guard {

struct SseEvent {
  std::string name;  // of its last `event:` line; empty: none
  std::string data;  // its `data:` lines, with LF between them
};

class SseParser {
 public:
  // `event_bytes_max` bounds an event's lines together, comments included.
  explicit SseParser(std::size_t event_bytes_max) : event_bytes_max_(event_bytes_max) {}

  // Appends the events that `bytes` complete. kLimit: an event is too large; those before it have
  // been appended, and the parser must not be used again.
  Status Feed(std::string_view bytes, std::vector<SseEvent>& events);

  // Whether an event has begun that no blank line has ended. The standard drops it.
  [[nodiscard]] bool in_event() const {
    return !line_.empty() || has_data_ || !event_.name.empty();
  }

 private:
  void EndLine(std::vector<SseEvent>& events);
  void Field(std::string_view name, std::string_view value);

  std::size_t event_bytes_max_;
  std::string line_;
  SseEvent event_;
  std::size_t event_bytes_ = 0;
  bool has_data_ = false;
  bool after_cr_ = false;   // an LF that follows belongs to the CR
  bool first_line_ = true;  // may begin with a BOM
};

}  // namespace safeguard::guard
