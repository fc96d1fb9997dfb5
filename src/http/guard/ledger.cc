#include "http/guard/ledger.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace safeguard::guard {

std::size_t Ledger::AddChannel(std::string name) {
  channels_.push_back({std::move(name), {}, {}});
  return channels_.size() - 1;
}

void Ledger::Scanned(std::size_t channel, ScannedRange range) {
  ChannelLedger& ledger = channels_.at(channel);
  CHECK(range.begin == ledger.scanned_to() && range.end > range.begin);
  const std::size_t end = range.end;
  ledger.scanned.push_back(std::move(range));
  std::erase_if(exposed_, [&](const Exposed& exposed) {
    const bool covered = exposed.channel == channel && exposed.end <= end;
    exposed_now_ -= covered ? exposed.tokens : 0;
    return covered;
  });
}

void Ledger::Released(std::size_t channel, std::size_t begin, std::size_t end, std::size_t tokens,
                      moderation::Duration now) {
  ChannelLedger& ledger = channels_.at(channel);
  CHECK(begin == ledger.released_to() && end > begin);
  if (end > ledger.scanned_to()) {
    CHECK(tokens > 0 && tokens <= room());
    exposed_.push_back({channel, end, tokens, now});
    exposed_now_ += tokens;
    exposed_most_ = std::max(exposed_most_, exposed_now_);
  }
  if (ledger.released.empty()) {
    ledger.released.push_back({begin, end});
  } else {
    ledger.released.back().end = end;
  }
}

std::optional<moderation::Duration> Ledger::exposed_since() const {
  if (exposed_.empty()) {
    return std::nullopt;
  }
  return exposed_.front().since;
}

LedgerSummary Ledger::Summary() const {
  LedgerSummary summary;
  summary.exposed_tokens_max = exposed_most_;
  summary.exposed_tokens = exposed_now_;
  for (const ChannelLedger& channel : channels_) {
    summary.windows += channel.scanned.size();
    summary.released_bytes += channel.released_to();
    summary.unscanned_bytes += UncoveredBytes(channel);
    for (const ScannedRange& range : channel.scanned) {
      summary.scanned_bytes += range.judged ? range.end - range.begin : 0;
    }
  }
  return summary;
}

std::size_t UncoveredBytes(const ChannelLedger& channel) {
  std::size_t uncovered = 0;
  for (const ReleasedRange& released : channel.released) {
    std::size_t covered = 0;
    for (const ScannedRange& range : channel.scanned) {
      const std::size_t begin = std::max(range.begin, released.begin);
      const std::size_t end = std::min(range.end, released.end);
      covered += range.judged && end > begin ? end - begin : 0;
    }
    uncovered += released.end - released.begin - covered;
  }
  return uncovered;
}

}  // namespace safeguard::guard
