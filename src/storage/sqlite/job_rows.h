// Between the rows of jobs.db and the domain's values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "moderation/job_queue.h"
#include "storage/sqlite/connection.h"

namespace safeguard::storage {

// What JobOf() reads, in its order. Without bytes: empty payload, progress and result.
std::string JobColumns(bool with_bytes);
// kCorruptFile when the row makes no sense.
Result<moderation::Job> JobOf(const Connection& connection, const Statement& row);

// Nothing when there is no such job.
Result<std::optional<moderation::Job>> SelectJob(Connection& connection, const std::string& id);

// Puts the jobs in, or finds those whose keys are there. REQUIRES: a writing transaction, jobs that
// CheckNewJob() passes.
Result<std::vector<moderation::Enqueued>> InsertJobs(Connection& connection,
                                                     std::span<const moderation::NewJob> jobs,
                                                     moderation::TimeMs now);

// What is not done, over all kinds.
struct Unfinished {
  std::int64_t jobs = 0;
  std::int64_t bytes = 0;
  std::int64_t dead = 0;
};
Result<Unfinished> SelectUnfinished(Connection& connection);

Result<moderation::JobCounts> SelectCounts(Connection& connection, const std::string& kind,
                                           moderation::TimeMs now);

}  // namespace safeguard::storage
