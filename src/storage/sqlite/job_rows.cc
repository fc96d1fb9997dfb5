#include "storage/sqlite/job_rows.h"

#include <utility>

namespace safeguard::storage {
namespace {

using moderation::Enqueued;
using moderation::Job;
using moderation::JobCounts;
using moderation::NewJob;
using moderation::TimeMs;

// An id that nobody gave before: 80 random bits.
constexpr const char* kInsert =
    "INSERT INTO job (id, kind, key, fingerprint, parent, priority, not_before, deadline, "
    "attempts_max, state, attempts, lease, due, worker, problem, created, changed, payload, "
    "progress, result) VALUES ('j' || lower(hex(randomblob(10))), ?, ?, ?, ?, ?, ?, ?, ?, "
    "'waiting', 0, 0, ?, '', '', ?, ?, ?, x'', x'') RETURNING id";

Result<std::optional<Enqueued>> Known(Connection& connection, const NewJob& job) {
  if (job.key.empty()) {
    return std::nullopt;
  }
  Result<Statement> known =
      connection.Prepare("SELECT id, fingerprint FROM job WHERE kind = ? AND key = ?");
  if (!known) {
    return std::unexpected(known.error());
  }
  const Result<bool> row = known->Bind(job.kind).Bind(job.key).Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  if (!*row) {
    return std::nullopt;
  }
  if (known->Text(1) != job.fingerprint) {
    return moderation::OtherFingerprint(job);
  }
  return Enqueued{known->Text(0), false};
}

Result<Enqueued> Insert(Statement& insert, const NewJob& job, TimeMs now) {
  insert.Reset();
  insert.Bind(job.kind);
  job.key.empty() ? insert.BindNull() : insert.Bind(job.key);
  insert.Bind(job.fingerprint)
      .Bind(job.parent)
      .Bind(job.priority)
      .Bind(job.not_before)
      .Bind(job.deadline)
      .Bind(std::int64_t{job.attempts_max})
      .Bind(moderation::DueAt(job.not_before, job.deadline))
      .Bind(now)
      .Bind(now)
      .BindBlob(job.payload);
  const Result<bool> row = insert.Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  Enqueued enqueued{insert.Text(0), true};
  const Status done = insert.Run();  // the row was written only when there is no more to come
  return done ? Result<Enqueued>(std::move(enqueued)) : std::unexpected(done.error());
}

}  // namespace

std::string JobColumns(bool with_bytes) {
  return std::string(
             "id, kind, ifnull(key, ''), fingerprint, parent, priority, not_before, deadline, "
             "attempts_max, state, attempts, lease, due, worker, problem, created, changed, ") +
         (with_bytes ? "payload, progress, result" : "'', '', ''");
}

Result<Job> JobOf(const Connection& connection, const Statement& row) {
  Job job;
  const auto state = moderation::JobStateFrom(row.Text(9));
  if (!state) {
    return Fail(ErrorCode::kCorruptFile, connection.path() + " is damaged: a job cannot be read",
                "restore it from a backup");
  }
  job.id = row.Text(0);
  job.what.kind = row.Text(1);
  job.what.key = row.Text(2);
  job.what.fingerprint = row.Text(3);
  job.what.parent = row.Text(4);
  job.what.priority = row.Number(5);
  job.what.not_before = row.Integer(6);
  job.what.deadline = row.Integer(7);
  job.what.attempts_max = static_cast<int>(row.Integer(8));
  job.state = *state;
  job.attempts = static_cast<int>(row.Integer(10));
  job.lease = row.Integer(11);
  job.due = row.Integer(12);
  job.worker = row.Text(13);
  job.problem = row.Text(14);
  job.created = row.Integer(15);
  job.changed = row.Integer(16);
  job.what.payload = row.Text(17);
  job.progress = row.Text(18);
  job.result = row.Text(19);
  return job;
}

Result<std::optional<Job>> SelectJob(Connection& connection, const std::string& id) {
  Result<Statement> select =
      connection.Prepare("SELECT " + JobColumns(true) + " FROM job WHERE id = ?");
  if (!select) {
    return std::unexpected(select.error());
  }
  const Result<bool> row = select->Bind(id).Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  if (!*row) {
    return std::nullopt;
  }
  Result<Job> job = JobOf(connection, *select);
  return job ? Result<std::optional<Job>>(std::move(*job)) : std::unexpected(job.error());
}

Result<std::vector<Enqueued>> InsertJobs(Connection& connection, std::span<const NewJob> jobs,
                                         TimeMs now) {
  Result<Statement> insert = connection.Prepare(kInsert);
  if (!insert) {
    return std::unexpected(insert.error());
  }
  std::vector<Enqueued> put;
  for (const NewJob& job : jobs) {
    const Result<std::optional<Enqueued>> known = Known(connection, job);
    if (!known) {
      return std::unexpected(known.error());
    }
    Result<Enqueued> one = *known ? Result<Enqueued>(**known) : Insert(*insert, job, now);
    if (!one) {
      return std::unexpected(one.error());
    }
    put.push_back(std::move(*one));
  }
  return put;
}

Result<Unfinished> SelectUnfinished(Connection& connection) {
  Result<Statement> select = connection.Prepare(
      "SELECT ifnull(sum(jobs), 0), ifnull(sum(bytes), 0), ifnull(sum(jobs) FILTER (WHERE state = "
      "'dead'), 0) FROM tally WHERE state != 'done'");
  if (!select) {
    return std::unexpected(select.error());
  }
  const Result<bool> row = select->Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  return Unfinished{select->Integer(0), select->Integer(1), select->Integer(2)};
}

Result<JobCounts> SelectCounts(Connection& connection, const std::string& kind, TimeMs now) {
  JobCounts counts;
  Result<Statement> tally = connection.Prepare(
      "SELECT state, sum(jobs) FROM tally WHERE ?1 = '' OR kind = ?1 GROUP BY state");
  if (!tally) {
    return std::unexpected(tally.error());
  }
  tally->Bind(kind);
  while (true) {
    const Result<bool> row = tally->Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      break;
    }
    const auto jobs = static_cast<std::size_t>(tally->Integer(1));
    const std::string state = tally->Text(0);
    counts.waiting = state == "waiting" ? jobs : counts.waiting;
    counts.leased = state == "leased" ? jobs : counts.leased;
    counts.done = state == "done" ? jobs : counts.done;
    counts.dead = state == "dead" ? jobs : counts.dead;
  }
  Result<Statement> due = connection.Prepare(
      "SELECT count(*) FILTER (WHERE due <= ?2), min(due) FILTER (WHERE due > ?2) FROM job "
      "WHERE state IN ('waiting', 'leased') AND (?1 = '' OR kind = ?1)");
  if (!due) {
    return std::unexpected(due.error());
  }
  const Result<bool> row = due->Bind(kind).Bind(now).Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  counts.due = static_cast<std::size_t>(due->Integer(0));
  if (!due->IsNull(1)) {
    counts.next = due->Integer(1);
  }
  return counts;
}

}  // namespace safeguard::storage
