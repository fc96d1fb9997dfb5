#include <utility>

#include "moderation/jobs/worker_parts.h"

namespace safeguard::moderation {
namespace {

class Notifier final : public JobWorker {
 public:
  Notifier(JobQueue& queue, MessageSender& sender, WorkerOptions options)
      : queue_(queue), sender_(sender), parts_(queue, std::move(options)) {}

  // One at a time: another worker need not wait for a slow receiver.
  Result<std::size_t> Work() override {
    const Result<std::vector<Lease>> leases = parts_.Take(kNotifyJob, 1);
    if (!leases) {
      return std::unexpected(leases.error());
    }
    for (const Lease& lease : *leases) {
      if (const Status done = Deliver(lease); !done) {
        return std::unexpected(done.error());
      }
    }
    return leases->size();
  }

 private:
  Status Deliver(const Lease& lease) {
    if (lease.spent != Spent::kNo) {
      return parts_.Bury(lease, WhySpent(lease), {});
    }
    const Result<Notice> notice = NoticeFromJson(lease.job.what.payload);
    if (!notice) {
      return parts_.Bury(lease, notice.error().message, {});
    }
    const SendOutcome sent = sender_.Send({notice->url, notice->id, notice->body, parts_.Now()});
    switch (sent.end) {
      case SendEnd::kDelivered:
        break;
      case SendEnd::kHopeless:
        return parts_.Bury(lease, sent.problem, {});
      case SendEnd::kRetry:
        return lease.job.attempts >= lease.job.what.attempts_max
                   ? parts_.Bury(lease, sent.problem, {})
                   : parts_.PutBack(lease, sent.problem, sent.retry_after_ms.value_or(0));
    }
    parts_.Tell(JobStep::kSent, lease.job);
    const Status done = queue_.Complete(lease, "", {}, parts_.Now());
    if (done) {
      parts_.Tell(JobStep::kAcknowledged, lease.job);
    }
    return UnlessLost(done);
  }

  JobQueue& queue_;
  MessageSender& sender_;
  WorkerParts parts_;
};

}  // namespace

std::unique_ptr<JobWorker> NoticeWorker(JobQueue& queue, MessageSender& sender,
                                        WorkerOptions options) {
  return std::make_unique<Notifier>(queue, sender, std::move(options));
}

}  // namespace safeguard::moderation
