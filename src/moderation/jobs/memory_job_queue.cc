#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "moderation/job_queue.h"

namespace safeguard::moderation {
namespace {

class MemoryQueue final : public JobQueue {
 public:
  explicit MemoryQueue(const QueueLimits& limits) : limits_(limits) {}

  Result<std::vector<Enqueued>> Enqueue(std::span<const NewJob> jobs, TimeMs now) override;
  Result<std::vector<Lease>> Take(const TakeRequest& request, TimeMs now) override;
  Status Extend(const Lease& lease, TimeMs until) override;
  Status Save(const Lease& lease, std::string_view progress) override;
  Status Complete(const Lease& lease, std::string_view result, std::span<const NewJob> follow_ups,
                  TimeMs now) override;
  Status Retry(const Lease& lease, TimeMs not_before, std::string_view problem,
               TimeMs now) override;
  Status Release(const Lease& lease, TimeMs not_before, std::string_view problem,
                 TimeMs now) override;
  Status Bury(const Lease& lease, std::string_view problem, std::span<const NewJob> follow_ups,
              TimeMs now) override;
  Status Redrive(const std::string& id, TimeMs now) override;
  Status CallOff(const std::string& id, std::string_view result, std::string_view problem,
                 TimeMs now) override;
  Status Discard(const std::string& id) override;
  Result<std::size_t> Prune(std::size_t count, TimeMs now) override;
  Result<Job> Find(const std::string& id) override;
  Result<JobPage> List(const JobQuery& query) override;
  Result<JobCounts> Counts(const std::string& kind, TimeMs now) override;

 private:
  using Jobs = std::map<std::int64_t, Job>;  // by the order they were put in

  // REQUIRES: mutex_ is held, for all below.
  Jobs::iterator At(const std::string& id) {
    return std::ranges::find_if(jobs_, [&](const auto& item) { return item.second.id == id; });
  }
  // Null: not the newest lease of a leased job.
  Job* Held(const Lease& lease) {
    const auto at = At(lease.job.id);
    const bool held = at != jobs_.end() && at->second.state == JobState::kLeased &&
                      at->second.lease == lease.job.lease;
    return held ? &at->second : nullptr;
  }
  Result<Enqueued> Known(const NewJob& job);
  Enqueued Put(const NewJob& job, TimeMs now);
  [[nodiscard]] Status CheckRoom() const;
  Status Finish(const Lease& lease, JobState state, std::string_view result,
                std::string_view problem, std::span<const NewJob> follow_ups, TimeMs now);

  QueueLimits limits_;
  std::mutex mutex_;
  Jobs jobs_;
  std::int64_t last_ = 0;
};

// kNotFound: the key is a new one, or there is none.
Result<Enqueued> MemoryQueue::Known(const NewJob& job) {
  const auto at = std::ranges::find_if(jobs_, [&](const auto& item) {
    const NewJob& other = item.second.what;
    return !job.key.empty() && other.kind == job.kind && other.key == job.key;
  });
  if (at == jobs_.end()) {
    return NoSuchJob(job.key);
  }
  if (at->second.what.fingerprint != job.fingerprint) {
    return OtherFingerprint(job);
  }
  return Enqueued{at->second.id, false};
}

Enqueued MemoryQueue::Put(const NewJob& job, TimeMs now) {
  Job put;
  put.id = "memory-" + std::to_string(++last_);
  put.what = job;
  put.due = DueAt(job.not_before, job.deadline);
  put.created = now;
  put.changed = now;
  Enqueued enqueued{put.id, true};
  jobs_.emplace(last_, std::move(put));
  return enqueued;
}

Status MemoryQueue::CheckRoom() const {
  std::size_t dead = 0;
  std::size_t there = 0;
  std::size_t held = 0;
  for (const auto& [sequence, job] : jobs_) {
    if (job.state != JobState::kDone) {
      ++there;
      held += job.what.payload.size();
      dead += job.state == JobState::kDead ? 1 : 0;
    }
  }
  if (there > limits_.jobs_max) {
    return QueueFull(std::to_string(limits_.jobs_max) + " jobs", dead);
  }
  if (held > limits_.bytes_max) {
    return QueueFull(std::to_string(limits_.bytes_max) + " bytes", dead);
  }
  return {};
}

Result<std::vector<Enqueued>> MemoryQueue::Enqueue(std::span<const NewJob> jobs, TimeMs now) {
  for (const NewJob& job : jobs) {
    if (const Status good = CheckNewJob(job); !good) {
      return std::unexpected(good.error());
    }
  }
  const std::lock_guard lock(mutex_);
  const std::int64_t before = last_;
  std::vector<Enqueued> put;
  Status failed;
  for (const NewJob& job : jobs) {
    Result<Enqueued> known = Known(job);
    if (!known && known.error().code != ErrorCode::kNotFound) {
      failed = std::unexpected(known.error());
      break;
    }
    put.push_back(known ? *known : Put(job, now));
  }
  if (failed && last_ > before) {
    failed = CheckRoom();
  }
  if (!failed) {
    jobs_.erase(jobs_.upper_bound(before), jobs_.end());
    return std::unexpected(failed.error());
  }
  return put;
}

Result<std::vector<Lease>> MemoryQueue::Take(const TakeRequest& request, TimeMs now) {
  if (const Status good = CheckTake(request); !good) {
    return std::unexpected(good.error());
  }
  const std::lock_guard lock(mutex_);
  std::vector<Job*> due;
  for (auto& [sequence, job] : jobs_) {
    const bool open = job.state == JobState::kWaiting || job.state == JobState::kLeased;
    if (open && job.due <= now && std::ranges::count(request.kinds, job.what.kind) > 0) {
      due.push_back(&job);
    }
  }
  std::ranges::stable_sort(due, [](const Job* a, const Job* b) {
    return a->what.priority != b->what.priority ? a->what.priority > b->what.priority
                                                : a->due < b->due;
  });
  due.resize(std::min(due.size(), request.count));
  std::vector<Lease> leases;
  for (Job* job : due) {
    const Spent spent = SpentOf(*job, now);
    job->attempts += spent == Spent::kNo ? 1 : 0;
    job->state = JobState::kLeased;
    ++job->lease;
    job->due = now + request.lease_ms;
    job->worker = request.worker;
    job->changed = now;
    leases.push_back({*job, spent});
  }
  return leases;
}

Status MemoryQueue::Extend(const Lease& lease, TimeMs until) {
  const std::lock_guard lock(mutex_);
  Job* job = Held(lease);
  if (job == nullptr) {
    return LeaseLost(lease);
  }
  job->due = until;
  return {};
}

Status MemoryQueue::Save(const Lease& lease, std::string_view progress) {
  if (progress.size() > kJobPayloadBytesMax) {
    return Fail(ErrorCode::kLimit, "a job's progress is too large");
  }
  const std::lock_guard lock(mutex_);
  Job* job = Held(lease);
  if (job == nullptr) {
    return LeaseLost(lease);
  }
  job->progress = progress;
  return {};
}

Status MemoryQueue::Finish(const Lease& lease, JobState state, std::string_view result,
                           std::string_view problem, std::span<const NewJob> follow_ups,
                           TimeMs now) {
  for (const NewJob& follow_up : follow_ups) {
    if (Status good = CheckNewJob(follow_up); !good) {
      return good;
    }
  }
  const std::lock_guard lock(mutex_);
  if (Held(lease) == nullptr) {
    return LeaseLost(lease);
  }
  const std::int64_t before = last_;
  for (const NewJob& follow_up : follow_ups) {
    const Result<Enqueued> known = Known(follow_up);
    if (!known && known.error().code != ErrorCode::kNotFound) {
      jobs_.erase(jobs_.upper_bound(before), jobs_.end());
      return std::unexpected(known.error());
    }
    if (!known) {
      Put(follow_up, now);
    }
  }
  Job* job = Held(lease);
  job->state = state;
  job->changed = now;
  job->problem = CutProblem(problem);
  if (state == JobState::kDone) {
    job->result = result;
    job->what.payload.clear();
    job->progress.clear();
  }
  return {};
}

Status MemoryQueue::Complete(const Lease& lease, std::string_view result,
                             std::span<const NewJob> follow_ups, TimeMs now) {
  return Finish(lease, JobState::kDone, result, "", follow_ups, now);
}

Status MemoryQueue::Bury(const Lease& lease, std::string_view problem,
                         std::span<const NewJob> follow_ups, TimeMs now) {
  return Finish(lease, JobState::kDead, "", problem, follow_ups, now);
}

Status MemoryQueue::Retry(const Lease& lease, TimeMs not_before, std::string_view problem,
                          TimeMs now) {
  const std::lock_guard lock(mutex_);
  Job* job = Held(lease);
  if (job == nullptr) {
    return LeaseLost(lease);
  }
  job->state = JobState::kWaiting;
  job->due = DueAt(not_before, job->what.deadline);
  job->problem = CutProblem(problem);
  job->changed = now;
  return {};
}

Status MemoryQueue::Release(const Lease& lease, TimeMs not_before, std::string_view problem,
                            TimeMs now) {
  const std::lock_guard lock(mutex_);
  Job* job = Held(lease);
  if (job == nullptr) {
    return LeaseLost(lease);
  }
  job->state = JobState::kWaiting;
  job->due = DueAt(not_before, job->what.deadline);
  job->problem = problem.empty() ? job->problem : CutProblem(problem);
  job->attempts -= lease.spent == Spent::kNo ? 1 : 0;
  job->changed = now;
  return {};
}

Status MemoryQueue::Redrive(const std::string& id, TimeMs now) {
  const std::lock_guard lock(mutex_);
  const auto at = At(id);
  if (at == jobs_.end()) {
    return NoSuchJob(id);
  }
  Job& job = at->second;
  if (job.state != JobState::kDead) {
    return NotDead(id, job.state);
  }
  job.state = JobState::kWaiting;
  job.attempts = 0;
  job.what.deadline = 0;
  job.due = now;
  job.changed = now;
  return {};
}

Status MemoryQueue::CallOff(const std::string& id, std::string_view result,
                            std::string_view problem, TimeMs now) {
  const std::lock_guard lock(mutex_);
  const auto at = At(id);
  if (at == jobs_.end()) {
    return NoSuchJob(id);
  }
  Job& job = at->second;
  if (const Status good = CheckCallOff(job, problem); !good) {
    return good;
  }
  job.state = JobState::kDone;
  job.problem = CutProblem(problem);
  job.what.payload.clear();
  job.progress.clear();
  job.result = result;
  job.changed = now;
  return {};
}

Status MemoryQueue::Discard(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = At(id);
  if (at == jobs_.end()) {
    return NoSuchJob(id);
  }
  if (at->second.state != JobState::kDead) {
    return NotDead(id, at->second.state);
  }
  jobs_.erase(at);
  return {};
}

Result<std::size_t> MemoryQueue::Prune(std::size_t count, TimeMs now) {
  const std::lock_guard lock(mutex_);
  std::size_t pruned = 0;
  for (auto at = jobs_.begin(); at != jobs_.end() && pruned < count;) {
    const Job& job = at->second;
    const TimeMs kept = job.state == JobState::kDone   ? limits_.done_kept_ms
                        : job.state == JobState::kDead ? limits_.dead_kept_ms
                                                       : 0;
    const bool old = kept != 0 && job.changed + kept <= now;
    at = old ? jobs_.erase(at) : std::next(at);
    pruned += old ? 1 : 0;
  }
  return pruned;
}

Result<Job> MemoryQueue::Find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = At(id);
  return at == jobs_.end() ? Result<Job>(NoSuchJob(id)) : at->second;
}

Result<JobPage> MemoryQueue::List(const JobQuery& query) {
  if (const Status good = CheckQuery(query); !good) {
    return std::unexpected(good.error());
  }
  const std::lock_guard lock(mutex_);
  JobPage page;
  page.next = query.after;
  for (const auto& [sequence, job] : jobs_) {
    if (sequence <= query.after || (query.state && job.state != *query.state) ||
        (!query.kind.empty() && job.what.kind != query.kind) ||
        (query.called_off && WasCalledOff(job) != *query.called_off) ||
        (!query.parent.empty() && job.what.parent != query.parent)) {
      continue;
    }
    if (page.jobs.size() == query.limit) {
      page.end = false;
      break;
    }
    page.jobs.push_back(job);
    page.jobs.back().what.payload.clear();
    page.jobs.back().progress.clear();
    page.jobs.back().result.clear();
    page.next = sequence;
  }
  return page;
}

Result<JobCounts> MemoryQueue::Counts(const std::string& kind, TimeMs now) {
  const std::lock_guard lock(mutex_);
  JobCounts counts;
  for (const auto& [sequence, job] : jobs_) {
    if (!kind.empty() && job.what.kind != kind) {
      continue;
    }
    const bool open = job.state == JobState::kWaiting || job.state == JobState::kLeased;
    counts.waiting += job.state == JobState::kWaiting ? 1 : 0;
    counts.leased += job.state == JobState::kLeased ? 1 : 0;
    counts.done += job.state == JobState::kDone ? 1 : 0;
    counts.dead += job.state == JobState::kDead ? 1 : 0;
    counts.due += open && job.due <= now ? 1 : 0;
    if (open && job.due > now && (!counts.next || job.due < *counts.next)) {
      counts.next = job.due;
    }
  }
  return counts;
}

}  // namespace

std::unique_ptr<JobQueue> MemoryJobQueue(const QueueLimits& limits) {
  return std::make_unique<MemoryQueue>(limits);
}

}  // namespace safeguard::moderation
