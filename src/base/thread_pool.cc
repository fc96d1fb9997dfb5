#include "base/thread_pool.h"

#include "base/check.h"

namespace safeguard {

ThreadPool::ThreadPool(std::size_t threads) {
  CHECK(threads >= 1);
  threads_.reserve(threads - 1);
  for (std::size_t worker = 1; worker < threads; ++worker) {
    threads_.emplace_back([this, worker] { Work(worker); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void ThreadPool::ParallelFor(std::size_t count,
                             const std::function<void(std::size_t, std::size_t)>& body) {
  const std::lock_guard turn(turn_);
  if (threads_.empty() || count <= 1) {
    for (std::size_t i = 0; i < count; ++i) {
      body(i, 0);
    }
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    body_ = &body;
    count_ = count;
    next_ = 0;
    running_ = threads_.size();
    ++generation_;
  }
  start_.notify_all();
  RunShare(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
  body_ = nullptr;
}

void ThreadPool::RunShare(std::size_t worker) {
  while (true) {
    std::size_t i = 0;
    const std::function<void(std::size_t, std::size_t)>* body = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (next_ == count_) {
        return;
      }
      i = next_++;
      body = body_;
    }
    (*body)(i, worker);
  }
}

void ThreadPool::Work(std::size_t worker) {
  std::size_t seen = 0;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return stop_ || generation_ != seen; });
      if (stop_) {
        return;
      }
      seen = generation_;
    }
    RunShare(worker);
    bool last = false;
    {
      const std::lock_guard lock(mutex_);
      last = --running_ == 0;
    }
    if (last) {
      done_.notify_one();
    }
  }
}

}  // namespace safeguard
