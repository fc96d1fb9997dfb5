#include "storage/shared_bucket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <limits>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "base/hash.h"
#include "storage/sqlite/data_folder.h"

namespace safeguard::storage {
namespace {

using moderation::Duration;
using moderation::SharedBucket;

constexpr std::uint64_t kMagic = 0x3174656b63756273;  // "sbucket1"
constexpr std::size_t kSlots = 64;
constexpr double kMemorySeconds = 20;  // as the demand of a governor
constexpr double kLiveSeconds = 30;    // a process that has not been seen for longer is none

struct Slot {
  std::uint64_t process;  // 0: free
  std::int64_t seen;      // microseconds
  double limit;
  double demand;
  double guarded;
};

struct Layout {
  std::uint64_t magic;
  std::int64_t refilled;  // microseconds
  double level;           // NaN: full, at the first exchange
  std::array<Slot, kSlots> slots;
};

Duration SinceBoot() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(time.tv_nsec));
}

double SecondsOf(std::int64_t microseconds) {
  return static_cast<double>(microseconds) / 1e6;
}

class MappedBucket final : public SharedBucket {
 public:
  MappedBucket(int fd, Layout* layout, SharedBucketOptions options)
      : fd_(fd), layout_(layout), options_(std::move(options)) {
    std::random_device random;
    process_ = (static_cast<std::uint64_t>(random()) << 32U | random()) | 1U;
  }
  MappedBucket(const MappedBucket&) = delete;
  MappedBucket& operator=(const MappedBucket&) = delete;
  ~MappedBucket() override {
    if (Lock()) {
      if (Slot* mine = Find(process_)) {
        mine->process = 0;
      }
      Unlock();
    }
    ::munmap(layout_, sizeof(Layout));
    ::close(fd_);
  }

  std::optional<Others> Exchange(const Mine& mine) override {
    const std::lock_guard threads(mutex_);
    if (!Lock()) {
      return std::nullopt;
    }
    const Others others = ExchangeLocked(mine);
    Unlock();
    return others;
  }

 private:
  // flock() is let go when its holder dies, however that comes.
  bool Lock() {
    const auto end = std::chrono::steady_clock::now() + options_.wait;
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if ((errno != EWOULDBLOCK && errno != EINTR) || std::chrono::steady_clock::now() >= end) {
        return false;
      }
      std::this_thread::yield();
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    return true;
  }
  void Unlock() {
    std::atomic_thread_fence(std::memory_order_release);
    ::flock(fd_, LOCK_UN);
  }

  Slot* Find(std::uint64_t process) {
    const auto slot = std::ranges::find(layout_->slots, process, &Slot::process);
    return slot == layout_->slots.end() ? nullptr : &*slot;
  }
  // Ours, else a free one, else one of a process that has gone; null: more processes than slots.
  Slot* SlotFor(std::int64_t now) {
    if (Slot* mine = Find(process_)) {
      return mine;
    }
    if (Slot* free = Find(0)) {
      return free;
    }
    const auto gone = std::ranges::find_if(layout_->slots, [&](const Slot& slot) {
      return !(std::abs(SecondsOf(now - slot.seen)) <= kLiveSeconds);
    });
    return gone == layout_->slots.end() ? nullptr : &*gone;
  }

  Others ExchangeLocked(const Mine& mine) {
    const std::int64_t now = (options_.now ? options_.now() : SinceBoot()).count();
    Others others;
    others.rate = std::min(mine.rate, mine.limit);
    for (const Slot& slot : layout_->slots) {
      const double age = SecondsOf(now - slot.seen);
      if (slot.process == 0 || slot.process == process_ || !(std::abs(age) <= kLiveSeconds)) {
        continue;
      }
      const double kept = std::exp(-std::max(age, 0.0) / kMemorySeconds);
      others.rate = std::min(others.rate, slot.limit);
      others.demand += slot.demand * kept;
      others.guarded += slot.guarded * kept;
    }
    if (std::isinf(mine.rate)) {
      others.level = std::isnan(layout_->level) ? 0 : layout_->level;
      return others;
    }
    if (Slot* slot = SlotFor(now)) {
      *slot = {process_, now, mine.limit, mine.demand, mine.guarded};
    }
    const double burst = others.rate * mine.burst_s;
    double level = layout_->level;
    if (std::isnan(level)) {
      level = burst;
    } else {
      // After a new start of the machine its time is lower: then nothing is filled in.
      const double passed = std::max(SecondsOf(now - layout_->refilled), 0.0);
      level = std::min(level + others.rate * passed, burst);
    }
    level -= mine.take;
    // In this order: who dies in between has taken the refill and given nothing.
    layout_->refilled = now;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    layout_->level = level;
    others.level = level;
    return others;
  }

  int fd_;
  Layout* layout_;
  SharedBucketOptions options_;
  std::uint64_t process_ = 0;
  std::mutex mutex_;
};

std::unexpected<Error> Unusable(const std::string& path) {
  return Fail(ErrorCode::kUnavailable,
              path + " cannot be used for the budget: " + std::strerror(errno),
              "the data folder must be writable");
}

// With the lock: only one process begins it.
Status Begin(int fd, const std::string& path, std::chrono::milliseconds wait) {
  const auto end =
      std::chrono::steady_clock::now() + std::max(wait, std::chrono::milliseconds(1000));
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= end) {
      return Unusable(path);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  struct stat status{};
  std::uint64_t magic = 0;
  bool good = ::fstat(fd, &status) == 0;
  const bool fresh = good && status.st_size == 0;
  const bool ours = good && status.st_size == sizeof(Layout) &&
                    ::pread(fd, &magic, sizeof magic, 0) == sizeof magic && magic == kMagic;
  if (good && !ours) {
    Layout layout{};
    layout.magic = kMagic;
    // Whatever was here is lost: the stricter guess is that all was spent.
    layout.level = fresh ? std::numeric_limits<double>::quiet_NaN() : 0;
    layout.refilled = std::numeric_limits<std::int64_t>::max();
    good = ::ftruncate(fd, 0) == 0 && ::ftruncate(fd, sizeof layout) == 0 &&
           ::pwrite(fd, &layout, sizeof layout, 0) == sizeof layout;
  }
  const Status begun = good ? Status{} : Status(Unusable(path));
  ::flock(fd, LOCK_UN);
  return begun;
}

}  // namespace

Result<std::unique_ptr<SharedBucket>> OpenSharedBucket(const std::string& data_folder,
                                                       const std::string& name,
                                                       SharedBucketOptions options) {
  // A name may hold anything that a file's may not.
  const Result<std::string> path =
      DatabasePath(data_folder, "budget-" + Blake2bHex(name).substr(0, 16), true);
  if (!path) {
    return std::unexpected(path.error());
  }
  const int fd = ::open(path->c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    return Unusable(*path);
  }
  if (const Status begun = Begin(fd, *path, options.wait); !begun) {
    ::close(fd);
    return std::unexpected(begun.error());
  }
  void* mapped = ::mmap(nullptr, sizeof(Layout), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) {
    const std::unexpected<Error> error = Unusable(*path);
    ::close(fd);
    return error;
  }
  return std::make_unique<MappedBucket>(fd, static_cast<Layout*>(mapped), std::move(options));
}

}  // namespace safeguard::storage
