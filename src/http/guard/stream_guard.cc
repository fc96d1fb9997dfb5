#include "http/guard/stream_guard.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace safeguard::guard {

const char* ToString(GuardEventKind kind) {
  switch (kind) {
    case GuardEventKind::kViolation:
      return "violation";
    case GuardEventKind::kRefused:
      return "refused";
    case GuardEventKind::kNotJudged:
      return "not_judged";
    case GuardEventKind::kFailedOpen:
      return "failed_open";
    case GuardEventKind::kDegraded:
      return "degraded";
    case GuardEventKind::kDoubt:
      return "doubt";
    case GuardEventKind::kExposedTooLong:
      return "exposed_too_long";
    case GuardEventKind::kUpstreamFailed:
      return "upstream_failed";
    case GuardEventKind::kCompleted:
      break;
  }
  return "completed";
}

const char* ToString(GuardState state) {
  switch (state) {
    case GuardState::kRunning:
      return "running";
    case GuardState::kCompleted:
      return "completed";
    case GuardState::kViolation:
      return "violation";
    case GuardState::kFailed:
      break;
  }
  return "failed";
}

StreamGuard::StreamGuard(GuardSettings settings, Duration now)
    : settings_(std::move(settings)),
      decoder_(MakeWireDecoder(settings_)),
      ledger_(settings_.contract.visible_max > Duration::zero() ? settings_.contract.tokens_max
                                                                : 0),
      last_input_(now) {
  CHECK(CheckSettings(settings_).has_value());
}

StreamGuard::~StreamGuard() = default;

Step StreamGuard::Feed(std::string_view bytes, Duration now) {
  if (ended() || finished_) {
    return {};
  }
  last_input_ = now;
  unflushed_ = true;
  std::vector<WireEvent> events;
  const Status fed = decoder_->Feed(bytes, events);
  for (WireEvent& event : events) {
    if (!finished_) {
      Accept(std::move(event), now);
    }
  }
  if (!fed && !finished_) {
    Refuse(GuardEventKind::kRefused, fed.error());
  }
  if (!finished_ && held_bytes_ > 2 * settings_.limits.held_bytes_max) {
    Refuse(GuardEventKind::kRefused, {ErrorCode::kLimit, "more is held back than may be", ""});
  }
  return Settle(now);
}

Step StreamGuard::Scored(std::uint64_t id, const WindowScore& score, Duration now) {
  const auto found = pending_.find(id);
  if (ended() || found == pending_.end() || !found->second.until) {
    return {};  // of a stream that has ended, or an answer that came too late
  }
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  in_flight_ -= pending.kind == AskKind::kPrefix ? 0 : 1;
  Decide(id, pending, score, now);
  return Settle(now);
}

Step StreamGuard::Tick(Duration now) {
  if (ended()) {
    return {};
  }
  CheckTimes(now);
  return Settle(now);
}

Step StreamGuard::Finish(bool broken, Duration now) {
  if (ended() || finished_) {
    return {};
  }
  std::vector<WireEvent> events;
  const Status complete = decoder_->Finish(events);
  for (WireEvent& event : events) {
    Accept(std::move(event), now);
  }
  if (!finished_ && (broken || !complete)) {
    Refuse(
        GuardEventKind::kUpstreamFailed,
        complete ? Error{ErrorCode::kUnavailable, "the upstream broke off", ""} : complete.error());
  }
  finished_ = true;
  WindowsOfAll(true);
  return Settle(now);
}

bool StreamGuard::wants_input() const {
  return !ended() && !finished_ && held_bytes_ < settings_.limits.held_bytes_max;
}

std::optional<Duration> StreamGuard::next_deadline() const {
  if (ended()) {
    return std::nullopt;
  }
  std::optional<Duration> first;
  const auto at = [&](Duration when) { first = std::min(first.value_or(when), when); };
  for (const auto& [id, pending] : pending_) {
    if (pending.until) {
      at(*pending.until);
    }
  }
  const std::optional<Duration> exposed = ledger_.exposed_since();
  if (exposed && !told_exposed_) {
    at(*exposed + settings_.contract.visible_max);
  }
  if (!finished_) {
    at(last_input_ + (unflushed_ ? settings_.windows.idle : settings_.limits.stall_max));
  }
  return first;
}

void StreamGuard::CheckTimes(Duration now) {
  const std::optional<Duration> exposed = ledger_.exposed_since();
  if (exposed && !told_exposed_ && now >= *exposed + settings_.contract.visible_max) {
    told_exposed_ = true;
    suspicious_ = true;
    if (settings_.fail_mode != FailMode::kOpen) {
      End(GuardEventKind::kExposedTooLong, "", "no verdict within the contract's time");
      return;
    }
    Tell(GuardEventKind::kExposedTooLong, "", "no verdict within the contract's time");
  }
  std::vector<std::uint64_t> late;
  for (const auto& [id, pending] : pending_) {
    if (pending.until && now >= *pending.until) {
      late.push_back(id);
    }
  }
  for (const std::uint64_t id : late) {
    if (ended()) {
      return;
    }
    const Pending pending = std::move(pending_.at(id));
    pending_.erase(id);
    in_flight_ -= pending.kind == AskKind::kPrefix ? 0 : 1;
    NotJudged(id, pending, "no answer in time", now);
  }
  if (ended() || finished_) {
    return;
  }
  if (unflushed_ && now >= last_input_ + settings_.windows.idle) {
    unflushed_ = false;
    std::vector<WireEvent> events;
    decoder_->Flush(events);
    for (WireEvent& event : events) {
      Accept(std::move(event), now);
    }
    WindowsOfAll(false);
  }
  if (now >= last_input_ + settings_.limits.stall_max) {
    Refuse(GuardEventKind::kUpstreamFailed,
           {ErrorCode::kUnavailable, "the upstream sends nothing any more", ""});
  }
}

bool StreamGuard::Scanned(const Piece& piece) const {
  return piece.end <= ledger_.channels()[piece.channel].scanned_to();
}

std::size_t StreamGuard::TokensUnjudged(const Piece& piece) const {
  if (piece.repeats || Scanned(piece)) {
    return 0;
  }
  const std::size_t begin = std::max(piece.begin, ledger_.channels()[piece.channel].scanned_to());
  const std::string_view text =
      std::string_view(channels_[piece.channel].text).substr(begin, piece.end - begin);
  // A token is at least a byte: a counter that says 0 would let text through uncounted.
  return settings_.count_tokens ? std::max<std::size_t>(settings_.count_tokens(text), 1)
                                : text.size();
}

bool StreamGuard::MayRelease(const Held& held) const {
  if (held.gate > whole_done_) {
    return false;
  }
  std::size_t tokens = 0;
  for (const Piece& piece : held.pieces) {
    if ((piece.whole || piece.repeats) && !Scanned(piece)) {
      return false;
    }
    tokens += TokensUnjudged(piece);
  }
  return tokens == 0 || (!suspicious_ && tokens <= ledger_.room());
}

void StreamGuard::Release(Duration now) {
  while (!ended() && !held_.empty() && MayRelease(held_.front())) {
    const Held held = std::move(held_.front());
    held_.pop_front();
    for (const Piece& piece : held.pieces) {
      if (!piece.repeats) {
        ledger_.Released(piece.channel, piece.begin, piece.end, TokensUnjudged(piece), now);
      }
    }
    decoder_->Released(held.event);
    held_bytes_ -= held.event.bytes.size();
    step_.release += held.event.bytes;
  }
}

void StreamGuard::Refuse(GuardEventKind kind, const Error& error) {
  refusal_ = GuardEvent{kind, "", error.message};
  finished_ = true;
  WindowsOfAll(true);
}

// An error never names what the upstream sent: that has not been judged.
void StreamGuard::End(GuardEventKind why, const std::string& channel, const std::string& detail) {
  Tell(why, channel, detail);
  if (why == GuardEventKind::kViolation) {
    state_ = GuardState::kViolation;
    step_.release += decoder_->Ending(EndKind::kViolation, "");
  } else if (why == GuardEventKind::kCompleted) {
    state_ = GuardState::kCompleted;
  } else {
    state_ = GuardState::kFailed;
    const std::string message =
        why == GuardEventKind::kUpstreamFailed ? "the upstream did not finish its answer"
        : why == GuardEventKind::kRefused ? "the upstream's stream is not understood, or too large"
                                          : "the answer could not be checked in time";
    step_.release += decoder_->Ending(EndKind::kFailure, message);
  }
  step_.ask.clear();
  held_.clear();
  held_bytes_ = 0;
  waiting_.clear();
  pending_.clear();
}

void StreamGuard::Tell(GuardEventKind kind, const std::string& channel, std::string detail) {
  step_.events.push_back({kind, channel, std::move(detail)});
}

Step StreamGuard::Settle(Duration now) {
  if (!ended()) {
    Release(now);
    const bool full = !finished_ && held_bytes_ >= settings_.limits.held_bytes_max;
    if (full && pending_.empty()) {
      WindowsOfAll(false);
      Release(now);
      if (pending_.empty() && held_bytes_ >= settings_.limits.held_bytes_max) {
        Refuse(GuardEventKind::kRefused, {ErrorCode::kLimit, "more is held back than may be", ""});
      }
    }
    AskNext(now);
    if (finished_ && held_.empty() && pending_.empty()) {
      refusal_ ? End(refusal_->kind, "", refusal_->detail)
               : End(GuardEventKind::kCompleted, "", "");
    }
  }
  return std::exchange(step_, {});
}

}  // namespace safeguard::guard
