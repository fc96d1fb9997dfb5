#include "moderation/job_queue.h"

#include <algorithm>
#include <cmath>

namespace safeguard::moderation {

const char* ToString(JobState state) {
  switch (state) {
    case JobState::kWaiting:
      return "waiting";
    case JobState::kLeased:
      return "leased";
    case JobState::kDone:
      return "done";
    case JobState::kDead:
      return "dead";
  }
  return "dead";
}

std::optional<JobState> JobStateFrom(std::string_view text) {
  for (const JobState state :
       {JobState::kWaiting, JobState::kLeased, JobState::kDone, JobState::kDead}) {
    if (text == ToString(state)) {
      return state;
    }
  }
  return std::nullopt;
}

Status CheckNewJob(const NewJob& job) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  if (job.kind.empty() || job.kind.size() > 32 || !std::ranges::all_of(job.kind, plain)) {
    return Fail(ErrorCode::kInvalidInput, "a job's kind has 1 to 32 of a-z, 0-9, '_', '-', '.'");
  }
  for (const std::string* text : {&job.key, &job.fingerprint, &job.parent}) {
    if (text->size() > kJobKeyBytesMax) {
      return Fail(ErrorCode::kLimit,
                  "a job's key has at most " + std::to_string(kJobKeyBytesMax) + " bytes",
                  "use a hash of what it stands for");
    }
  }
  if (job.payload.size() > kJobPayloadBytesMax) {
    return Fail(ErrorCode::kLimit,
                "a job holds at most " + std::to_string(kJobPayloadBytesMax >> 20) + " MiB",
                "judge so long a content at once, not later");
  }
  if (!std::isfinite(job.priority) || job.not_before < 0 || job.deadline < 0 ||
      job.attempts_max < 1 || job.attempts_max > kJobAttemptsMax) {
    return Fail(ErrorCode::kInvalidInput,
                "a job has a finite priority, times from 1970 on and 1 to " +
                    std::to_string(kJobAttemptsMax) + " attempts");
  }
  return {};
}

Status CheckTake(const TakeRequest& request) {
  if (request.kinds.empty() || request.count < 1 || request.count > 1000 || request.lease_ms < 1) {
    return Fail(ErrorCode::kInvalidInput,
                "jobs are taken by kind, 1 to 1000 at once, for at least a millisecond");
  }
  return {};
}

Status CheckQuery(const JobQuery& query) {
  if (query.limit < 1 || query.limit > kJobPageMax) {
    return Fail(ErrorCode::kLimit,
                "a page of jobs has 1 to " + std::to_string(kJobPageMax) + " of them");
  }
  return {};
}

TimeMs DueAt(TimeMs not_before, TimeMs deadline) {
  return deadline == 0 ? not_before : std::min(not_before, deadline);
}

Spent SpentOf(const Job& job, TimeMs now) {
  if (job.what.deadline != 0 && now >= job.what.deadline) {
    return Spent::kDeadline;
  }
  return job.attempts >= job.what.attempts_max ? Spent::kAttempts : Spent::kNo;
}

std::string CutProblem(std::string_view problem) {
  std::size_t end = std::min(problem.size(), kJobProblemBytesMax);
  // Not within a UTF-8 character.
  while (end < problem.size() && end > 0 &&
         (static_cast<unsigned char>(problem[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return std::string(problem.substr(0, end));
}

std::unexpected<Error> NoSuchJob(const std::string& id) {
  return Fail(ErrorCode::kNotFound, "there is no job " + id,
              "done and dead jobs are kept for a while only; list them: safeguard jobs list");
}

std::unexpected<Error> LeaseLost(const Lease& lease) {
  return Fail(ErrorCode::kNotFound, "the lease of job " + lease.job.id + " was lost",
              "another worker has the job or has finished it: drop this work");
}

std::unexpected<Error> NotDead(const std::string& id, JobState state) {
  return Fail(ErrorCode::kInvalidInput,
              "job " + id + " is " + ToString(state) + ", not dead: there is nothing to do");
}

Status CheckCallOff(const Job& job, std::string_view problem) {
  if (problem.empty()) {
    return Fail(ErrorCode::kInvalidInput, "a job is called off for a reason");
  }
  if (job.state == JobState::kDone || job.state == JobState::kDead) {
    return Fail(ErrorCode::kInvalidInput,
                "job " + job.id + " is " + ToString(job.state) + " already",
                "there is nothing left to call off");
  }
  return {};
}

bool WasCalledOff(const Job& job) {
  return job.state == JobState::kDone && !job.problem.empty();
}

std::unexpected<Error> OtherFingerprint(const NewJob& job) {
  return Fail(ErrorCode::kInvalidInput,
              "the key " + job.key + " was given before, for something else",
              "use another key, or give again exactly what it stood for");
}

std::unexpected<Error> QueueFull(const std::string& what, std::size_t dead) {
  return Fail(ErrorCode::kLimit, "the queue is full: " + what,
              dead == 0 ? "let workers finish some (safeguard jobs run), then try again"
                        : "let workers finish some, or see to the " + std::to_string(dead) +
                              " dead ones (safeguard jobs dead), then try again");
}

}  // namespace safeguard::moderation
