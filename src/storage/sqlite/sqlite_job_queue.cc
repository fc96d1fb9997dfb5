#include <mutex>
#include <utility>

#include "storage/sqlite/data_folder.h"
#include "storage/sqlite/job_rows.h"
#include "storage/sqlite/job_schema.h"
#include "storage/stores.h"

namespace safeguard::storage {
namespace {

using moderation::Enqueued;
using moderation::Job;
using moderation::JobCounts;
using moderation::JobPage;
using moderation::JobQuery;
using moderation::JobState;
using moderation::Lease;
using moderation::NewJob;
using moderation::QueueLimits;
using moderation::Spent;
using moderation::TakeRequest;
using moderation::TimeMs;

// What a lease's holder may still do is decided here: only the newest lease of a leased job.
constexpr const char* kHeld = " WHERE id = ? AND lease = ? AND state = 'leased'";

class SqliteJobQueue final : public moderation::JobQueue {
 public:
  SqliteJobQueue(std::unique_ptr<Connection> writer, std::unique_ptr<Connection> reader,
                 const QueueLimits& limits)
      : writer_(std::move(writer)), reader_(std::move(reader)), limits_(limits) {}

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
  // REQUIRES: within a writing transaction, for all of these.
  Status CheckRoom();
  Result<std::vector<Job>> SelectDue(const TakeRequest& request, TimeMs now);
  // Runs an update of the leased job; `bind` gives what stands before the WHERE.
  template <typename Bind>
  Status Update(const std::string& set, const Lease& lease, const Bind& bind);

  template <typename Body>
  Status Write(const Body& body) {
    const std::lock_guard lock(writer_mutex_);
    return writer_->Write(body);
  }

  std::mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;
  std::mutex reader_mutex_;
  std::unique_ptr<Connection> reader_;
  QueueLimits limits_;
};

Status SqliteJobQueue::CheckRoom() {
  const Result<Unfinished> there = SelectUnfinished(*writer_);
  if (!there) {
    return std::unexpected(there.error());
  }
  const auto dead = static_cast<std::size_t>(there->dead);
  if (static_cast<std::size_t>(there->jobs) > limits_.jobs_max) {
    return moderation::QueueFull(std::to_string(limits_.jobs_max) + " jobs", dead);
  }
  if (static_cast<std::size_t>(there->bytes) > limits_.bytes_max) {
    return moderation::QueueFull(std::to_string(limits_.bytes_max) + " bytes", dead);
  }
  return {};
}

Result<std::vector<Enqueued>> SqliteJobQueue::Enqueue(std::span<const NewJob> jobs, TimeMs now) {
  for (const NewJob& job : jobs) {
    if (const Status good = CheckNewJob(job); !good) {
      return std::unexpected(good.error());
    }
  }
  std::vector<Enqueued> enqueued;
  const Status written = Write([&]() -> Status {
    Result<std::vector<Enqueued>> put = InsertJobs(*writer_, jobs, now);
    if (!put) {
      return std::unexpected(put.error());
    }
    enqueued = std::move(*put);
    for (const Enqueued& one : enqueued) {
      if (one.is_new) {
        return CheckRoom();
      }
    }
    return {};
  });
  return written ? Result<std::vector<Enqueued>>(std::move(enqueued))
                 : std::unexpected(written.error());
}

Result<std::vector<Job>> SqliteJobQueue::SelectDue(const TakeRequest& request, TimeMs now) {
  std::string marks;
  for (std::size_t i = 0; i < request.kinds.size(); ++i) {
    marks += i == 0 ? "?" : ", ?";
  }
  Result<Statement> select =
      writer_->Prepare("SELECT " + JobColumns(true) + " FROM job WHERE kind IN (" + marks +
                       ") AND state IN ('waiting', 'leased') AND due <= ? "
                       "ORDER BY priority DESC, due, sequence LIMIT ?");
  if (!select) {
    return std::unexpected(select.error());
  }
  for (const std::string& kind : request.kinds) {
    select->Bind(kind);
  }
  select->Bind(now).Bind(static_cast<std::int64_t>(request.count));
  std::vector<Job> jobs;
  while (true) {
    const Result<bool> row = select->Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      return jobs;
    }
    Result<Job> job = JobOf(*writer_, *select);
    if (!job) {
      return std::unexpected(job.error());
    }
    jobs.push_back(std::move(*job));
  }
}

Result<std::vector<Lease>> SqliteJobQueue::Take(const TakeRequest& request, TimeMs now) {
  if (const Status good = CheckTake(request); !good) {
    return std::unexpected(good.error());
  }
  std::vector<Lease> leases;
  const Status written = Write([&]() -> Status {
    Result<std::vector<Job>> jobs = SelectDue(request, now);
    if (!jobs) {
      return std::unexpected(jobs.error());
    }
    Result<Statement> update = writer_->Prepare(
        "UPDATE job SET state = 'leased', attempts = ?, lease = ?, due = ?, worker = ?, changed = ?"
        " WHERE id = ?");
    if (!update) {
      return std::unexpected(update.error());
    }
    for (Job& job : *jobs) {
      const Spent spent = SpentOf(job, now);
      job.attempts += spent == Spent::kNo ? 1 : 0;
      job.state = JobState::kLeased;
      ++job.lease;
      job.due = now + request.lease_ms;
      job.worker = request.worker;
      job.changed = now;
      update->Reset();
      const Status done = update->Bind(std::int64_t{job.attempts})
                              .Bind(job.lease)
                              .Bind(job.due)
                              .Bind(job.worker)
                              .Bind(now)
                              .Bind(job.id)
                              .Run();
      if (!done) {
        return done;
      }
      leases.push_back({std::move(job), spent});
    }
    return {};
  });
  return written ? Result<std::vector<Lease>>(std::move(leases)) : std::unexpected(written.error());
}

template <typename Bind>
Status SqliteJobQueue::Update(const std::string& set, const Lease& lease, const Bind& bind) {
  Result<Statement> update = writer_->Prepare("UPDATE job SET " + set + kHeld);
  if (!update) {
    return std::unexpected(update.error());
  }
  bind(*update);
  const Status done = update->Bind(lease.job.id).Bind(lease.job.lease).Run();
  if (!done) {
    return done;
  }
  const Result<std::int64_t> changed = writer_->Integer("SELECT changes()");
  if (!changed) {
    return std::unexpected(changed.error());
  }
  return *changed == 1 ? Status{} : LeaseLost(lease);
}

Status SqliteJobQueue::Extend(const Lease& lease, TimeMs until) {
  return Write(
      [&] { return Update("due = ?", lease, [&](Statement& update) { update.Bind(until); }); });
}

Status SqliteJobQueue::Save(const Lease& lease, std::string_view progress) {
  if (progress.size() > moderation::kJobPayloadBytesMax) {
    return Fail(ErrorCode::kLimit, "a job's progress is too large");
  }
  return Write([&] {
    return Update("progress = ?", lease, [&](Statement& update) { update.BindBlob(progress); });
  });
}

Status SqliteJobQueue::Complete(const Lease& lease, std::string_view result,
                                std::span<const NewJob> follow_ups, TimeMs now) {
  for (const NewJob& follow_up : follow_ups) {
    if (Status good = CheckNewJob(follow_up); !good) {
      return good;
    }
  }
  return Write([&]() -> Status {
    const Status done = Update(
        "state = 'done', problem = '', payload = x'', progress = x'', result = ?, changed = ?",
        lease, [&](Statement& update) { update.BindBlob(result).Bind(now); });
    if (!done) {
      return done;
    }
    const auto put = InsertJobs(*writer_, follow_ups, now);
    return put ? Status{} : std::unexpected(put.error());
  });
}

Status SqliteJobQueue::Bury(const Lease& lease, std::string_view problem,
                            std::span<const NewJob> follow_ups, TimeMs now) {
  for (const NewJob& follow_up : follow_ups) {
    if (Status good = CheckNewJob(follow_up); !good) {
      return good;
    }
  }
  return Write([&]() -> Status {
    const Status done =
        Update("state = 'dead', problem = ?, changed = ?", lease,
               [&](Statement& update) { update.Bind(moderation::CutProblem(problem)).Bind(now); });
    if (!done) {
      return done;
    }
    const auto put = InsertJobs(*writer_, follow_ups, now);
    return put ? Status{} : std::unexpected(put.error());
  });
}

Status SqliteJobQueue::Retry(const Lease& lease, TimeMs not_before, std::string_view problem,
                             TimeMs now) {
  return Write([&] {
    return Update(
        "state = 'waiting', due = iif(deadline = 0, ?1, min(?1, deadline)), problem = ?2, "
        "changed = ?3",
        lease, [&](Statement& update) {
          update.Bind(not_before).Bind(moderation::CutProblem(problem)).Bind(now);
        });
  });
}

Status SqliteJobQueue::Release(const Lease& lease, TimeMs not_before, std::string_view problem,
                               TimeMs now) {
  return Write([&] {
    return Update(
        "state = 'waiting', attempts = attempts - ?1, "
        "due = iif(deadline = 0, ?2, min(?2, deadline)), problem = iif(?3 = '', problem, ?3), "
        "changed = ?4",
        lease, [&](Statement& update) {
          update.Bind(std::int64_t{lease.spent == Spent::kNo})
              .Bind(not_before)
              .Bind(moderation::CutProblem(problem))
              .Bind(now);
        });
  });
}

Status SqliteJobQueue::Redrive(const std::string& id, TimeMs now) {
  return Write([&]() -> Status {
    const Result<std::optional<Job>> job = SelectJob(*writer_, id);
    if (!job || !*job) {
      return job ? moderation::NoSuchJob(id) : std::unexpected(job.error());
    }
    if ((*job)->state != JobState::kDead) {
      return NotDead(id, (*job)->state);
    }
    Result<Statement> update = writer_->Prepare(
        "UPDATE job SET state = 'waiting', attempts = 0, deadline = 0, due = ?, changed = ? "
        "WHERE id = ?");
    return update ? update->Bind(now).Bind(now).Bind(id).Run() : std::unexpected(update.error());
  });
}

Status SqliteJobQueue::CallOff(const std::string& id, std::string_view result,
                               std::string_view problem, TimeMs now) {
  return Write([&]() -> Status {
    const Result<std::optional<Job>> job = SelectJob(*writer_, id);
    if (!job || !*job) {
      return job ? moderation::NoSuchJob(id) : std::unexpected(job.error());
    }
    if (Status good = CheckCallOff(**job, problem); !good) {
      return good;
    }
    Result<Statement> update = writer_->Prepare(
        "UPDATE job SET state = 'done', problem = ?, payload = x'', progress = x'', result = ?, "
        "changed = ? WHERE id = ?");
    return update ? update->Bind(moderation::CutProblem(problem))
                        .BindBlob(result)
                        .Bind(now)
                        .Bind(id)
                        .Run()
                  : std::unexpected(update.error());
  });
}

Status SqliteJobQueue::Discard(const std::string& id) {
  return Write([&]() -> Status {
    const Result<std::optional<Job>> job = SelectJob(*writer_, id);
    if (!job || !*job) {
      return job ? moderation::NoSuchJob(id) : std::unexpected(job.error());
    }
    if ((*job)->state != JobState::kDead) {
      return NotDead(id, (*job)->state);
    }
    Result<Statement> remove = writer_->Prepare("DELETE FROM job WHERE id = ?");
    return remove ? remove->Bind(id).Run() : std::unexpected(remove.error());
  });
}

Result<std::size_t> SqliteJobQueue::Prune(std::size_t count, TimeMs now) {
  std::size_t pruned = 0;
  const Status written = Write([&]() -> Status {
    for (const auto& [state, kept] : {std::pair{JobState::kDone, limits_.done_kept_ms},
                                      std::pair{JobState::kDead, limits_.dead_kept_ms}}) {
      if (kept == 0 || pruned >= count) {
        continue;
      }
      Result<Statement> remove = writer_->Prepare(
          "DELETE FROM job WHERE sequence IN (SELECT sequence FROM job WHERE state = ? AND "
          "changed <= ? LIMIT ?)");
      if (!remove) {
        return std::unexpected(remove.error());
      }
      const Status done = remove->Bind(ToString(state))
                              .Bind(now - kept)
                              .Bind(static_cast<std::int64_t>(count - pruned))
                              .Run();
      const Result<std::int64_t> changed =
          done ? writer_->Integer("SELECT changes()") : std::unexpected(done.error());
      if (!changed) {
        return std::unexpected(changed.error());
      }
      pruned += static_cast<std::size_t>(*changed);
    }
    return {};
  });
  return written ? Result<std::size_t>(pruned) : std::unexpected(written.error());
}

Result<Job> SqliteJobQueue::Find(const std::string& id) {
  const std::lock_guard lock(reader_mutex_);
  Result<std::optional<Job>> job = SelectJob(*reader_, id);
  if (!job) {
    return std::unexpected(job.error());
  }
  return *job ? Result<Job>(std::move(**job)) : moderation::NoSuchJob(id);
}

Result<JobPage> SqliteJobQueue::List(const JobQuery& query) {
  if (const Status good = CheckQuery(query); !good) {
    return std::unexpected(good.error());
  }
  const std::lock_guard lock(reader_mutex_);
  Result<Statement> rows = reader_->Prepare(
      "SELECT " + JobColumns(false) + ", sequence FROM job WHERE sequence > ?" +
      (query.kind.empty() ? "" : " AND kind = ?") + (query.state ? " AND state = ?" : "") +
      (query.called_off ? " AND (state = 'done' AND problem != '') = ?" : "") +
      (query.parent.empty() ? "" : " AND parent != '' AND parent = ?") +
      " ORDER BY sequence LIMIT ?");
  if (!rows) {
    return std::unexpected(rows.error());
  }
  rows->Bind(query.after);
  if (!query.kind.empty()) {
    rows->Bind(query.kind);
  }
  if (query.state) {
    rows->Bind(ToString(*query.state));
  }
  if (query.called_off) {
    rows->Bind(std::int64_t{*query.called_off});
  }
  if (!query.parent.empty()) {
    rows->Bind(query.parent);
  }
  rows->Bind(static_cast<std::int64_t>(query.limit) + 1);
  JobPage page;
  page.next = query.after;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      return page;
    }
    if (page.jobs.size() == query.limit) {
      page.end = false;
      return page;
    }
    Result<Job> job = JobOf(*reader_, *rows);
    if (!job) {
      return std::unexpected(job.error());
    }
    page.next = rows->Integer(20);
    page.jobs.push_back(std::move(*job));
  }
}

Result<JobCounts> SqliteJobQueue::Counts(const std::string& kind, TimeMs now) {
  const std::lock_guard lock(reader_mutex_);
  Result<JobCounts> counts = JobCounts{};
  const Status read = reader_->Read([&]() -> Status {
    counts = SelectCounts(*reader_, kind, now);
    return counts ? Status{} : std::unexpected(counts.error());
  });
  return read ? counts : std::unexpected(read.error());
}

}  // namespace

Result<std::unique_ptr<moderation::JobQueue>> OpenJobQueue(const std::string& data_folder,
                                                           const QueueLimits& limits,
                                                           const OpenOptions& options) {
  Result<std::string> path = DatabasePath(data_folder, "jobs.db", options.create);
  if (!path) {
    return std::unexpected(path.error());
  }
  const Connection::Options open{options.create, options.busy_timeout};
  Result<std::unique_ptr<Connection>> writer = OpenDatabase(*path, kJobSchema, open);
  if (!writer) {
    return std::unexpected(writer.error());
  }
  // What people wrote is overwritten when its job is done.
  if (const Status set = (*writer)->Execute("PRAGMA secure_delete = ON"); !set) {
    return std::unexpected(set.error());
  }
  Result<std::unique_ptr<Connection>> reader = OpenDatabase(*path, kJobSchema, open);
  if (!reader) {
    return std::unexpected(reader.error());
  }
  return std::make_unique<SqliteJobQueue>(std::move(*writer), std::move(*reader), limits);
}

}  // namespace safeguard::storage
