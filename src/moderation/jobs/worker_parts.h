// What both workers do alike.
#pragma once

#include <string>
#include <string_view>

#include "moderation/job_workers.h"

namespace safeguard::moderation {

class WorkerParts {
 public:
  WorkerParts(JobQueue& queue, WorkerOptions options);

  [[nodiscard]] const WorkerOptions& options() const { return options_; }
  [[nodiscard]] TimeMs Now() const { return options_.now(); }
  Result<std::vector<Lease>> Take(const std::string& kind, std::size_t count);
  void Tell(JobStep step, const Job& job, std::string detail = {}, TimeMs retry_at = 0) const;

  // To be tried again after the usual wait, at least `wait_ms`. A lost lease is no error here or
  // below: somebody else has the job.
  Status PutBack(const Lease& lease, const std::string& problem, TimeMs wait_ms = 0);
  // Given back untouched, for `wait_ms`.
  Status Release(const Lease& lease, const std::string& problem = {}, TimeMs wait_ms = 0);
  Status Bury(const Lease& lease, const std::string& problem, std::span<const NewJob> follow_ups);

 private:
  JobQueue& queue_;
  WorkerOptions options_;
};

// Why a spent job is buried: what its last attempt said, where it said something.
std::string WhySpent(const Lease& lease);

// The same, without the error of a lost lease.
Status UnlessLost(const Status& status);

}  // namespace safeguard::moderation
