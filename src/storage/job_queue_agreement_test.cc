// The queue in memory is short enough to be read as the definition; the one on the disk does the
// same for any sequence of calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "moderation/job_queue.h"
#include "storage/stores.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

using moderation::Job;
using moderation::JobQueue;
using moderation::Lease;
using moderation::NewJob;
using moderation::TimeMs;

// One queue with what a caller remembers of it. Jobs are named by the order they came in, because
// each queue gives ids of its own.
class Side {
 public:
  explicit Side(std::unique_ptr<JobQueue> queue) : queue_(std::move(queue)) {}

  std::string Enqueue(const std::vector<NewJob>& jobs, TimeMs now) {
    const auto put = queue_->Enqueue(jobs, now);
    if (!put) {
      return Code(put.error());
    }
    std::string said;
    for (const auto& one : *put) {
      said += Name(one.id) + (one.is_new ? "+" : "=");
    }
    return said;
  }
  std::string Take(const moderation::TakeRequest& request, TimeMs now) {
    const auto taken = queue_->Take(request, now);
    if (!taken) {
      return Code(taken.error());
    }
    std::string said;
    for (const Lease& lease : *taken) {
      said += Name(lease.job.id) + ":" + std::to_string(static_cast<int>(lease.spent)) + ":" +
              std::to_string(lease.job.attempts) + lease.job.progress + lease.job.what.payload;
      leases_.push_back(lease);
    }
    return said;
  }
  // One of what a holder of some lease, old or new, may try.
  std::string Act(std::size_t which, int action, const std::vector<NewJob>& follow_ups,
                  TimeMs now) {
    if (leases_.empty()) {
      return "";
    }
    const Lease& lease = leases_[which % leases_.size()];
    switch (action) {
      case 0:
        return Code(queue_->Extend(lease, now + 20));
      case 1:
        return Code(queue_->Save(lease, "p" + std::to_string(now)));
      case 2:
        return Code(queue_->Complete(lease, "r", follow_ups, now));
      case 3:
        return Code(queue_->Retry(lease, now + 15, "again", now));
      case 4:
        return Code(queue_->Release(lease, now + 10, now % 2 == 0 ? "not now" : "", now));
      case 5:
        return Code(queue_->Bury(lease, "dead", follow_ups, now));
      case 6:
        return Code(queue_->Redrive(lease.job.id, now));
      case 7:
        return Code(queue_->CallOff(lease.job.id, "off", "nobody wants it", now));
      default:
        return Code(queue_->Discard(lease.job.id));
    }
  }
  std::string Prune(TimeMs now) { return std::to_string(queue_->Prune(100, now).value()); }

  // All that can be seen.
  std::string State(TimeMs now) {
    std::string state;
    const moderation::JobPage page = queue_->List({.limit = 1000}).value();
    for (const Job& short_job : page.jobs) {
      const Job job = queue_->Find(short_job.id).value();
      state += Name(job.id) + " " + ToString(job.state) + " " + std::to_string(job.attempts) + " " +
               std::to_string(job.lease) + " " + std::to_string(job.due) + " " + job.what.payload +
               "|" + job.progress + "|" + job.result + "|" + job.problem + "|" +
               std::to_string(job.what.deadline) + "|" + std::to_string(job.changed) + "\n";
    }
    for (const char* kind : {"", "a", "b"}) {
      const auto counts = queue_->Counts(kind, now).value();
      state += std::to_string(counts.waiting) + " " + std::to_string(counts.due) + " " +
               std::to_string(counts.leased) + " " + std::to_string(counts.done) + " " +
               std::to_string(counts.dead) + " " + std::to_string(counts.next.value_or(-1)) + "\n";
    }
    return state;
  }

 private:
  static std::string Code(const Error& error) { return ToString(error.code); }
  static std::string Code(const Status& status) { return status ? "done" : Code(status.error()); }
  std::string Name(const std::string& id) {
    return std::to_string(names_.emplace(id, names_.size()).first->second);
  }

  std::unique_ptr<JobQueue> queue_;
  std::vector<Lease> leases_;
  std::map<std::string, std::size_t> names_;
};

TEST(JobQueueAgreement, DiskAndMemoryDoTheSame) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    const TestFolder folder;
    const moderation::QueueLimits limits{
        .jobs_max = 12, .bytes_max = 60, .done_kept_ms = 40, .dead_kept_ms = 80};
    Side memory(moderation::MemoryJobQueue(limits));
    Side disk(OpenJobQueue(folder.path(), limits, {.create = true}).value());
    TimeMs now = 1000;
    const auto job = [&] {
      NewJob made{.kind = below(2) == 0 ? "a" : "b", .payload = std::string(below(9), 'x')};
      made.key = below(2) == 0 ? "" : "k" + std::to_string(below(6));
      made.fingerprint = below(5) == 0 ? "other" : "";
      made.priority = static_cast<double>(below(3)) - 0.5;
      made.not_before = below(3) == 0 ? now + below(20) : 0;
      made.deadline = below(4) == 0 ? now + below(40) : 0;
      made.attempts_max = 1 + static_cast<int>(below(3));
      return made;
    };
    for (int step = 0; step < 120; ++step) {
      now += below(9);
      std::vector<NewJob> jobs(below(3));
      std::ranges::generate(jobs, job);
      const unsigned what = below(10);
      std::string one;
      std::string two;
      if (what < 3) {
        one = memory.Enqueue(jobs, now);
        two = disk.Enqueue(jobs, now);
      } else if (what < 6) {
        const moderation::TakeRequest request{
            below(2) == 0 ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{"a"},
            1 + below(3), TimeMs{10} + below(20), "w"};
        one = memory.Take(request, now);
        two = disk.Take(request, now);
      } else if (what < 9) {
        const std::size_t which = random();
        const int action = static_cast<int>(below(8));
        one = memory.Act(which, action, jobs, now);
        two = disk.Act(which, action, jobs, now);
      } else {
        one = memory.Prune(now);
        two = disk.Prune(now);
      }
      ASSERT_EQ(one, two) << "seed " << seed << " step " << step << " call " << what;
      ASSERT_EQ(memory.State(now), disk.State(now)) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace safeguard::storage
