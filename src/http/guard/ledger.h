// What of a stream has been judged, by which verdict, and what has been released. The ledger alone
// decides whether a release keeps the contract; it knows nothing of how the stream came about.
//
// A channel is a line of text that a reader sees as one: a choice's content, a tool call. Ranges
// are byte offsets into a channel's text, half open. Within a channel both judging and releasing
// go forward without gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "moderation/clock.h"

namespace safeguard::guard {

struct ScannedRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint64_t verdict = 0;    // the request's id; 0: nothing but white space
  std::string by;               // "screen minilm-l6-v2", "blank", ...
  std::optional<double> score;  // 0..1
  bool judged = true;           // false: it passed unjudged, because the route fails open
};

struct ReleasedRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct ChannelLedger {
  std::string name;
  std::vector<ScannedRange> scanned;
  std::vector<ReleasedRange> released;  // neighbours are joined

  [[nodiscard]] std::size_t scanned_to() const { return scanned.empty() ? 0 : scanned.back().end; }
  [[nodiscard]] std::size_t released_to() const {
    return released.empty() ? 0 : released.back().end;
  }
};

struct LedgerSummary {
  std::size_t released_bytes = 0;
  std::size_t scanned_bytes = 0;    // judged
  std::size_t unscanned_bytes = 0;  // released and never judged: failed open, or cut off in time
  std::size_t windows = 0;
  std::size_t exposed_tokens_max = 0;  // the most that were visible and not yet judged
  std::size_t exposed_tokens = 0;      // now
};

class Ledger {
 public:
  explicit Ledger(std::size_t exposed_tokens_max) : allowance_(exposed_tokens_max) {}

  // The channel's number: 0, 1, 2, ... in order.
  std::size_t AddChannel(std::string name);

  // REQUIRES: range.begin is the channel's scanned_to(), range.end > range.begin.
  void Scanned(std::size_t channel, ScannedRange range);

  // How many more tokens may be released unjudged.
  [[nodiscard]] std::size_t room() const { return allowance_ - exposed_now_; }
  // [begin, end) leaves the machine; `tokens` of it are not judged yet. CHECKs the contract: begin
  // is the channel's released_to(), and what is not judged fits room().
  void Released(std::size_t channel, std::size_t begin, std::size_t end, std::size_t tokens,
                moderation::Duration now);

  // When the oldest text that is visible and not judged was released.
  [[nodiscard]] std::optional<moderation::Duration> exposed_since() const;

  [[nodiscard]] const std::vector<ChannelLedger>& channels() const { return channels_; }
  [[nodiscard]] LedgerSummary Summary() const;

 private:
  struct Exposed {
    std::size_t channel;
    std::size_t end;
    std::size_t tokens;
    moderation::Duration since;
  };

  std::size_t allowance_;
  std::size_t exposed_now_ = 0;
  std::size_t exposed_most_ = 0;
  std::deque<Exposed> exposed_;
  std::vector<ChannelLedger> channels_;
};

// Bytes that were released and that no judged range covers: from the ranges alone, for audits and
// tests. 0 says that released is a subset of scanned.
std::size_t UncoveredBytes(const ChannelLedger& channel);

}  // namespace safeguard::guard
