// A fixed set of threads that run index ranges. A waiting thread spins for some microseconds and
// then sleeps, so that calls that follow one another cost little and a stolen core costs only its
// share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
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

  // Calls body(i, worker) once for every i in [0, count), from at most size() threads, roughly in
  // rising order; `worker` in [0, size()) names the thread, so that scratch memory can be kept for
  // each. Returns when all are done; it does not wait for a thread that never came to take one.
  // Calls from several threads take turns. `body` must not throw and must not call ParallelFor on
  // the same pool. REQUIRES: count < 2^32.
  void ParallelFor(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body);

 private:
  using Body = std::function<void(std::size_t, std::size_t)>;

  void Work(std::size_t worker);
  void RunShare(std::uint32_t job, std::size_t worker);

  std::mutex turn_;  // one ParallelFor at a time
  // The running job's number, and how many of its indices nobody has taken: in one word, so that
  // a thread that comes late takes nothing of a job that it did not see start.
  std::atomic<std::uint64_t> left_{0};
  // Written before a job starts. Read only by who has taken an index, which the caller waits for.
  std::atomic<const Body*> body_{nullptr};
  std::atomic<std::uint32_t> count_{0};
  std::atomic<std::uint32_t> finished_{0};  // indices of the running job
  std::atomic<std::uint32_t> started_{0};   // the last job's number; sleepers wait on it
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace safeguard
