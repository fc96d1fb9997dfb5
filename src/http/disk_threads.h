// Threads for what waits for the disk, so that nothing else does.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace safeguard::http {

// Thread-safe.
class DiskThreads {
 public:
  // `waiting_max`: works that may wait for a thread.
  explicit DiskThreads(std::size_t waiting_max = 256);
  ~DiskThreads();  // Stop()
  DiskThreads(const DiskThreads&) = delete;
  DiskThreads& operator=(const DiskThreads&) = delete;

  // False, and nothing is run, when too much waits or it has been stopped.
  bool Run(std::function<void()> work);
  // Finishes what waits.
  void Stop();

 private:
  void Work();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable there_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace safeguard::http
