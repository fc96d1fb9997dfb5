#include "moderation/jobs/lease_keeper.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace safeguard::moderation {

LeaseKeeper::LeaseKeeper(JobQueue& queue, std::vector<Lease> leases, TimeMs lease_ms,
                         std::function<TimeMs()> now)
    : queue_(queue),
      leases_(std::move(leases)),
      lease_ms_(lease_ms),
      now_(std::move(now)),
      thread_([this] { Run(); }) {}

LeaseKeeper::~LeaseKeeper() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void LeaseKeeper::Run() {
  const std::chrono::milliseconds pause(std::max<TimeMs>(lease_ms_ / 3, 1));
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, pause, [this] { return end_; })) {
    lock.unlock();
    std::erase_if(leases_, [this](const Lease& lease) {
      const Status kept = queue_.Extend(lease, now_() + lease_ms_);
      return !kept && kept.error().code == ErrorCode::kNotFound;
    });
    lock.lock();
  }
}

}  // namespace safeguard::moderation
