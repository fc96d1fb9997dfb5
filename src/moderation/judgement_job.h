// Judgements that were put off: what is judged under which policy texts, what was answered
// meanwhile, and whom to tell. They travel through a JobQueue as JSON, and so does the news of
// them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/follow_up.h"
#include "moderation/job_queue.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation {

inline constexpr const char* kJudgeJob = "judge";    // a Judgement
inline constexpr const char* kNotifyJob = "notify";  // a Notice

inline constexpr std::size_t kJudgementPoliciesMax = 256;
inline constexpr std::size_t kWebhookUrlBytesMax = 2048;

struct JudgedPolicy {
  PolicyReference policy;
  // The policy's bytes, for one that is in no store; empty: by id and hash it is found again.
  std::string text;
  Channel channel = Channel::kDirect;
  EarlierVerdict provisional;
};

struct Judgement {
  Content content;
  std::vector<JudgedPolicy> policies;  // 1..kJudgementPoliciesMax
  std::string webhook;                 // URL to tell when it is done; empty: nobody
  std::string route;                   // of the cascade that put it off; may be empty
  std::string route_file;              // where that route was read from; may be empty
  std::string why;                     // "asked", "budget", "latency", "audit"
  double audit_weight = 0;             // of "audit": 1 / the chance to be drawn
  bool keep_content = false;           // in the verdict log, else its hash alone
};

// The job that carries it: kind, payload, and as fingerprint what is judged under what. Priority,
// key, deadline and attempts are the caller's to set. kLimit for too many policies or too long a
// URL; the queue sees to the whole.
Result<NewJob> JobOf(const Judgement& judgement);
// kCorruptFile for anything that JobOf() did not write.
Result<Judgement> JudgementFromJson(std::string_view payload);

// What the cascade that put `policy` off finishes, at `now`, as `job`.
DeferredItem DeferredItemOf(const Judgement& judgement, const JudgedPolicy& policy, const Job& job,
                            TimeMs now);

// A message to a webhook, the same bytes at every attempt.
struct Notice {
  std::string url;
  std::string id;    // webhook-id: the receiver's idempotency key
  std::string body;  // JSON
};

std::string NoticeJson(const Notice& notice);
Result<Notice> NoticeFromJson(std::string_view payload);

// "verdict.final": `records` are what the log keeps, provisional verdicts within. No content and no
// reasoning leave the house with it: the receiver knows the content by its id and hash.
std::string FinalEventJson(const Job& job, const std::vector<VerdictRecord>& records, TimeMs now);
// "verdict.abandoned": the provisional verdicts stand, nothing better will come.
std::string AbandonedEventJson(const Job& job, const Judgement& judgement, std::string_view problem,
                               TimeMs now);

struct QueuedWorkOptions {
  std::function<TimeMs()> now;  // REQUIRES: set
  // The bytes of a policy that is in no store; may be empty.
  std::function<std::string(const PolicyReference&)> text_of{};
  std::string webhook{};
  std::string route_file{};  // as of a Judgement
  // In what part the version judged; empty: kDirect.
  std::function<Channel(const PolicyReference&)> channel_of{};
  bool keep_content = false;
  int attempts_max = 5;
  TimeMs deadline_ms = 0;  // after it was put off; 0: none
};

// What a cascade puts off goes into `queue`, which must outlive it: gain is priority.
std::unique_ptr<DeferredWork> QueuedWork(JobQueue& queue, QueuedWorkOptions options);

}  // namespace safeguard::moderation
