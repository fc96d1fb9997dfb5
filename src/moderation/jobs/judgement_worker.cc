#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "moderation/content_json.h"
#include "moderation/jobs/lease_keeper.h"
#include "moderation/jobs/worker_parts.h"

namespace safeguard::moderation {
namespace {

using Prepared = std::shared_ptr<const PreparedPolicy>;

// A job on its way through the steps.
struct Case {
  Lease lease;
  Judgement judgement;
  Cascade* cascade = nullptr;  // that finishes it; null: the worker's judge does
  std::string setup;           // of whoever judges
  std::vector<Prepared> policies;
  std::vector<VerdictRecord> records;  // what will be kept; empty: not judged yet
};

// Whether the same question may get a better answer later.
bool MayPass(const Verdict& verdict) {
  switch (verdict.reason) {
    case UndeterminedReason::kTimeout:
    case UndeterminedReason::kOverload:
    case UndeterminedReason::kModelUnavailable:
    case UndeterminedReason::kInternalError:
      return verdict.outcome == Outcome::kUndetermined;
    default:
      return false;
  }
}

// "spam: safe -> violation, own: safe"
std::string OutcomesText(const std::vector<VerdictRecord>& records) {
  std::string text;
  for (const VerdictRecord& record : records) {
    text += (text.empty() ? "" : ", ") + record.policy.id + ": ";
    if (record.provisional && record.provisional->outcome != record.outcome) {
      text += std::string(ToString(record.provisional->outcome)) + " -> ";
    }
    text += ToString(record.outcome);
  }
  return text;
}

class Finisher final : public JobWorker {
 public:
  Finisher(JobQueue& queue, VerdictLog& log, Judge* judge, PolicySource policies,
           WorkerOptions options)
      : queue_(queue),
        log_(log),
        judge_(judge),
        policies_(std::move(policies)),
        parts_(queue, std::move(options)) {}

  Result<std::size_t> Work() override;

 private:
  // Each gives the error of the store alone; what is wrong with a job goes with the job.
  Status Read(const Lease& lease, std::vector<Case>& cases);
  // Who judges it and under what, filled in; false: nobody here, and it was given back or buried.
  Result<bool> FindJudge(Case& one);
  Status JudgeAll(std::vector<Case>& cases);
  Status FinishRouted(Case& one);
  Status Keep(Case& one, std::span<Verdict> verdicts);
  Status Finish(Case& one);
  Status FailAttempt(const Case& one, const std::string& problem);
  Status Bury(const Lease& lease, const Judgement& judgement, const std::string& problem);
  [[nodiscard]] const std::string& WebhookOf(const Judgement& judgement) const {
    return judgement.webhook.empty() ? parts_.options().webhook : judgement.webhook;
  }
  [[nodiscard]] NewJob NoticeOf(const Lease& lease, const Judgement& judgement,
                                const std::string& event, std::string body) const;

  JobQueue& queue_;
  VerdictLog& log_;
  Judge* judge_;
  PolicySource policies_;
  WorkerParts parts_;
};

Result<std::size_t> Finisher::Work() {
  Result<std::vector<Lease>> leases = parts_.Take(kJudgeJob, parts_.options().batch);
  if (!leases) {
    return std::unexpected(leases.error());
  }
  if (leases->empty()) {
    return 0;
  }
  const LeaseKeeper keeper(queue_, *leases, parts_.options().lease_ms, parts_.options().now);
  std::vector<Case> cases;
  Status status;
  for (const Lease& lease : *leases) {
    status = status ? Read(lease, cases) : status;
  }
  status = status ? JudgeAll(cases) : status;
  for (Case& one : cases) {
    status = status && !one.records.empty() ? Finish(one) : status;
  }
  if (status) {
    return leases->size();
  }
  // The store's trouble is not the jobs': their attempts do not count. Where it cannot even be told
  // that, the leases run out; the first error is the one to report.
  for (const Lease& lease : *leases) {
    static_cast<void>(parts_.Release(lease));
  }
  return std::unexpected(status.error());
}

Status Finisher::Read(const Lease& lease, std::vector<Case>& cases) {
  Result<Judgement> judgement = JudgementFromJson(lease.job.what.payload);
  if (!judgement) {
    return parts_.Bury(lease, judgement.error().message, {});
  }
  if (lease.spent != Spent::kNo) {
    return Bury(lease, *judgement, WhySpent(lease));
  }
  Case one{lease, std::move(*judgement), nullptr, parts_.options().setup, {}, {}};
  if (!lease.job.progress.empty()) {  // judged by a worker that died
    Result<std::vector<VerdictRecord>> records = RecordsFromJson(lease.job.progress);
    if (!records || records->size() != one.judgement.policies.size()) {
      return Bury(lease, one.judgement, "its kept verdicts cannot be read");
    }
    one.records = std::move(*records);
    cases.push_back(std::move(one));
    return {};
  }
  const Result<bool> found = FindJudge(one);
  if (!found) {
    return std::unexpected(found.error());
  }
  if (*found) {
    cases.push_back(std::move(one));
  }
  return {};
}

Result<bool> Finisher::FindJudge(Case& one) {
  const auto given_up = [](const Status& status) {
    return status ? Result<bool>(false) : std::unexpected(status.error());
  };
  PolicySource policies = policies_;
  if (!one.judgement.route.empty() && parts_.options().routes) {
    Result<RouteFinish> finish = parts_.options().routes(one.judgement);
    if (!finish) {
      return given_up(parts_.Release(
          one.lease,
          "the route " + one.judgement.route + " cannot be used: " + Describe(finish.error()),
          parts_.options().nobody_ms));
    }
    one.cascade = finish->cascade;
    one.setup = std::move(finish->setup);
    policies = std::move(finish->policies);
  } else if (judge_ == nullptr) {
    return given_up(parts_.Release(one.lease, "there is no judge here but those of routes",
                                   parts_.options().nobody_ms));
  }
  for (const JudgedPolicy& policy : one.judgement.policies) {
    Result<Prepared> prepared = policies(policy);
    if (!prepared) {
      const std::string problem =
          "the policy " + policy.policy.id + " cannot be used: " + Describe(prepared.error());
      return given_up(prepared.error().code == ErrorCode::kUnavailable
                          ? FailAttempt(one, problem)
                          : Bury(one.lease, one.judgement, problem));
    }
    one.policies.push_back(std::move(*prepared));
  }
  return true;
}

// By its cascade, one policy at a time, as it was put off.
Status Finisher::FinishRouted(Case& one) {
  std::vector<Verdict> verdicts;
  for (std::size_t p = 0; p < one.policies.size(); ++p) {
    verdicts.push_back(one.cascade->Finish(
        one.policies[p],
        DeferredItemOf(one.judgement, one.judgement.policies[p], one.lease.job, parts_.Now())));
    const Verdict& verdict = verdicts.back();
    if (verdict.outcome == Outcome::kUndetermined &&
        verdict.reason == UndeterminedReason::kOverload) {
      // Not its fault: the budget has no room, or all that judges is busy.
      return parts_.Release(one.lease, "not now: " + verdict.detail, parts_.options().no_room_ms);
    }
  }
  return Keep(one, verdicts);
}

// Contents under the same policies go to the judge together.
Status Finisher::JudgeAll(std::vector<Case>& cases) {
  std::map<std::vector<Prepared>, std::vector<Case*>> groups;
  for (Case& one : cases) {
    if (!one.records.empty()) {
      continue;
    }
    if (one.cascade == nullptr) {
      groups[one.policies].push_back(&one);
    } else if (const Status done = FinishRouted(one); !done) {
      return done;
    }
  }
  for (const auto& [policies, members] : groups) {
    std::vector<Content> contents;
    for (const Case* one : members) {
      contents.push_back(one->judgement.content);
    }
    // To its end, in the small steps of what could be stopped: others may wait for this judge.
    std::vector<Verdict> verdicts = judge_->DecideUntil(policies, contents, [] { return false; });
    CHECK(verdicts.size() == policies.size() * contents.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      const Status kept =
          Keep(*members[i], std::span(verdicts).subspan(i * policies.size(), policies.size()));
      if (!kept) {
        return kept;
      }
    }
  }
  return {};
}

Status Finisher::Keep(Case& one, std::span<Verdict> verdicts) {
  const auto failed = std::ranges::find_if(verdicts, MayPass);
  if (failed != verdicts.end()) {
    return FailAttempt(one, std::string("undetermined: ") + ToString(failed->reason) +
                                (failed->detail.empty() ? "" : ": " + failed->detail));
  }
  parts_.Tell(JobStep::kJudged, one.lease.job);
  std::vector<VerdictRecord> records;
  for (std::size_t p = 0; p < verdicts.size(); ++p) {
    const JudgedPolicy& policy = one.judgement.policies[p];
    verdicts[p].policy = policy.policy;  // as it was named when it was put off: the same text
    VerdictRecord record = RecordOf(verdicts[p], one.judgement.content, policy.channel,
                                    parts_.Now(), /*keep_content=*/false);
    record.key = one.lease.job.id + "/" + std::to_string(p);
    record.provisional = policy.provisional;
    record.provenance.setup = one.setup;
    records.push_back(std::move(record));
  }
  const Status saved = queue_.Save(one.lease, RecordsJson(records));
  if (saved) {
    one.records = std::move(records);
    parts_.Tell(JobStep::kSaved, one.lease.job);
  }
  return UnlessLost(saved);
}

Status Finisher::Finish(Case& one) {
  std::vector<VerdictRecord> kept = one.records;
  for (VerdictRecord& record : kept) {
    if (one.judgement.keep_content) {
      record.content = one.judgement.content;
    }
  }
  if (Status recorded = log_.Append(kept); !recorded) {
    return recorded;
  }
  parts_.Tell(JobStep::kRecorded, one.lease.job);
  const TimeMs now = parts_.Now();
  std::vector<NewJob> notices;
  if (!WebhookOf(one.judgement).empty()) {
    notices.push_back(NoticeOf(one.lease, one.judgement, "final",
                               FinalEventJson(one.lease.job, one.records, now)));
  }
  const Status done = queue_.Complete(one.lease, RecordsJson(one.records), notices, now);
  if (done) {
    parts_.Tell(JobStep::kFinished, one.lease.job, OutcomesText(one.records));
    if (parts_.options().on_final) {
      parts_.options().on_final(one.judgement, one.records);
    }
  }
  return UnlessLost(done);
}

Status Finisher::FailAttempt(const Case& one, const std::string& problem) {
  const Job& job = one.lease.job;
  return job.attempts >= job.what.attempts_max ? Bury(one.lease, one.judgement, problem)
                                               : parts_.PutBack(one.lease, problem);
}

Status Finisher::Bury(const Lease& lease, const Judgement& judgement, const std::string& problem) {
  std::vector<NewJob> notices;
  if (!WebhookOf(judgement).empty()) {
    // Of each death one: a redriven job may die again.
    notices.push_back(NoticeOf(lease, judgement, "abandoned" + std::to_string(lease.job.lease),
                               AbandonedEventJson(lease.job, judgement, problem, parts_.Now())));
  }
  return parts_.Bury(lease, problem, notices);
}

NewJob Finisher::NoticeOf(const Lease& lease, const Judgement& judgement, const std::string& event,
                          std::string body) const {
  const std::string key = lease.job.id + "." + event;
  NewJob job{.kind = kNotifyJob,
             .payload = NoticeJson({WebhookOf(judgement), "msg_" + key, std::move(body)}),
             .key = key,
             .parent = lease.job.id};
  job.priority = lease.job.what.priority;
  job.not_before = parts_.Now();
  job.attempts_max = parts_.options().notice_attempts;
  return job;
}

}  // namespace

std::unique_ptr<JobWorker> JudgementWorker(JobQueue& queue, VerdictLog& log, Judge* judge,
                                           PolicySource policies, WorkerOptions options) {
  return std::make_unique<Finisher>(queue, log, judge, std::move(policies), std::move(options));
}

}  // namespace safeguard::moderation
