// The judge as the holder of a job's lease has it: while it judges, the lease is held, and when
// that is lost (the job was called off, or went to another worker) or the program ends, it stops
// soon, also in the middle of a batch.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/utc_time.h"
#include "moderation/job_queue.h"
#include "moderation/judge.h"

namespace safeguard::apps {

// All given must outlive it. Thread-safe.
class LeasedJudge final : public moderation::Judge {
 public:
  LeasedJudge(moderation::Judge& judge, moderation::JobQueue& queue, const moderation::Lease& lease,
              moderation::TimeMs lease_ms, const std::atomic<bool>& stop)
      : judge_(judge), queue_(queue), lease_(lease), lease_ms_(lease_ms), stop_(stop) {}

  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override {
    return judge_.Prepare(policy, golden);
  }
  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override {
    return judge_.DecideUntil(policies, contents, [this] {
      const bool over = IsOver();
      if (over) {
        cut_.store(true);
      }
      return over;
    });
  }

  // Whether nobody wants the verdicts any more. Holds the lease, from time to time.
  bool IsOver() {
    if (stop_.load() || over_.load()) {
      return true;
    }
    const std::unique_lock lock(mutex_, std::try_to_lock);
    const auto now = std::chrono::steady_clock::now();
    if (lock.owns_lock() && now >= next_) {
      next_ = now + kHoldEvery;
      Note(queue_.Extend(lease_, UtcNow() + lease_ms_));
    }
    return over_.load();
  }
  // Keeps how far the work is.
  void Save(std::string_view progress) {
    const std::lock_guard lock(mutex_);
    Note(queue_.Save(lease_, progress));
  }

  // Some verdict of the last batch is missing because it stopped.
  [[nodiscard]] bool was_cut() const { return cut_.load(); }
  // Why the lease could not be held; nothing while it could.
  std::optional<Error> trouble() {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }

 private:
  static constexpr std::chrono::milliseconds kHoldEvery{500};

  // REQUIRES: mutex_ is held.
  void Note(const Status& status) {
    if (!status && !trouble_) {
      trouble_ = status.error();
      over_.store(true);
    }
  }

  moderation::Judge& judge_;
  moderation::JobQueue& queue_;
  const moderation::Lease& lease_;
  moderation::TimeMs lease_ms_;
  const std::atomic<bool>& stop_;
  std::atomic<bool> over_{false};
  std::atomic<bool> cut_{false};
  std::mutex mutex_;
  std::optional<Error> trouble_;                  // guarded by mutex_, as the next
  std::chrono::steady_clock::time_point next_{};  // when the lease is held again
};

}  // namespace safeguard::apps
