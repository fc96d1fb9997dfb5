#include "apps/route/system_time.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"

namespace safeguard::apps {
namespace {

using moderation::Duration;

class SystemClock final : public moderation::Clock {
 public:
  [[nodiscard]] Duration Now() const override {
    return std::chrono::duration_cast<Duration>(
        std::chrono::steady_clock::now().time_since_epoch());
  }
};

class UtcClock final : public moderation::Clock {
 public:
  [[nodiscard]] Duration Now() const override {
    const std::int64_t now =
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    std::int64_t latest = latest_.load();
    while (now > latest && !latest_.compare_exchange_weak(latest, now)) {
    }
    return Duration{std::max(now, latest)};
  }

 private:
  mutable std::atomic<std::int64_t> latest_{0};
};

class Threads final : public moderation::TimedCalls {
 public:
  explicit Threads(std::size_t calls_max) : calls_max_(calls_max) { CHECK(calls_max > 0); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
  }

  End RunWithin(Duration limit, std::function<void()> work) override {
    if (limit <= Duration{0}) {
      return End::kLate;
    }
    {
      const std::scoped_lock lock(mutex_);
      if (running_ >= calls_max_) {
        return End::kBusy;
      }
      ++running_;
    }
    auto done = std::make_shared<bool>(false);  // guarded by mutex_
    std::thread([this, done, work = std::move(work)]() mutable {
      work();
      work = nullptr;  // what it owns goes before anybody is told
      const std::scoped_lock lock(mutex_);
      *done = true;
      --running_;
      changed_.notify_all();  // held over the notice: the waiter may destroy us
    }).detach();
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return *done; }) ? End::kDone : End::kLate;
  }

 private:
  std::size_t calls_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_ = 0;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<moderation::Clock> SteadyClock() {
  return std::make_unique<SystemClock>();
}

std::unique_ptr<moderation::Clock> CalendarClock() {
  return std::make_unique<UtcClock>();
}

std::unique_ptr<moderation::TimedCalls> ThreadedCalls(std::size_t calls_max) {
  return std::make_unique<Threads>(calls_max);
}

}  // namespace safeguard::apps
