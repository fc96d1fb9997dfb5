#include "http/disk_threads.h"

#include <utility>

namespace safeguard::http {
namespace {

constexpr std::size_t kThreads = 2;

}  // namespace

DiskThreads::DiskThreads(std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads_.emplace_back([this] { Work(); });
  }
}

DiskThreads::~DiskThreads() {
  Stop();
}

bool DiskThreads::Run(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= waiting_max_) {
      return false;
    }
    queue_.push_back(std::move(work));
  }
  there_.notify_one();
  return true;
}

void DiskThreads::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  there_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

void DiskThreads::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    there_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) {
      return;
    }
    const std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace safeguard::http
