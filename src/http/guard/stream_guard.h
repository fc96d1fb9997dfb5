// StreamGuard: an upstream's bytes go in, bytes that may be released come out, and nothing beyond
// the contract ever leaves. A state machine: it reads no clock, waits for nothing and judges
// nothing itself. The caller brings bytes, times and scores, and sends what a Step says.
//
//   guard.Feed(bytes, now)    -> step.release to the client, step.ask to the scorers
//   guard.Scored(id, s, now)  -> the same, as often as there were requests, in any order
//   guard.Tick(now)           -> at next_deadline(): text that waits, an upstream that stalls
//   guard.Finish(now)         -> the upstream is done; go on until ended()
//
// Used by one thread at a time. What is released depends on the bytes, the scores and the times,
// never on how the bytes were cut into Feed() calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/guard/guard_settings.h"
#include "http/guard/ledger.h"
#include "http/guard/window_scorer.h"
#include "http/guard/wire_decoder.h"

namespace safeguard::guard {

enum class GuardEventKind {
  kViolation,       // the stream ended here
  kRefused,         // not understood, or over a limit; the stream ended
  kNotJudged,       // closed: text could not be judged; the stream ended
  kFailedOpen,      // open: text passes unjudged
  kDegraded,        // the slow judge is asked because the fast one could not judge
  kDoubt,           // the slow judge is asked, and the stream waits
  kExposedTooLong,  // the contract's time ran out before a verdict came
  kUpstreamFailed,  // it stalled, or stopped in the middle; the stream ended
  kCompleted,       // everything was judged and released
};

const char* ToString(GuardEventKind kind);

struct GuardEvent {
  GuardEventKind kind = GuardEventKind::kCompleted;
  std::string channel;  // may be empty
  std::string detail;   // no content: ids, scores, limits
};

struct Step {
  std::string release;
  std::vector<ScoreRequest> ask;
  std::vector<GuardEvent> events;
};

enum class GuardState {
  kRunning,
  kCompleted,
  kViolation,
  kFailed,  // refused, not judged, upstream failed
};

const char* ToString(GuardState state);

class StreamGuard {
 public:
  // REQUIRES: CheckSettings(settings). `now` is when the upstream was asked.
  StreamGuard(GuardSettings settings, Duration now);
  ~StreamGuard();
  StreamGuard(const StreamGuard&) = delete;
  StreamGuard& operator=(const StreamGuard&) = delete;

  // Times never fall. After ended() every call returns an empty step.
  Step Feed(std::string_view bytes, Duration now);
  Step Scored(std::uint64_t id, const WindowScore& score, Duration now);
  Step Tick(Duration now);
  // The upstream has closed. `broken`: it did not do so properly (a reset, a time-out).
  Step Finish(bool broken, Duration now);

  [[nodiscard]] bool ended() const { return state_ != GuardState::kRunning; }
  [[nodiscard]] GuardState state() const { return state_; }
  // False: too much is held back; read no more from the upstream until a step releases something.
  // Feeding all the same is safe up to twice held_bytes_max, and refused beyond.
  [[nodiscard]] bool wants_input() const;
  // When Tick() is to be called at the latest.
  [[nodiscard]] std::optional<Duration> next_deadline() const;
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
  // Fields that were taken out of the stream.
  [[nodiscard]] std::size_t dropped_fields() const { return decoder_->dropped(); }

 private:
  struct Window {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::uint64_t id = 0;                // of its request; 0: white space, never asked about
    std::optional<ScannedRange> result;  // once judged, or passed unjudged
  };
  struct Channel {
    std::string name;
    TextKind kind = TextKind::kContent;
    std::string text;
    std::size_t windowed_to = 0;
    std::size_t window_count = 0;
    std::deque<Window> windows;  // not yet in the ledger
    std::string before;          // the end of the content channel before this one
  };
  struct Pending {
    AskKind kind = AskKind::kWindow;
    std::size_t channel = 0;
    std::size_t end = 0;      // of the window in its channel
    std::uint64_t about = 0;  // of kPrefix: the request in doubt
    AskKind about_kind = AskKind::kWindow;
    std::string text;  // emptied when asked
    std::size_t fresh = 0;
    std::optional<Duration> until{};  // once asked
  };
  struct Piece {
    std::size_t channel = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool whole = false;    // never visible before it is judged
    bool repeats = false;  // text that an earlier piece has released
  };
  struct Held {
    WireEvent event;
    std::vector<Piece> pieces;
    std::uint64_t gate = 0;  // a request of kind kWhole that it waits for; 0: none
  };

  void Accept(WireEvent event, Duration now);
  void AddText(const WireText& text, Held& held);
  std::size_t ChannelNamed(const std::string& name, TextKind kind);
  [[nodiscard]] std::optional<Piece> Repeated(const WireText& text) const;
  // Makes windows of what the text settles; with `all` of the rest too.
  void MakeWindows(std::size_t channel, bool all);
  void AddWindow(std::size_t channel, std::size_t end);
  void WindowsOfAll(bool tools_too);
  std::uint64_t AskWhole();
  void AskNext(Duration now);
  void AskSlow(std::uint64_t id, const Pending& about, Duration now);
  void Decide(std::uint64_t id, const Pending& pending, const WindowScore& score, Duration now);
  void Pass(std::uint64_t id, const Pending& pending, const WindowScore& score, bool judged);
  void NotJudged(std::uint64_t id, const Pending& pending, const std::string& why, Duration now);
  [[nodiscard]] bool Scanned(const Piece& piece) const;
  [[nodiscard]] std::size_t TokensUnjudged(const Piece& piece) const;
  [[nodiscard]] bool MayRelease(const Held& held) const;
  void Release(Duration now);
  void Refuse(GuardEventKind kind, const Error& error);
  void End(GuardEventKind why, const std::string& channel, const std::string& detail);
  void CheckTimes(Duration now);
  void Tell(GuardEventKind kind, const std::string& channel, std::string detail);
  Step Settle(Duration now);

  GuardSettings settings_;
  std::unique_ptr<WireDecoder> decoder_;
  Ledger ledger_;
  GuardState state_ = GuardState::kRunning;
  std::vector<Channel> channels_;
  std::map<std::string, std::size_t, std::less<>> channel_by_name_;
  std::map<std::string, Piece, std::less<>> fields_;  // what was seen of kField
  std::optional<std::size_t> last_content_;           // the channel that began last
  std::deque<Held> held_;
  std::size_t held_bytes_ = 0;
  std::size_t text_bytes_ = 0;
  std::uint64_t next_id_ = 1;
  std::deque<std::uint64_t> waiting_;         // to be asked
  std::map<std::uint64_t, Pending> pending_;  // waiting or asked
  std::size_t in_flight_ = 0;
  std::size_t windows_asked_ = 0;
  std::uint64_t whole_asked_ = 0;      // the last request of kind kWhole
  std::size_t whole_asked_bytes_ = 0;  // text_bytes_ at that time
  std::uint64_t whole_done_ = 0;       // the last one that was passed
  bool suspicious_ = false;            // nothing is shown unjudged
  bool finished_ = false;              // no more input is looked at
  bool unflushed_ = false;             // input came since the last idle time
  bool told_exposed_ = false;
  std::optional<GuardEvent> refusal_;  // to be told once what came before it is judged
  Duration last_input_;
  Step step_;
};

}  // namespace safeguard::guard
