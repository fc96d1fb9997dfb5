// /v1/jobs: judge later. What is answered 202 is on the disk and is seen through, whatever crashes
// in between; its verdicts come by asking for the job, or to a webhook.
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "http/api/judge_answer.h"
#include "http/api/route_parts.h"
#include "http/domain_json.h"
#include "http/job_json.h"
#include "http/json_input.h"
#include "moderation/judgement_job.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Content;
using moderation::JobQueue;

OrProblem<JobQueue*> QueueOf(const RouteContext& context) {
  if (context.parts.queue == nullptr) {
    return std::unexpected(
        Problem{409, "no-store", "this server keeps no jobs", "start it with --data-dir DIR", {}});
  }
  return context.parts.queue;
}

// What a policy's name means now: the text that the content will be judged under.
moderation::JudgedPolicy JudgedPolicyOf(const PolicyShelf& shelf, const moderation::Policy& policy,
                                        moderation::Channel channel) {
  moderation::JudgedPolicy judged;
  judged.policy = policy.Reference();
  judged.channel = channel;
  const ShippedPolicy* shipped = shelf.FindShipped(policy.id);
  if (shipped != nullptr && shipped->policy.version == policy.version &&
      shipped->policy.hash == policy.hash) {
    judged.text = shipped->bytes;  // another program may finish the job
  }
  judged.provisional.reason = moderation::UndeterminedReason::kTimeout;
  judged.provisional.layer = "service";  // which has answered before anybody judged
  return judged;
}

// Where the policies of a job are looked up.
PolicyShelf& ShelfFor(const RouteContext& context, const ServedRoute* route) {
  return route == nullptr ? context.parts.shelf : route->shelf;
}

OrProblem<moderation::NewJob> NewJobOf(const RouteContext& context, const ServedRoute* route,
                                       const JobQuestion& question, const Content& content,
                                       const moderation::PolicySnapshot* snapshot) {
  PolicyShelf& shelf = ShelfFor(context, route);
  const std::vector<std::string> names = route != nullptr            ? route->policies
                                         : question.policies.empty() ? shelf.DefaultNames(snapshot)
                                                                     : question.policies;
  const std::string who =
      question.account.empty() ? moderation::ContentHash(content) : question.account;
  const auto versions = shelf.Resolve(snapshot, names, who);
  if (!versions) {
    return std::unexpected(JudgeProblem(versions.error(), route));
  }
  moderation::Judgement judgement;
  judgement.content = content;
  judgement.webhook = question.webhook;
  judgement.why = "asked";
  judgement.keep_content = context.options.keep_content;
  if (route != nullptr) {
    judgement.route = route->name;
    judgement.route_file = route->file;
  }
  for (std::size_t p = 0; p < versions->policies.size(); ++p) {
    judgement.policies.push_back(
        JudgedPolicyOf(shelf, versions->policies[p]->policy(), versions->channels[p]));
  }
  Result<moderation::NewJob> job = moderation::JobOf(judgement);
  if (!job) {
    return std::unexpected(ProblemOf(job.error()));
  }
  const moderation::TimeMs now = context.parts.now();
  job->not_before = now;
  job->priority = question.priority;
  job->deadline = question.deadline ? now + question.deadline->count() : 0;
  return std::move(*job);
}

Problem EnqueueProblem(const Error& error) {
  Problem problem = ProblemOf(error);
  if (error.code == ErrorCode::kLimit) {
    problem.status = 429;
    problem.code = "overloaded";
    problem.retry_after = 30;
  } else if (error.code == ErrorCode::kInvalidInput) {
    problem.code = "idempotency-key-reused";
  }
  return problem;
}

OrProblem<std::vector<moderation::Enqueued>> Enqueue(const RouteContext& context,
                                                     const Request& request,
                                                     const JobQuestion& question) {
  const OrProblem<JobQueue*> queue = QueueOf(context);
  if (!queue) {
    return std::unexpected(queue.error());
  }
  if (!question.webhook.empty()) {
    const Status good = context.parts.check_webhook(question.webhook);
    if (!good) {
      Problem problem = ProblemOf(good.error());
      problem.pointer = "/webhook";
      return std::unexpected(std::move(problem));
    }
  }
  const OrProblem<const ServedRoute*> route = RouteNamed(context, request, question.route);
  if (!route) {
    return std::unexpected(route.error());
  }
  const auto snapshot = ShelfFor(context, *route).Snapshot();
  if (!snapshot) {
    return std::unexpected(ProblemOf(snapshot.error()));
  }
  const std::string_view name = request.header("idempotency-key");
  std::vector<moderation::NewJob> jobs;
  for (const Content& content : question.contents) {
    OrProblem<moderation::NewJob> job =
        NewJobOf(context, *route, question, content, snapshot->get());
    if (!job) {
      return std::unexpected(job.error());
    }
    if (!name.empty()) {
      job->key = Blake2bHex(request.caller_id + "\n" + request.path + "\n" + std::string(name) +
                            "\n" + std::to_string(jobs.size()));
    }
    jobs.push_back(std::move(*job));
  }
  auto put = (*queue)->Enqueue(jobs, context.parts.now());
  return put ? OrProblem<std::vector<moderation::Enqueued>>(std::move(*put))
             : std::unexpected(EnqueueProblem(put.error()));
}

Json TicketJson(const moderation::Enqueued& job, const Content& content) {
  Json json = {{"job", job.id}, {"new", job.is_new}};
  if (!content.id.empty()) {
    json["id"] = content.id;
  }
  return json;
}

OrProblem<Response> Submit(const RouteContext& context, const Request& request) {
  const OrProblem<JobQuestion> question = ReadJobQuestion(request.body, JobContents::kOne);
  const auto put =
      question ? Enqueue(context, request, *question) : std::unexpected(question.error());
  if (!put) {
    return std::unexpected(put.error());
  }
  Response response = JsonResponse(202, TicketJson(put->front(), question->contents.front()));
  response.headers.push_back({"location", "/v1/jobs/" + put->front().id});
  return response;
}

OrProblem<Response> SubmitBatch(const RouteContext& context, const Request& request) {
  const OrProblem<JobQuestion> question = ReadJobQuestion(request.body, JobContents::kMany);
  const auto put =
      question ? Enqueue(context, request, *question) : std::unexpected(question.error());
  if (!put) {
    return std::unexpected(put.error());
  }
  Json data = Json::array();
  for (std::size_t c = 0; c < put->size(); ++c) {
    data.push_back(TicketJson((*put)[c], question->contents[c]));
  }
  return JsonResponse(202, {{"data", std::move(data)}});
}

OrProblem<moderation::Job> FindJob(const RouteContext& context, const Request& request) {
  const OrProblem<JobQueue*> queue = QueueOf(context);
  if (!queue) {
    return std::unexpected(queue.error());
  }
  const std::string& id = request.values.at("id");
  Result<moderation::Job> job = (*queue)->Find(id);
  const bool ours = job && job->what.kind == moderation::kJudgeJob;
  if (!ours && (job || job.error().code == ErrorCode::kNotFound)) {
    return std::unexpected(Problem{404,
                                   "unknown-job",
                                   "there is no job \"" + id + "\"",
                                   "those that are done are kept for a week",
                                   {}});
  }
  return job ? OrProblem<moderation::Job>(std::move(*job))
             : std::unexpected(ProblemOf(job.error()));
}

OrProblem<Response> Show(const RouteContext& context, const Request& request) {
  const OrProblem<moderation::Job> job = FindJob(context, request);
  if (!job) {
    return std::unexpected(job.error());
  }
  Json json = JobJson(*job);
  json.erase("key");  // a hash that says nothing to whoever gave it
  json["verdicts"] = nullptr;
  if (job->state == moderation::JobState::kDone) {
    Result<Json> verdicts = FinalVerdictsJson(*job);
    if (!verdicts) {
      return std::unexpected(ProblemOf(verdicts.error()));
    }
    json["verdicts"] = std::move(*verdicts);
  }
  Response response = JsonResponse(200, json);
  if (job->state == moderation::JobState::kWaiting || job->state == moderation::JobState::kLeased) {
    response.headers.push_back({"retry-after", "1"});
  }
  return response;
}

OrProblem<Response> List(const RouteContext& context, const Request& request) {
  const OrProblem<JobQueue*> queue = QueueOf(context);
  const OrProblem<moderation::JobQuery> query =
      queue ? ReadJobQuery(request, moderation::kJudgeJob) : std::unexpected(queue.error());
  if (!query) {
    return std::unexpected(query.error());
  }
  const Result<moderation::JobPage> page = (*queue)->List(*query);
  if (!page) {
    return std::unexpected(ProblemOf(page.error()));
  }
  Json data = Json::array();
  for (const moderation::Job& job : page->jobs) {
    data.push_back(JobJson(job));
    data.back().erase("key");
  }
  return PageResponse(std::move(data), page->end ? 0 : page->next);
}

OrProblem<Response> Retry(const RouteContext& context, const Request& request) {
  const OrProblem<moderation::Job> job = FindJob(context, request);
  if (!job) {
    return std::unexpected(job.error());
  }
  const Status redriven = context.parts.queue->Redrive(job->id, context.parts.now());
  if (!redriven) {
    Problem problem = ProblemOf(redriven.error());
    if (problem.status == 422) {
      problem.status = 409;
      problem.code = "not-allowed-now";
    }
    return std::unexpected(std::move(problem));
  }
  return Show(context, request);
}

Route Idempotent(Route route) {
  route.idempotent = true;
  return route;
}

}  // namespace

std::vector<Route> JobRoutes(const RouteContext& context) {
  const auto route = [&](const char* method, const char* pattern, RouteFunction function) {
    return DiskRoute(context, method, pattern, function, Scope::kJudge);
  };
  return {Idempotent(route("POST", "/v1/jobs", Submit)),
          Idempotent(route("POST", "/v1/jobs/batch", SubmitBatch)), route("GET", "/v1/jobs", List),
          route("GET", "/v1/jobs/{id}", Show),
          Idempotent(route("POST", "/v1/jobs/{id}/retry", Retry))};
}

}  // namespace safeguard::http
