// One request on its way through the proxy: judged, passed on, and its answer judged before, or
// while, it is passed back.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http/guard/stream_guard.h"
#include "http/judging.h"
#include "http/message.h"
#include "http/metrics.h"
#include "http/problem.h"
#include "http/proxy/fail_modes.h"
#include "http/proxy/guarding.h"
#include "http/proxy/moderation_json.h"
#include "http/proxy/proxied_json.h"
#include "http/upstream.h"

namespace safeguard::http {

// What all exchanges share; outlives them.
struct ExchangeParts {
  Metrics& metrics;
  Upstream& upstream;
  std::function<moderation::TimeMs()> now;
  std::function<void(std::string_view)> log_line;
  const ProxyOptions& options;
};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  // `parts` and `guarding` outlive it.
  Exchange(const ExchangeParts& parts, const Guarding& guarding, ProxiedRequest proxied,
           UpstreamRequest upstream, std::shared_ptr<Request> request, Reply reply);

  // Judges the request, then calls `go_on` where it may be passed on, and `ended` where it was
  // answered at once; from a thread of the judging's.
  void JudgeInput(std::function<void()> go_on, std::function<void()> ended);
  // Passes it on and answers; returns when that is done. `go_on` led here.
  void Run();
  // From any thread: Run() ends soon.
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Score {
    std::uint64_t id = 0;
    guard::WindowScore score;
    JudgeAnswer answer;
    bool slow = false;  // of the slow judge
  };

  // -- input --
  [[nodiscard]] JudgeJob InputJob(guard::Duration time) const;
  bool DecideInput(const Result<JudgeAnswer>& answer);
  void AnswerStoppedInput();
  // -- whole answers --
  void RunWhole();
  bool ReadBody(std::string& body, Clock::time_point until);
  void JudgeWhole(ProxiedAnswer answer);
  // The whole answer's verdicts, kept in `output_`. False: there are none that decide.
  bool AskWhole(Judging& judging, const moderation::Content& content, guard::Duration time,
                bool last);
  // -- streams --
  void RunStream();
  void Pump(guard::StreamGuard& guard);
  void Keep(const Score& score);
  void Apply(guard::StreamGuard& guard, guard::Step step);
  void Take(const guard::GuardEvent& event);
  void Ask(const guard::ScoreRequest& request);
  void Post(Score score);
  std::vector<Score> TakeScores();
  void Send(const guard::StreamGuard& guard, std::string bytes);
  [[nodiscard]] std::string WithModeration(std::string bytes) const;
  void AddModeration(std::string& bytes) const;
  // -- both --
  bool AwaitHead(UpstreamEvent& head, Clock::time_point until);
  void RefuseUpstream(const UpstreamEvent& head);
  void AnswerProblem(const Problem& problem);
  void AnswerOutputNotJudged();
  void Answer(Response response);
  // A fail mode has acted on "input" or "output": told once each.
  void Acts(guard::FailMode mode, const char* side, const std::string& why);
  void FailedOpen(const char* side, const std::string& why);
  [[nodiscard]] static bool Decides(const Result<JudgeAnswer>& answer);
  // Whether the slow judge is to be asked about what the other one could not decide.
  [[nodiscard]] bool Degrades(guard::FailMode mode, ProxyMode side) const;
  // Submits, or answers that it could not.
  static void SubmitTo(Judging& judging, JudgeJob job, const JudgeDone& done);
  // Ends the exchange's telling: its line in the log, and its count.
  void Log(const char* state, const guard::StreamGuard* guard);
  void AddRoute(nlohmann::ordered_json& line) const;
  [[nodiscard]] guard::Duration Now() const;
  [[nodiscard]] nlohmann::ordered_json ModerationJson() const;

  const ExchangeParts& parts_;
  const Guarding& guarding_;
  ProxiedRequest proxied_;
  UpstreamRequest upstream_request_;
  std::shared_ptr<Request> request_;
  Reply reply_;
  SideVerdicts input_;
  SideVerdicts output_;
  ActedModes acted_;
  std::shared_ptr<BodyStream> body_;
  bool answered_ = false;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;  // of what follows
  std::unique_ptr<UpstreamCall> call_;
  std::vector<Score> scores_;
};

}  // namespace safeguard::http
