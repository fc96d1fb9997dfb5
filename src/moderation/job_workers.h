// The two workers on a JobQueue: one asks a Judge for the final verdicts and records them, one
// tells webhooks. Any number of both, in any number of processes, may work on one queue.
//
// A judgement goes: taken, judged, saved (the verdicts are in the queue), recorded (in the verdict
// log, under a key), finished (done, with the notice in the queue: one transaction). A notice goes:
// taken, sent, acknowledged. A worker that dies between two steps leaves the job to the next one,
// which begins after the last step that was kept: no verdict is given twice, recorded twice or
// lost, and a notice may be sent twice but always under the same id.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/cascade.h"
#include "moderation/clock.h"
#include "moderation/job_queue.h"
#include "moderation/judge.h"
#include "moderation/judgement_job.h"
#include "moderation/message_sender.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation {

// Waits between attempts: first_ms * factor^(failures - 1), at most most_ms, of which the second
// half is left to chance ("equal jitter"), so that many failures at once do not come back at once.
struct RetryRule {
  TimeMs first_ms = 5'000;
  double factor = 3;
  TimeMs most_ms = TimeMs{12} * 3600 * 1000;
};

// REQUIRES: failures >= 1.
TimeMs DelayAfter(const RetryRule& rule, int failures, RandomSource& random);

// What has happened to a job, as soon as it has. Observers may be slow: the job is then late.
enum class JobStep {
  kTaken,
  kJudged,    // verdicts are there, nowhere kept
  kSaved,     // kept in the queue
  kRecorded,  // and in the verdict log
  kFinished,  // done, its notice in the queue
  kSent,      // the webhook has it
  kAcknowledged,
  kPutBack,   // to be tried again
  kReleased,  // given back untouched
  kBuried,
};
const char* ToString(JobStep step);  // "taken", ...

struct JobEvent {
  JobStep step = JobStep::kTaken;
  const Job* job = nullptr;
  std::string detail;   // for a person: the problem, the outcomes; may be empty
  TimeMs retry_at = 0;  // of kPutBack
};

// A policy made ready for the judge: by its text where the job brings it, else by id and hash.
// kNotFound: it is nowhere; the job is buried until somebody publishes it and redrives.
using PolicySource =
    std::function<Result<std::shared_ptr<const PreparedPolicy>>(const JudgedPolicy&)>;

// Who finishes what a route put off: its cascade, and its policies made ready for that cascade.
struct RouteFinish {
  Cascade* cascade = nullptr;  // outlives the worker
  PolicySource policies;
  std::string setup{};  // of that cascade, for Provenance::setup; may be empty
};
// An error: nobody here can; the job is given back untouched for a while.
using RouteSource = std::function<Result<RouteFinish>(const Judgement&)>;

struct WorkerOptions {
  std::function<TimeMs()> now;                    // REQUIRES: set
  RandomSource* random = nullptr;                 // REQUIRES: set
  std::function<void(const JobEvent&)> on_event;  // may be empty
  // Of a judgement that has become final, once it is kept: for whoever counts audits of the screen.
  // Not told again after a crash. May be empty.
  std::function<void(const Judgement&, const std::vector<VerdictRecord>&)> on_final;
  // Of judgements that name a route; empty: the worker's judge finishes them as it does all.
  RouteSource routes;
  // How long a job waits that its route has no budget for, and one that nobody here can finish.
  TimeMs no_room_ms = 2'000;
  TimeMs nobody_ms = 60'000;
  std::string name;  // for people
  // Of the worker's judge, for Provenance::setup of what it decides; may be empty.
  std::string setup;
  RetryRule retry;
  // How long a worker may be dead before its jobs go to others. While it judges it extends them.
  TimeMs lease_ms = 60'000;
  std::size_t batch = 8;  // jobs taken at once, 1..1000
  std::string webhook;    // told of judgements that name none themselves; empty: nobody is
  int notice_attempts = 12;
  TimeMs retry_after_most_ms = TimeMs{24} * 3600 * 1000;  // longer waits asked for are cut to it
};

// Work() takes what is due and sees it through; how many jobs it took, 0: nothing is due. An error
// is of the queue or the log (locked, full disk): nothing acknowledged is lost, wait and call it
// again. One thread at a time.
class JobWorker {
 public:
  virtual ~JobWorker() = default;
  virtual Result<std::size_t> Work() = 0;
};

// All given must outlive the worker. What the judge could not decide for want of time or means is
// tried again; any other verdict is final, also an undetermined one. A null judge: judgements that
// name no route are left to others.
std::unique_ptr<JobWorker> JudgementWorker(JobQueue& queue, VerdictLog& log, Judge* judge,
                                           PolicySource policies, WorkerOptions options);
std::unique_ptr<JobWorker> NoticeWorker(JobQueue& queue, MessageSender& sender,
                                        WorkerOptions options);

}  // namespace safeguard::moderation
