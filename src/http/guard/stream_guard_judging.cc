// The judging half of StreamGuard: text into windows, windows into requests, scores into the
// ledger.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "http/guard/json_event.h"
#include "http/guard/stream_guard.h"
#include "http/guard/windows.h"

namespace safeguard::guard {
namespace {

constexpr std::size_t kWholeBytesMax = std::size_t{1} << 20;

// The last `bytes_max` bytes, from a character's start.
std::string_view Tail(std::string_view text, std::size_t bytes_max) {
  std::size_t begin = text.size() - std::min(text.size(), bytes_max);
  while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) {
    ++begin;
  }
  return text.substr(begin);
}

// A tool call as a reader of the JSON sees it; the JSON itself too, where that differs.
std::string ToolText(const std::string& json) {
  std::string text = Unescaped(json);
  return text == json ? json : json + "\n" + text;
}

std::string Describe(const WindowScore& score) {
  std::string text = score.by;
  if (score.score) {
    text += " " + std::to_string(*score.score).substr(0, 5);
  }
  text += text.empty() || score.detail.empty() ? "" : ": ";
  return text + score.detail;
}

}  // namespace

void StreamGuard::Accept(WireEvent event, Duration) {
  Held held;
  for (const WireText& text : event.texts) {
    AddText(text, held);
    if (finished_) {
      return;  // over a limit: this event is not released
    }
  }
  for (const std::string& name : event.closes) {
    const auto found = channel_by_name_.find(name);
    if (found != channel_by_name_.end()) {
      MakeWindows(found->second, true);
    }
  }
  if (event.answer_ends) {
    WindowsOfAll(true);
    held.gate = AskWhole();
  }
  event.texts.clear();
  held_bytes_ += event.bytes.size();
  held.event = std::move(event);
  held_.push_back(std::move(held));
}

void StreamGuard::AddText(const WireText& text, Held& held) {
  if (text.kind == TextKind::kField) {
    if (const std::optional<Piece> repeated = Repeated(text)) {
      held.pieces.push_back(*repeated);
      return;
    }
  }
  const GuardLimits& limits = settings_.limits;
  if (!channel_by_name_.contains(text.channel) && channels_.size() >= limits.channels_max) {
    Refuse(GuardEventKind::kRefused,
           {ErrorCode::kLimit, "more channels than " + std::to_string(limits.channels_max), ""});
    return;
  }
  const std::size_t number = ChannelNamed(text.channel, text.kind);
  Channel& channel = channels_[number];
  const std::size_t begin = channel.text.size();
  channel.text += text.text;
  channel.text += text.kind == TextKind::kField ? "\n" : "";
  text_bytes_ += channel.text.size() - begin;
  if (text_bytes_ > limits.text_bytes_max) {
    Refuse(GuardEventKind::kRefused,
           {ErrorCode::kLimit, "more text than " + std::to_string(limits.text_bytes_max) + " bytes",
            ""});
    return;
  }
  if (text.kind == TextKind::kTool && channel.text.size() > limits.tool_call_bytes_max) {
    Refuse(
        GuardEventKind::kRefused,
        {ErrorCode::kLimit,
         "a tool call of more than " + std::to_string(limits.tool_call_bytes_max) + " bytes", ""});
    return;
  }
  const bool whole = text.kind == TextKind::kTool || text.kind == TextKind::kField;
  const Piece piece{number, begin, channel.text.size(), whole, false};
  held.pieces.push_back(piece);
  if (text.kind == TextKind::kField) {
    fields_.emplace(text.text, Piece{number, begin, piece.end, true, true});
  }
  if (text.kind != TextKind::kTool) {
    MakeWindows(number, text.kind == TextKind::kField);
  }
}

std::size_t StreamGuard::ChannelNamed(const std::string& name, TextKind kind) {
  const auto found = channel_by_name_.find(name);
  if (found != channel_by_name_.end()) {
    return found->second;
  }
  const std::size_t number = ledger_.AddChannel(name);
  channel_by_name_.emplace(name, number);
  Channel channel;
  channel.name = name;
  channel.kind = kind;
  if (kind == TextKind::kContent) {
    if (last_content_) {
      channel.before = Tail(channels_[*last_content_].text, settings_.windows.overlap_bytes);
    }
    last_content_ = number;
  }
  channels_.push_back(std::move(channel));
  return number;
}

// A field that was there before, or that says again what a channel has said.
auto StreamGuard::Repeated(const WireText& text) const -> std::optional<Piece> {
  const auto field = fields_.find(text.text);
  if (field != fields_.end()) {
    return field->second;
  }
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    if (channels_[c].kind != TextKind::kField && channels_[c].text == text.text) {
      return Piece{c, 0, text.text.size(), true, true};
    }
  }
  return std::nullopt;
}

void StreamGuard::MakeWindows(std::size_t number, bool all) {
  Channel& channel = channels_[number];
  const bool at_once = channel.kind == TextKind::kTool || channel.kind == TextKind::kField;
  while (!at_once) {
    const std::optional<std::size_t> end =
        WindowEnd(channel.text, channel.windowed_to, channel.window_count, settings_.windows);
    if (!end) {
      break;
    }
    AddWindow(number, *end);
  }
  if (all && channel.windowed_to < channel.text.size()) {
    AddWindow(number, channel.text.size());
  }
}

void StreamGuard::AddWindow(std::size_t number, std::size_t end) {
  Channel& channel = channels_[number];
  const std::size_t begin = std::exchange(channel.windowed_to, end);
  ++channel.window_count;
  const std::string_view text = channel.text;
  if (IsBlank(text.substr(begin, end - begin))) {
    channel.windows.push_back({begin, end, 0, ScannedRange{begin, end, 0, "blank", {}, true}});
    Pending blank;
    blank.channel = number;
    Pass(0, blank, {}, true);
    return;
  }
  const std::uint64_t id = next_id_++;
  Pending pending;
  pending.channel = number;
  pending.end = end;
  if (channel.kind == TextKind::kTool) {
    pending.text = ToolText(channel.text);
  } else {
    const std::size_t overlap = settings_.windows.overlap_bytes;
    const std::size_t context =
        channel.kind == TextKind::kField ? begin : ContextBegin(text, begin, overlap);
    if (context == 0 && !channel.before.empty() && begin < overlap) {
      pending.text = channel.before + "\n";
    }
    pending.text += text.substr(context, begin - context);
    pending.fresh = pending.text.size();
    pending.text += text.substr(begin, end - begin);
  }
  channel.windows.push_back({begin, end, id, std::nullopt});
  pending_.emplace(id, std::move(pending));
  waiting_.push_back(id);
  ++windows_asked_;
}

void StreamGuard::WindowsOfAll(bool tools_too) {
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    if (tools_too || channels_[c].kind != TextKind::kTool) {
      MakeWindows(c, true);
    }
  }
}

// The gate of an event behind which no more answer comes: 0 when there is nothing to add to what
// the windows say.
std::uint64_t StreamGuard::AskWhole() {
  if (!settings_.whole_pass || windows_asked_ < 2) {
    return 0;
  }
  if (whole_asked_bytes_ == text_bytes_) {
    return whole_asked_;
  }
  Pending pending;
  pending.kind = AskKind::kWhole;
  for (const Channel& channel : channels_) {
    if (channel.kind != TextKind::kField && !IsBlank(channel.text)) {
      pending.text += pending.text.empty() ? "" : "\n\n";
      pending.text += channel.kind == TextKind::kTool ? ToolText(channel.text) : channel.text;
    }
  }
  whole_asked_bytes_ = text_bytes_;
  if (pending.text.empty()) {
    return whole_asked_;
  }
  pending.text = Tail(pending.text, kWholeBytesMax);
  whole_asked_ = next_id_++;
  pending_.emplace(whole_asked_, std::move(pending));
  waiting_.push_back(whole_asked_);
  return whole_asked_;
}

void StreamGuard::AskNext(Duration now) {
  while (!ended() && !waiting_.empty() && in_flight_ < settings_.windows.in_flight_max) {
    const std::uint64_t id = waiting_.front();
    waiting_.pop_front();
    Pending& pending = pending_.at(id);
    pending.until = now + settings_.limits.score_max;
    ++in_flight_;
    const std::string name = pending.kind == AskKind::kWhole ? "" : channels_[pending.channel].name;
    step_.ask.push_back(
        {id, pending.kind, name, std::exchange(pending.text, std::string()), pending.fresh});
  }
}

void StreamGuard::AskSlow(std::uint64_t about_id, const Pending& about, Duration now) {
  suspicious_ = true;
  Pending pending;
  pending.kind = AskKind::kPrefix;
  pending.channel = about.channel;
  pending.end = about.end;
  pending.about = about_id;
  pending.about_kind = about.kind;
  pending.until = now + settings_.limits.slow_max;
  ScoreRequest request{next_id_++, AskKind::kPrefix, "", "", 0};
  if (about.kind == AskKind::kWhole) {
    for (const Channel& channel : channels_) {
      request.text += channel.kind == TextKind::kField ? "" : channel.text + "\n\n";
    }
  } else {
    const Channel& channel = channels_[about.channel];
    request.channel = channel.name;
    request.text = channel.kind == TextKind::kTool
                       ? ToolText(channel.text)
                       : channel.before + (channel.before.empty() ? "" : "\n") +
                             channel.text.substr(0, about.end);
  }
  request.text = Tail(request.text, kWholeBytesMax);
  pending_.emplace(request.id, std::move(pending));
  step_.ask.push_back(std::move(request));
}

void StreamGuard::Decide(std::uint64_t id, const Pending& pending, const WindowScore& score,
                         Duration now) {
  const std::string channel =
      pending.kind == AskKind::kWhole ? "" : channels_[pending.channel].name;
  const bool slow = pending.kind == AskKind::kPrefix;
  const bool over =
      settings_.violation_at && score.score && *score.score >= *settings_.violation_at;
  if (score.outcome == moderation::Outcome::kViolation || over) {
    End(GuardEventKind::kViolation, channel, Describe(score));
    return;
  }
  const bool uncertain = score.outcome == moderation::Outcome::kUndetermined &&
                         score.reason == moderation::UndeterminedReason::kUncertain;
  const bool doubted = score.score && settings_.doubt_at && *score.score >= *settings_.doubt_at;
  if (!slow && settings_.doubt_at && (doubted || uncertain)) {
    Tell(GuardEventKind::kDoubt, channel, Describe(score));
    AskSlow(id, pending, now);
    return;
  }
  // The operator's own threshold decides what the judge is only unsure of.
  const bool below = uncertain && settings_.violation_at && score.score;
  if (score.outcome == moderation::Outcome::kUndetermined && !below) {
    NotJudged(id, pending, Describe(score), now);
    return;
  }
  suspicious_ = told_exposed_ || (!slow && score.score && *score.score >= settings_.calm_below);
  Pass(id, pending, score, true);
}

// The window, or the whole, that the request was about may be released as far as it is concerned.
void StreamGuard::Pass(std::uint64_t id, const Pending& pending, const WindowScore& score,
                       bool judged) {
  const bool slow = pending.kind == AskKind::kPrefix;
  if ((slow ? pending.about_kind : pending.kind) == AskKind::kWhole) {
    whole_done_ = std::max(whole_done_, slow ? pending.about : id);
    return;
  }
  Channel& channel = channels_[pending.channel];
  const std::uint64_t window_id = slow ? pending.about : id;
  for (Window& window : channel.windows) {
    if (window.id == window_id && window_id != 0) {
      window.result = ScannedRange{window.begin, window.end, id, score.by, score.score, judged};
    }
  }
  while (!channel.windows.empty() && channel.windows.front().result) {
    ledger_.Scanned(pending.channel, std::move(*channel.windows.front().result));
    channel.windows.pop_front();
  }
}

void StreamGuard::NotJudged(std::uint64_t id, const Pending& pending, const std::string& why,
                            Duration now) {
  const std::string channel =
      pending.kind == AskKind::kWhole ? "" : channels_[pending.channel].name;
  const bool slow = pending.kind == AskKind::kPrefix;
  switch (settings_.fail_mode) {
    case FailMode::kDegrade:
      if (!slow) {
        Tell(GuardEventKind::kDegraded, channel, why);
        AskSlow(id, pending, now);
        return;
      }
      [[fallthrough]];
    case FailMode::kClosed:
      End(GuardEventKind::kNotJudged, channel, why);
      return;
    case FailMode::kOpen: {
      Tell(GuardEventKind::kFailedOpen, channel, why);
      suspicious_ = true;
      WindowScore unjudged;
      unjudged.by = "unjudged";
      Pass(id, pending, unjudged, false);
      return;
    }
  }
}

}  // namespace safeguard::guard
