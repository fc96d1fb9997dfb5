// A fixed set of threads that run index ranges. Waiting threads sleep, so a stolen core costs only
// its share.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace safeguard {

class ThreadPool {
 public:
  // `threads` counts the caller: ThreadPool(1) runs everything in the caller and starts no thread.
  // REQUIRES: threads >= 1.
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] std::size_t size() const { return threads_.size() + 1; }

  // Calls body(i, worker) once for every i in [0, count), from at most size() threads; `worker` in
  // [0, size()) names the thread, so that scratch memory can be kept for each. Returns when all are
  // done. Calls from several threads take turns. `body` must not throw and must not call
  // ParallelFor on the same pool.
  void ParallelFor(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body);

 private:
  void Work(std::size_t worker);
  void RunShare(std::size_t worker);

  std::mutex turn_;  // one ParallelFor at a time
  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable done_;
  const std::function<void(std::size_t, std::size_t)>* body_ = nullptr;  // guarded by mutex_
  std::size_t count_ = 0;                                                // guarded by mutex_
  std::size_t next_ = 0;                                                 // guarded by mutex_
  std::size_t running_ = 0;                                              // guarded by mutex_
  std::size_t generation_ = 0;                                           // guarded by mutex_
  bool stop_ = false;                                                    // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace safeguard
