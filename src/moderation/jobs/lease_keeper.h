// Keeps leases while their jobs take long.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "moderation/job_queue.h"

namespace safeguard::moderation {

// A thread that extends the leases three times within their length, until it goes. What cannot be
// extended now (a locked database) is tried again; a lease that was lost stays lost, and the queue
// refuses what its holder does.
class LeaseKeeper {
 public:
  LeaseKeeper(JobQueue& queue, std::vector<Lease> leases, TimeMs lease_ms,
              std::function<TimeMs()> now);
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

 private:
  void Run();

  JobQueue& queue_;
  std::vector<Lease> leases_;
  TimeMs lease_ms_;
  std::function<TimeMs()> now_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace safeguard::moderation
