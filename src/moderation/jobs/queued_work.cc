#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "moderation/judgement_job.h"

namespace safeguard::moderation {
namespace {

class Queued final : public DeferredWork {
 public:
  Queued(JobQueue& queue, QueuedWorkOptions options) : queue_(queue), options_(std::move(options)) {
    CHECK(options_.now);
  }

  Status Defer(const DeferredItem& item) override {
    JudgedPolicy policy{item.policy, "", Channel::kDirect, EarlierOf(item.provisional)};
    if (options_.text_of) {
      policy.text = options_.text_of(item.policy);
    }
    if (options_.channel_of) {
      policy.channel = options_.channel_of(item.policy);
    }
    Judgement judgement;
    judgement.content = item.content;
    judgement.policies.push_back(std::move(policy));
    judgement.webhook = options_.webhook;
    judgement.route = item.route;
    judgement.route_file = options_.route_file;
    judgement.why = ToString(item.reason);
    judgement.audit_weight = item.audit_weight;
    judgement.keep_content = options_.keep_content;
    Result<NewJob> job = JobOf(judgement);
    if (!job) {
      return std::unexpected(job.error());
    }
    const TimeMs now = options_.now();
    job->key = item.key;
    job->not_before = now;
    job->priority = item.gain;
    job->attempts_max = options_.attempts_max;
    job->deadline = options_.deadline_ms == 0 ? 0 : now + options_.deadline_ms;
    const auto put = queue_.Enqueue(std::span(&*job, 1), now);
    return put ? Status{} : std::unexpected(put.error());
  }

  // When the queue cannot tell, it cannot take either: no backlog that anything was added to.
  std::size_t Backlog() override {
    const Result<JobCounts> counts = queue_.Counts(kJudgeJob, options_.now());
    return counts ? counts->waiting + counts->leased : 0;
  }

 private:
  JobQueue& queue_;
  QueuedWorkOptions options_;
};

DeferReason ReasonOf(const std::string& why) {
  for (const DeferReason reason :
       {DeferReason::kLatency, DeferReason::kAudit, DeferReason::kAsked}) {
    if (why == ToString(reason)) {
      return reason;
    }
  }
  return DeferReason::kBudget;
}

}  // namespace

DeferredItem DeferredItemOf(const Judgement& judgement, const JudgedPolicy& policy, const Job& job,
                            TimeMs now) {
  DeferredItem item;
  item.route = judgement.route;
  item.content = judgement.content;
  item.policy = policy.policy;
  item.provisional.policy = policy.policy;
  item.provisional.outcome = policy.provisional.outcome;
  item.provisional.reason = policy.provisional.reason;
  item.provisional.score = policy.provisional.score;
  item.provisional.rule_ids = policy.provisional.rule_ids;
  item.provisional.decided_by.layer = policy.provisional.layer;
  item.provisional.provisional = true;
  item.reason = ReasonOf(judgement.why);
  item.gain = job.what.priority;
  item.audit_weight = judgement.audit_weight;
  item.waited = std::chrono::milliseconds(std::max<TimeMs>(now - job.created, 0));
  return item;
}

std::unique_ptr<DeferredWork> QueuedWork(JobQueue& queue, QueuedWorkOptions options) {
  return std::make_unique<Queued>(queue, std::move(options));
}

}  // namespace safeguard::moderation
