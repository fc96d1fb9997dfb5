// Judging: requests that arrive together are judged together. A request waits in a bounded queue
// until a worker takes it, with every other one that asks for the same policies; it is answered at
// its deadline at the latest, `undetermined` then, and what the judge says later is recorded. Long
// requests have a worker of their own, so that short ones never wait behind them, and one whose
// time is up goes on only while nobody waits for that worker.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/metrics.h"
#include "http/policy_shelf.h"
#include "moderation/cascade.h"
#include "moderation/content.h"
#include "moderation/judge.h"
#include "moderation/verdict_log.h"

namespace safeguard::http {

// Who hears how one content is judged. Called from threads of Judging and of the judge; must not
// block. `begun` comes first, once, unless the job is answered before a worker has taken it; after
// the answer nothing comes that matters.
struct Audience {
  std::function<void()> begun;
  // Whole characters of the reasoning; null where it is about all policies of the job together.
  std::function<void(const moderation::PolicyReference* policy, std::string_view text)> reasoning;
  std::stop_token gone;  // nobody hears any more: the judging is called off
};

struct JudgeJob {
  std::vector<std::string> policies;  // names for PolicyShelf; empty: its default ones
  bool of_operator = false;           // they stand in the server's own configuration
  std::vector<moderation::Content> contents;
  std::string account;  // whom a canary's percentage follows; empty: the content
  // Where not empty the log keeps one record of each verdict, however often the job is sent.
  std::string key;
  std::chrono::steady_clock::time_point deadline{};
  // A window of a stream, of which there are many, and which is judged again as part of a whole: of
  // what is safe nothing is recorded, no shadow judges it, and no follow-up comes of it
  // (Judge::DecideInPassing).
  bool in_passing = false;
  // Not null: the job is judged alone, aloud. REQUIRES: exactly one content.
  std::shared_ptr<const Audience> audience{};
};

struct JudgeAnswer {
  // Content-major: verdicts[c * policies + p].
  std::vector<moderation::Verdict> verdicts;
  std::vector<moderation::Channel> channels;
  std::size_t policies = 0;
};

using JudgeDone = std::function<void(Result<JudgeAnswer>)>;

struct JudgingOptions {
  std::size_t workers = 1;                // calls of the judge at once, beside one for long jobs
  std::size_t long_bytes = 32 << 10;      // of a job's contents, from which on it is a long one
  std::size_t batch_contents_max = 64;    // of one call
  std::size_t queue_contents_max = 2048;  // waiting; beyond it jobs are refused
  bool keep_content = false;              // in the verdict log
};

struct JudgingParts {
  moderation::Judge& judge;
  PolicyShelf& shelf;
  moderation::VerdictLog* log = nullptr;  // null: nothing is recorded
  Metrics& metrics;
  std::function<moderation::TimeMs()> now;  // of records
  // The judge, where it is a route's cascade: it is told how long somebody waits. May be null.
  moderation::Cascade* cascade = nullptr;
};

// Thread-safe.
class Judging {
 public:
  Judging(const JudgingParts& parts, const JudgingOptions& options);
  ~Judging();  // Stop()
  Judging(const Judging&) = delete;
  Judging& operator=(const Judging&) = delete;

  // False, and `done` is not called, when the queue is full or the service is stopping. Else `done`
  // is called exactly once, from a thread of this class: with verdicts that are recorded, where
  // there is a log; at the deadline with undetermined ones; or with why there are none (unknown
  // policy, the log or the store cannot be used).
  // REQUIRES: at least one content.
  bool Submit(JudgeJob job, JudgeDone done);

  // From now on; what waits already stays.
  void SetQueueMax(std::size_t contents);
  // Contents that wait.
  [[nodiscard]] std::size_t waiting() const;
  // How long a new job would wait, from what jobs took lately. For Retry-After.
  [[nodiscard]] std::chrono::milliseconds Delay() const;

  // Judges what waits already, then ends the workers.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace safeguard::http
