#include "base/thread_pool.h"

#include <chrono>
#include <limits>

#include "base/check.h"

namespace safeguard {
namespace {

// About what it costs to put a thread to sleep and wake it again.
constexpr std::chrono::microseconds kSpin{40};

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns when `word` is no longer `old`, or earlier.
void SpinWhile(const std::atomic<std::uint32_t>& word, std::uint32_t old) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      if (word.load(std::memory_order_acquire) != old) {
        return;
      }
      Pause();
    }
  } while (std::chrono::steady_clock::now() < end);
}

void WaitWhile(const std::atomic<std::uint32_t>& word, std::uint32_t old) {
  SpinWhile(word, old);
  word.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(std::size_t threads) {
  CHECK(threads >= 1);
  threads_.reserve(threads - 1);
  for (std::size_t worker = 1; worker < threads; ++worker) {
    threads_.emplace_back([this, worker] { Work(worker); });
  }
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  ++started_;
  started_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void ThreadPool::ParallelFor(std::size_t count, const Body& body) {
  CHECK(count <= std::numeric_limits<std::uint32_t>::max());
  const std::lock_guard turn(turn_);
  if (threads_.empty() || count <= 1) {
    for (std::size_t i = 0; i < count; ++i) {
      body(i, 0);
    }
    return;
  }
  const auto all = static_cast<std::uint32_t>(count);
  const std::uint32_t job = started_.load(std::memory_order_relaxed) + 1;
  body_.store(&body, std::memory_order_relaxed);
  count_.store(all, std::memory_order_relaxed);
  finished_.store(0, std::memory_order_relaxed);
  left_.store(std::uint64_t{job} << 32 | all, std::memory_order_release);
  started_.store(job);
  started_.notify_all();
  RunShare(job, 0);
  for (std::uint32_t done = finished_.load(std::memory_order_acquire); done != all;
       done = finished_.load(std::memory_order_acquire)) {
    WaitWhile(finished_, done);
  }
}

void ThreadPool::RunShare(std::uint32_t job, std::size_t worker) {
  std::uint32_t ran = 0;
  std::uint32_t count = 0;
  std::uint64_t left = left_.load(std::memory_order_acquire);
  while (left >> 32 == job && static_cast<std::uint32_t>(left) != 0) {
    if (!left_.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      continue;
    }
    count = count_.load(std::memory_order_relaxed);
    (*body_.load(std::memory_order_relaxed))(count - static_cast<std::uint32_t>(left), worker);
    ++ran;
    left = left_.load(std::memory_order_acquire);
  }
  // Who finishes the last index wakes the caller.
  if (ran > 0 && finished_.fetch_add(ran, std::memory_order_acq_rel) + ran == count) {
    finished_.notify_one();
  }
}

void ThreadPool::Work(std::size_t worker) {
  std::uint32_t seen = 0;
  while (true) {
    WaitWhile(started_, seen);
    seen = started_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_acquire)) {
      return;
    }
    RunShare(seen, worker);
  }
}

}  // namespace safeguard
