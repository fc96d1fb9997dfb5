// /v1/reviews: cases for people. A case waits in the queue on the disk; a reviewer takes the next
// one for a while, decides it or gives it back, and a decision is a verdict of the log like any
// other. One that is taken and forgotten goes to the next reviewer when the lease ends.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/utc_time.h"
#include "http/api/review_case.h"
#include "http/api/route_parts.h"
#include "http/domain_json.h"
#include "http/job_json.h"
#include "http/json_fields.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Job;
using moderation::JobQueue;
using moderation::JobState;
using moderation::Lease;

constexpr int kSpentMax = 16;  // cases given up in one call

OrProblem<JobQueue*> QueueOf(const RouteContext& context) {
  if (context.parts.queue == nullptr || context.parts.log == nullptr) {
    return std::unexpected(Problem{
        409, "no-store", "this server keeps no reviews", "start it with --data-dir DIR", {}});
  }
  return context.parts.queue;
}

OrProblem<Response> File(const RouteContext& context, const Request& request) {
  const OrProblem<JobQueue*> queue = QueueOf(context);
  OrProblem<ReviewCase> asked =
      queue ? ReadReviewCase(request.body) : std::unexpected(queue.error());
  if (!asked) {
    return std::unexpected(asked.error());
  }
  const auto snapshot = context.parts.shelf.Snapshot();
  if (!snapshot) {
    return std::unexpected(ProblemOf(snapshot.error()));
  }
  const std::vector<std::string> names = {asked->policy.id};
  const auto route =
      context.parts.shelf.Resolve(snapshot->get(), names, moderation::ContentHash(asked->content));
  if (!route) {
    Problem problem = ProblemOf(route.error());
    problem.code = problem.status == 404 ? "unknown-policy" : problem.code;
    problem.pointer = "/policy";
    return std::unexpected(std::move(problem));
  }
  asked->policy = route->policies.front()->policy().Reference();
  if (const ShippedPolicy* shipped = context.parts.shelf.FindShipped(asked->policy.id);
      shipped != nullptr && shipped->policy.hash == asked->policy.hash) {
    asked->policy_text = shipped->bytes;
  }
  moderation::NewJob job{.kind = kReviewJob, .payload = PayloadOf(*asked)};
  job.fingerprint = Blake2bHex(job.payload);
  job.priority = asked->priority;
  job.not_before = context.parts.now();
  job.attempts_max = moderation::kJobAttemptsMax;
  if (const std::string_view name = request.header("idempotency-key"); !name.empty()) {
    job.key = Blake2bHex(request.caller_id + "\n" + std::string(name));
  }
  const auto put = (*queue)->Enqueue(std::span(&job, 1), context.parts.now());
  if (!put) {
    Problem problem = ProblemOf(put.error());
    if (put.error().code == ErrorCode::kLimit) {
      problem.status = 429;
      problem.code = "overloaded";
      problem.retry_after = 60;
    }
    return std::unexpected(std::move(problem));
  }
  Response response = JsonResponse(put->front().is_new ? 201 : 200,
                                   {{"review", put->front().id}, {"new", put->front().is_new}});
  response.headers.push_back({"location", "/v1/reviews/" + put->front().id});
  return response;
}

Json SummaryJson(const Job& job) {
  Json json = {{"review", job.id},
               {"state", ToString(job.state)},
               {"priority", job.what.priority},
               {"created", UtcText(job.created)},
               {"changed", UtcText(job.changed)}};
  if (job.state == JobState::kLeased) {
    json["reviewer"] = job.worker;
    json["lease_ends"] = UtcText(job.due);
  }
  return json;
}

OrProblem<Json> WholeJson(const Job& job) {
  Json json = SummaryJson(job);
  if (job.state == JobState::kDone) {
    json["decision"] = Json::parse(job.result, nullptr, false);
    CHECK(json["decision"].is_object());  // Decide() wrote it, whole or not at all
    return json;                          // the content is gone from the queue
  }
  const Result<ReviewCase> asked = ReviewCaseOf(job.what.payload);
  if (!asked) {
    return std::unexpected(ProblemOf(asked.error()));
  }
  json.update(CaseJson(*asked));
  return json;
}

OrProblem<Response> Next(const RouteContext& context, const Request& request) {
  const OrProblem<JobQueue*> queue = QueueOf(context);
  const OrProblem<moderation::TimeMs> lease_ms =
      queue ? ReadLeaseTime(request.body) : std::unexpected(queue.error());
  if (!lease_ms) {
    return std::unexpected(lease_ms.error());
  }
  const moderation::TimeMs now = context.parts.now();
  for (int taken = 0; taken < kSpentMax; ++taken) {
    const auto leases = (*queue)->Take(
        {.kinds = {kReviewJob}, .count = 1, .lease_ms = *lease_ms, .worker = request.caller}, now);
    if (!leases) {
      return std::unexpected(ProblemOf(leases.error()));
    }
    if (leases->empty()) {
      break;
    }
    const Lease& lease = leases->front();
    if (lease.spent != moderation::Spent::kNo) {
      const Status buried = (*queue)->Bury(lease, "nobody decided it", {}, now);
      if (!buried) {
        return std::unexpected(ProblemOf(buried.error()));
      }
      continue;
    }
    OrProblem<Json> json = WholeJson(lease.job);
    if (!json) {
      return std::unexpected(json.error());
    }
    (*json)["lease"] = lease.job.lease;
    return JsonResponse(200, *json);
  }
  Response none;
  none.status = 204;
  return none;
}

OrProblem<Job> FindCase(const RouteContext& context, const Request& request) {
  const OrProblem<JobQueue*> queue = QueueOf(context);
  if (!queue) {
    return std::unexpected(queue.error());
  }
  const std::string& id = request.values.at("id");
  Result<Job> job = (*queue)->Find(id);
  if ((job && job->what.kind != kReviewJob) || (!job && job.error().code == ErrorCode::kNotFound)) {
    return std::unexpected(Problem{404,
                                   "unknown-review",
                                   "there is no review \"" + id + "\"",
                                   "GET /v1/reviews lists those there are",
                                   {}});
  }
  return job ? OrProblem<Job>(std::move(*job)) : std::unexpected(ProblemOf(job.error()));
}

OrProblem<Response> Show(const RouteContext& context, const Request& request) {
  const OrProblem<Job> job = FindCase(context, request);
  const OrProblem<Json> json = job ? WholeJson(*job) : std::unexpected(job.error());
  return json ? OrProblem<Response>(JsonResponse(200, *json)) : std::unexpected(json.error());
}

// The lease that the caller says it holds; a problem when another one has been given since.
OrProblem<Lease> LeaseOf(const RouteContext& context, const Request& request, std::int64_t number) {
  OrProblem<Job> job = FindCase(context, request);
  if (!job) {
    return std::unexpected(job.error());
  }
  if (job->state != JobState::kLeased || job->lease != number) {
    return std::unexpected(Problem{409,
                                   "lease-lost",
                                   "the review is not yours any more, or is decided",
                                   "take the next one: POST /v1/reviews/next",
                                   {}});
  }
  return Lease{std::move(*job), moderation::Spent::kNo};
}

std::optional<Problem> CheckRules(const RouteContext& context, const ReviewCase& asked,
                                  const std::vector<std::string>& rules) {
  const auto prepared = context.parts.shelf.Find(asked.policy, asked.policy_text);
  if (!prepared) {
    return ProblemOf(prepared.error());
  }
  const moderation::Policy& policy = (*prepared)->policy();
  for (const std::string& rule : rules) {
    if (policy.FindRule(rule) == nullptr && policy.FindLevel(rule) == nullptr) {
      return Problem{400, "invalid-request", "the policy has no rule \"" + rule + "\"",
                     "cite rules of " + policy.id + "@" + policy.version, "/rule_ids"};
    }
  }
  return std::nullopt;
}

moderation::VerdictRecord RecordOfDecision(const RouteContext& context, const Request& request,
                                           const ReviewCase& asked,
                                           const ReviewDecision& decision) {
  moderation::Verdict verdict;
  verdict.policy = asked.policy;
  verdict.outcome = decision.outcome;
  verdict.reason = moderation::UndeterminedReason::kNone;
  verdict.rule_ids = decision.rule_ids;
  verdict.decided_by.layer = "human";
  verdict.decided_by.model = request.caller;
  moderation::VerdictRecord record =
      moderation::RecordOf(verdict, asked.content, moderation::Channel::kDirect,
                           context.parts.now(), context.options.keep_content);
  record.key = "review/" + request.values.at("id");
  return record;
}

// First into the log, under a key, then out of the queue: a crash between the two leaves a case
// that is decided again and recorded once.
OrProblem<Response> Decide(const RouteContext& context, const Request& request) {
  const OrProblem<ReviewDecision> decision = ReadReviewDecision(request.body);
  const OrProblem<Lease> lease =
      decision ? LeaseOf(context, request, decision->lease) : std::unexpected(decision.error());
  if (!lease) {
    return std::unexpected(lease.error());
  }
  const Result<ReviewCase> asked = ReviewCaseOf(lease->job.what.payload);
  if (!asked) {
    return std::unexpected(ProblemOf(asked.error()));
  }
  if (std::optional<Problem> problem = CheckRules(context, *asked, decision->rule_ids)) {
    return std::unexpected(std::move(*problem));
  }
  const moderation::VerdictRecord record = RecordOfDecision(context, request, *asked, *decision);
  const Status recorded = context.parts.log->Append(std::span(&record, 1));
  if (!recorded) {
    return std::unexpected(ProblemOf(recorded.error()));
  }
  const moderation::TimeMs now = context.parts.now();
  const Json result = {{"outcome", ToString(decision->outcome)},
                       {"rule_ids", decision->rule_ids},
                       {"note", decision->note},
                       {"reviewer", request.caller},
                       {"policy", asked->policy.id},
                       {"policy_version", asked->policy.version},
                       {"content_hash", record.content_hash},
                       {"when", UtcText(now)}};
  const Status done = context.parts.queue->Complete(*lease, JsonLine(result), {}, now);
  if (!done) {
    return std::unexpected(ProblemOf(done.error()));
  }
  return Show(context, request);
}

OrProblem<Response> GiveBack(const RouteContext& context, const Request& request) {
  const OrProblem<std::int64_t> number = ReadLeaseNumber(request.body);
  const OrProblem<Lease> lease =
      number ? LeaseOf(context, request, *number) : std::unexpected(number.error());
  if (!lease) {
    return std::unexpected(lease.error());
  }
  const Status released =
      context.parts.queue->Release(*lease, context.parts.now(), "", context.parts.now());
  return released ? Show(context, request) : std::unexpected(ProblemOf(released.error()));
}

OrProblem<Response> List(const RouteContext& context, const Request& request) {
  const OrProblem<JobQueue*> queue = QueueOf(context);
  const OrProblem<moderation::JobQuery> query =
      queue ? ReadJobQuery(request, kReviewJob) : std::unexpected(queue.error());
  if (!query) {
    return std::unexpected(query.error());
  }
  const Result<moderation::JobPage> page = (*queue)->List(*query);
  if (!page) {
    return std::unexpected(ProblemOf(page.error()));
  }
  Json data = Json::array();
  for (const Job& job : page->jobs) {
    data.push_back(SummaryJson(job));
  }
  Json next = nullptr;
  if (!page->end) {
    next = std::to_string(page->next);
  }
  return JsonResponse(200, {{"data", std::move(data)}, {"next_cursor", std::move(next)}});
}

}  // namespace

std::vector<Route> ReviewRoutes(const RouteContext& context) {
  Route file = DiskRoute(context, "POST", "/v1/reviews", File, Scope::kJudge);
  file.idempotent = true;
  const auto route = [&](const char* method, const char* pattern, RouteFunction function) {
    return DiskRoute(context, method, pattern, function, Scope::kReview);
  };
  return {std::move(file),
          route("GET", "/v1/reviews", List),
          route("POST", "/v1/reviews/next", Next),
          route("GET", "/v1/reviews/{id}", Show),
          route("POST", "/v1/reviews/{id}/decision", Decide),
          route("POST", "/v1/reviews/{id}/release", GiveBack)};
}

}  // namespace safeguard::http
