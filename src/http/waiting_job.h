// A job from its submission to its answer, as judging.cc keeps it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "http/judging.h"

namespace safeguard::http {

using Clock = std::chrono::steady_clock;
struct Waiting;
using WaitingPtr = std::shared_ptr<Waiting>;
using Deadlines = std::multimap<Clock::time_point, WaitingPtr>;

struct Waiting {
  JudgeJob job;
  JudgeDone done;
  std::optional<Deadlines::iterator> watched;  // where it is in the deadlines; under their lock
  std::atomic<bool> answered{false};
  std::atomic<bool> begun{false};

  // Whoever comes first answers, and must.
  bool Claim() { return !answered.exchange(true); }
  bool Answer(Result<JudgeAnswer> answer) {
    if (!Claim()) {
      return false;
    }
    done(std::move(answer));
    return true;
  }
};

// Whether one call of the judge may take both.
inline bool MayJoin(const JudgeJob& job, const JudgeJob& first) {
  return job.audience == nullptr && first.audience == nullptr && job.policies == first.policies;
}

// How long the judge may go on with long contents after the time of all of them is up.
inline constexpr std::chrono::minutes kAfterDeadline{5};

// Whether the judge has had its time for all of these.
inline bool IsLongOver(const std::vector<WaitingPtr>& batch) {
  return std::ranges::all_of(batch, [now = Clock::now()](const WaitingPtr& waiting) {
    return now >= waiting->job.deadline + kAfterDeadline;
  });
}

// The time until the deadline, less what it takes to record an answer.
inline moderation::Duration TimeUntil(Clock::time_point deadline) {
  constexpr moderation::Duration kMost = std::chrono::milliseconds(100);
  constexpr int kPart = 10;
  const auto left = std::chrono::duration_cast<moderation::Duration>(deadline - Clock::now());
  return left - std::min(left / kPart, kMost);
}

// What is answered when the time is up. `begun`: the judge was at it.
inline moderation::Verdict Late(const moderation::PolicyReference& policy, bool begun) {
  return moderation::Undetermined(
      policy, moderation::UndeterminedReason::kTimeout,
      begun ? "the time was up before the judge answered; what it comes to is recorded, not sent; "
              "allow more time or send less"
            : "the time was up before the judge could begin; allow more time or send less");
}

}  // namespace safeguard::http
