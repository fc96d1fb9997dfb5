// JobQueue: work that can wait, kept until somebody has done it. Implemented in storage/ on SQLite,
// in memory for tests; one contract test suite holds both to the same promises, and a distributed
// implementation is to be held to them too (docs/jobs.md says what that takes).
//
//   waiting --Take--> leased --Complete--> done          kept for a while, then pruned
//      ^                |  \--Bury-------> dead          kept until redriven, discarded or pruned
//      |                |                   |
//      +--Retry---------+     <--Redrive----+      waiting, leased --CallOff--> done
//      +--(the lease ends: its worker died)
//
// Delivery is at least once: a worker that dies leaves its lease to run out, and the job is handed
// out again. Nobody but the holder of the newest lease can change a job: each lease has a number,
// and an older one is refused. What a call has acknowledged survives a crash of the process and,
// where the implementation says so, of the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/policy_store.h"

namespace safeguard::moderation {

enum class JobState { kWaiting, kLeased, kDone, kDead };

const char* ToString(JobState state);  // "waiting", "leased", "done", "dead"
std::optional<JobState> JobStateFrom(std::string_view text);

inline constexpr std::size_t kJobPayloadBytesMax = std::size_t{4} << 20;
inline constexpr std::size_t kJobKeyBytesMax = 256;
inline constexpr std::size_t kJobProblemBytesMax = 2000;  // longer ones are cut
inline constexpr int kJobAttemptsMax = 1000;

struct NewJob {
  std::string kind;     // which workers take it: 1 to 32 of a-z, 0-9, '_', '-', '.'
  std::string payload;  // whoever takes it knows how to read it
  // The same kind and key are the same job for as long as the queue keeps it. Empty: always a new
  // one.
  std::string key{};
  // What the key stands for: the same key with another one is an error, not the same job.
  std::string fingerprint{};
  std::string parent{};  // the id of the job that it follows; empty: none
  double priority = 0;   // finite; higher goes first, whatever waits below
  TimeMs not_before = 0;
  TimeMs deadline = 0;   // past it the job is not worked on any more; 0: none
  int attempts_max = 5;  // 1..kJobAttemptsMax
};

struct Job {
  std::string id;  // given by the queue; never given again
  NewJob what;     // the payload of a done job is gone: it may hold what people wrote
  JobState state = JobState::kWaiting;
  int attempts = 0;        // begun since it was put in or redriven
  std::int64_t lease = 0;  // the number of its newest lease; 0: never leased
  TimeMs due = 0;          // waiting: not before; leased: when the lease ends
  std::string worker;      // that holds or held the lease
  std::string progress;    // what Save() kept
  std::string result;      // of a done one
  // Why the last attempt failed, or why it is dead or was called off; empty: nothing did, so that a
  // done job with a problem is one that was called off.
  std::string problem;
  TimeMs created = 0;
  TimeMs changed = 0;
};

// Why a leased job is handed out for burying alone: its worker must call Bury (so that whoever
// waits for it can be told in the same step) and do nothing else.
enum class Spent { kNo, kAttempts, kDeadline };

struct Lease {
  Job job;
  Spent spent = Spent::kNo;
};

struct Enqueued {
  std::string id;
  bool is_new = true;  // false: the key was there already; nothing was changed
};

struct TakeRequest {
  std::vector<std::string> kinds;  // any of these
  std::size_t count = 1;           // at most this many, 1..1000
  TimeMs lease_ms = 60'000;        // how long the worker may be silent
  std::string worker;              // for people: who holds it
};

struct QueueLimits {
  // Of jobs that are not done. Dead ones count: they hold their payload until somebody decides.
  std::size_t jobs_max = 100'000;
  std::size_t bytes_max = std::size_t{2} << 30;  // of their payloads
  // How long Prune() leaves them; 0: for ever.
  TimeMs done_kept_ms = TimeMs{7} * 24 * 3600 * 1000;
  TimeMs dead_kept_ms = TimeMs{90} * 24 * 3600 * 1000;
};

struct JobQuery {
  std::string kind{};  // empty: all
  std::optional<JobState> state{};
  std::optional<bool> called_off{};  // whether it was; empty: all
  std::string parent{};              // empty: all
  std::int64_t after = 0;            // the cursor of the last page
  std::size_t limit = 100;           // 1..kJobPageMax
};

inline constexpr std::size_t kJobPageMax = 1000;

struct JobPage {
  std::vector<Job> jobs;  // in the order they were put in; without payload, progress and result
  std::int64_t next = 0;  // `after` of the next page
  bool end = true;        // nothing follows now
};

struct JobCounts {
  std::size_t waiting = 0;  // the due ones too
  std::size_t due = 0;      // Take() would hand them out now, spent leases among them
  std::size_t leased = 0;
  std::size_t done = 0;
  std::size_t dead = 0;
  std::optional<TimeMs> next;  // when the next one falls due that is not now
};

// Thread-safe. `now` comes from the caller, and a clock that jumps makes jobs late or early, never
// lost. Errors: kLimit for what is over a limit (full queue, large payload), kNotFound for a job
// that is not there or a lease that is not the newest, kInvalidInput for a wrong argument,
// kUnavailable and kCorruptFile for the store itself. After an error nothing is changed.
class JobQueue {
 public:
  virtual ~JobQueue() = default;

  // All of `jobs` or none; ids in the same order. Returns when they are safe.
  virtual Result<std::vector<Enqueued>> Enqueue(std::span<const NewJob> jobs, TimeMs now) = 0;

  // Jobs that are due, by priority, then by the time they fell due. Each counts as begun, but for
  // spent ones.
  virtual Result<std::vector<Lease>> Take(const TakeRequest& request, TimeMs now) = 0;

  // Of a lease that is the newest, also when it has run out and nobody took the job meanwhile:
  //
  // The lease ends at `until`.
  virtual Status Extend(const Lease& lease, TimeMs until) = 0;
  // Keeps what the next attempt need not do again.
  virtual Status Save(const Lease& lease, std::string_view progress) = 0;
  // Done. `follow_ups` are put in with it, all or nothing, whatever the limits: what was taken in
  // is seen through.
  virtual Status Complete(const Lease& lease, std::string_view result,
                          std::span<const NewJob> follow_ups, TimeMs now) = 0;
  // Failed, to be tried again: also when no attempts are left, so that the next worker buries it.
  virtual Status Retry(const Lease& lease, TimeMs not_before, std::string_view problem,
                       TimeMs now) = 0;
  // Given back untouched, due again at `not_before`: the attempt does not count. `problem` says
  // why, for people; empty leaves what stands there.
  virtual Status Release(const Lease& lease, TimeMs not_before, std::string_view problem,
                         TimeMs now) = 0;
  // Dead, for `problem`, with `follow_ups` as in Complete.
  virtual Status Bury(const Lease& lease, std::string_view problem,
                      std::span<const NewJob> follow_ups, TimeMs now) = 0;

  // A dead job waits again, due at once, with all its attempts, without its deadline.
  virtual Status Redrive(const std::string& id, TimeMs now) = 0;
  // A job that waits or that somebody works on is done at once, with `result`, for `problem`, which
  // is not empty. Its worker has lost the lease: nothing that comes of its work is kept.
  virtual Status CallOff(const std::string& id, std::string_view result, std::string_view problem,
                         TimeMs now) = 0;
  // A dead job is given up for good.
  virtual Status Discard(const std::string& id) = 0;
  // Removes what has been kept long enough, at most `count`; how many it were.
  virtual Result<std::size_t> Prune(std::size_t count, TimeMs now) = 0;

  virtual Result<Job> Find(const std::string& id) = 0;
  virtual Result<JobPage> List(const JobQuery& query) = 0;
  // Of one kind; empty: of all.
  virtual Result<JobCounts> Counts(const std::string& kind, TimeMs now) = 0;
};

// In memory, for tests and for whoever can lose everything with the process.
std::unique_ptr<JobQueue> MemoryJobQueue(const QueueLimits& limits);

// What implementations share. Kind, key, sizes, numbers.
Status CheckNewJob(const NewJob& job);
Status CheckTake(const TakeRequest& request);
Status CheckQuery(const JobQuery& query);
// When a waiting job falls due: a deadline before `not_before` brings it out to be buried.
TimeMs DueAt(TimeMs not_before, TimeMs deadline);
Spent SpentOf(const Job& job, TimeMs now);
std::string CutProblem(std::string_view problem);
std::unexpected<Error> NoSuchJob(const std::string& id);
std::unexpected<Error> LeaseLost(const Lease& lease);
std::unexpected<Error> NotDead(const std::string& id, JobState state);
// Whether it can still be called off, and may be for `problem`.
Status CheckCallOff(const Job& job, std::string_view problem);
bool WasCalledOff(const Job& job);
std::unexpected<Error> OtherFingerprint(const NewJob& job);
std::unexpected<Error> QueueFull(const std::string& what, std::size_t dead);

}  // namespace safeguard::moderation
