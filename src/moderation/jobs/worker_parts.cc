#include "moderation/jobs/worker_parts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace safeguard::moderation {

const char* ToString(JobStep step) {
  switch (step) {
    case JobStep::kTaken:
      return "taken";
    case JobStep::kJudged:
      return "judged";
    case JobStep::kSaved:
      return "saved";
    case JobStep::kRecorded:
      return "recorded";
    case JobStep::kFinished:
      return "finished";
    case JobStep::kSent:
      return "sent";
    case JobStep::kAcknowledged:
      return "acknowledged";
    case JobStep::kPutBack:
      return "put back";
    case JobStep::kReleased:
      return "released";
    case JobStep::kBuried:
      return "buried";
  }
  return "buried";
}

TimeMs DelayAfter(const RetryRule& rule, int failures, RandomSource& random) {
  CHECK(failures >= 1);
  const double grown = static_cast<double>(rule.first_ms) * std::pow(rule.factor, failures - 1);
  const double most = std::min(grown, static_cast<double>(rule.most_ms));  // grown may be infinite
  return static_cast<TimeMs>(most * (0.5 + 0.5 * random.Uniform()));
}

WorkerParts::WorkerParts(JobQueue& queue, WorkerOptions options)
    : queue_(queue), options_(std::move(options)) {
  CHECK(options_.now && options_.random != nullptr);
}

Result<std::vector<Lease>> WorkerParts::Take(const std::string& kind, std::size_t count) {
  auto leases = queue_.Take({{kind}, count, options_.lease_ms, options_.name}, Now());
  if (leases) {
    for (const Lease& lease : *leases) {
      Tell(JobStep::kTaken, lease.job);
    }
  }
  return leases;
}

void WorkerParts::Tell(JobStep step, const Job& job, std::string detail, TimeMs retry_at) const {
  if (options_.on_event) {
    options_.on_event({step, &job, std::move(detail), retry_at});
  }
}

Status WorkerParts::PutBack(const Lease& lease, const std::string& problem, TimeMs wait_ms) {
  const TimeMs now = Now();
  const int failures = std::max(lease.job.attempts, 1);
  const TimeMs wait = std::max(DelayAfter(options_.retry, failures, *options_.random),
                               std::min(wait_ms, options_.retry_after_most_ms));
  const Status put = queue_.Retry(lease, now + wait, problem, now);
  if (put) {
    Tell(JobStep::kPutBack, lease.job, problem, now + wait);
  }
  return UnlessLost(put);
}

Status WorkerParts::Release(const Lease& lease, const std::string& problem, TimeMs wait_ms) {
  const TimeMs now = Now();
  const Status given = queue_.Release(lease, now + wait_ms, problem, now);
  if (given) {
    Tell(JobStep::kReleased, lease.job, problem, wait_ms > 0 ? now + wait_ms : 0);
  }
  return UnlessLost(given);
}

Status WorkerParts::Bury(const Lease& lease, const std::string& problem,
                         std::span<const NewJob> follow_ups) {
  const Status buried = queue_.Bury(lease, problem, follow_ups, Now());
  if (buried) {
    Tell(JobStep::kBuried, lease.job, problem);
  }
  return UnlessLost(buried);
}

std::string WhySpent(const Lease& lease) {
  if (lease.spent == Spent::kDeadline) {
    return "its deadline passed" +
           (lease.job.problem.empty() ? "" : "; last: " + lease.job.problem);
  }
  return lease.job.problem.empty()
             ? "its worker died in each of " + std::to_string(lease.job.attempts) + " attempts"
             : lease.job.problem;
}

Status UnlessLost(const Status& status) {
  return !status && status.error().code == ErrorCode::kNotFound ? Status{} : status;
}

}  // namespace safeguard::moderation
