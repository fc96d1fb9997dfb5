// /v1/eval/runs: policies measured on a dataset by the judge that answers here. A run is a job of
// the queue; who works on it knows eval/, these routes do not.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/utc_time.h"
#include "http/api/eval_run.h"
#include "http/api/file_body.h"
#include "http/api/file_json.h"
#include "http/api/route_parts.h"
#include "http/domain_json.h"
#include "http/json_fields.h"
#include "http/json_input.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Job;
using moderation::JobState;

constexpr const char* kCancelled = "cancelled";  // a job that was called off
constexpr int kAttemptsMax = 5;
constexpr double kSampleMax = 5e6;
constexpr double kSeedMax = 9e15;

OrProblem<moderation::JobQueue*> QueueOf(const RouteContext& context) {
  if (context.parts.queue == nullptr || context.parts.files == nullptr) {
    return std::unexpected(Problem{
        409, "no-store", "this server keeps no evaluations", "start it with --data-dir DIR", {}});
  }
  return context.parts.queue;
}

struct RunQuestion {
  EvalRun run;
  std::vector<std::string> policies;
};

OrProblem<RunQuestion> ReadRunQuestion(const RouteContext& context, const Request& request) {
  const OrProblem<nlohmann::json> json = ParseObject(request.body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  RunQuestion question;
  question.run.asked_by = request.caller;
  question.run.dataset = fields.Text("dataset", kNameBytesMax);
  question.policies = fields.Names("policies", kPoliciesMax);
  if (question.policies.empty()) {
    fields.Fault("policies", "is missing", "name the policies to be measured");
  }
  const std::string judge = fields.Text("judge", kNameBytesMax);
  if (!judge.empty() && judge != context.options.model &&
      "safeguard-" + judge != context.options.model) {
    fields.Fault("judge", "does not answer here",
                 "this server's is " + context.options.model + "; start one with another --judge");
  }
  question.run.sample =
      static_cast<std::size_t>(fields.Number("sample", 1, kSampleMax).value_or(0));
  question.run.seed = static_cast<std::uint64_t>(fields.Number("seed", 0, kSeedMax).value_or(1));
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return question;
}

// What a name means now. Never a canary: who that is for is decided content by content.
OrProblem<EvalPolicy> Meant(const RouteContext& context, const moderation::PolicySnapshot* snapshot,
                            const std::string& name) {
  std::vector<std::string> names = {name};
  auto route = context.parts.shelf.Resolve(snapshot, names, "eval");
  if (route && route->channels.front() == moderation::Channel::kCanary && !name.contains('@')) {
    names = {name + "@active"};
    route = context.parts.shelf.Resolve(snapshot, names, "eval");
  }
  if (!route) {
    Problem problem = ProblemOf(route.error());
    problem.code = problem.status == 404 ? "unknown-policy" : problem.code;
    problem.pointer = "/policies";
    return std::unexpected(std::move(problem));
  }
  EvalPolicy meant{route->policies.front()->policy().Reference(), {}};
  const ShippedPolicy* shipped = context.parts.shelf.FindShipped(meant.policy.id);
  if (shipped != nullptr && shipped->policy.hash == meant.policy.hash) {
    meant.text = shipped->bytes;
  }
  return meant;
}

// Nobody but a server works on evaluations: one that would wait for ever is not taken.
OrProblem<moderation::JobQueue*> WorkedQueueOf(const RouteContext& context) {
  if (!context.options.works_on_evals) {
    return std::unexpected(
        Problem{409,
                "no-worker",
                "this server works on no jobs (--no-jobs), so the evaluation would wait for ever",
                "ask a server on the same data without --no-jobs, or measure on the command line: "
                "safeguard eval --data FILE --policy NAME",
                {}});
  }
  return QueueOf(context);
}

OrProblem<Response> Create(const RouteContext& context, const Request& request) {
  const auto queue = WorkedQueueOf(context);
  OrProblem<RunQuestion> question =
      queue ? ReadRunQuestion(context, request) : std::unexpected(queue.error());
  if (!question) {
    return std::unexpected(question.error());
  }
  const auto file = context.parts.files->Find(kSharedOwner, question->run.dataset);
  if (!file || file->purpose != kDatasetPurpose) {
    return std::unexpected(Problem{404, "unknown-dataset", "there is no such dataset",
                                   "GET /v1/datasets lists those there are", "/dataset"});
  }
  question->run.dataset_name = file->name;
  const auto snapshot = context.parts.shelf.Snapshot();
  if (!snapshot) {
    return std::unexpected(ProblemOf(snapshot.error()));
  }
  for (const std::string& name : question->policies) {
    OrProblem<EvalPolicy> meant = Meant(context, snapshot->get(), name);
    if (!meant) {
      return std::unexpected(meant.error());
    }
    question->run.policies.push_back(std::move(*meant));
  }
  moderation::NewJob job{.kind = kEvalJob, .payload = PayloadOf(question->run)};
  job.not_before = context.parts.now();
  job.attempts_max = kAttemptsMax;
  if (const std::string_view name = request.header("idempotency-key"); !name.empty()) {
    job.key = RecordKey(request);
  }
  const auto put = (*queue)->Enqueue(std::span(&job, 1), context.parts.now());
  if (!put) {
    Problem problem = ProblemOf(put.error());
    problem.status = put.error().code == ErrorCode::kLimit ? 429 : problem.status;
    return std::unexpected(std::move(problem));
  }
  const std::string& id = put->front().id;
  Response response = JsonResponse(202, {{"run", id}, {"new", put->front().is_new}});
  response.headers.push_back({"location", "/v1/eval/runs/" + id});
  return response;
}

Json SummaryJson(const Job& job) {
  Json json = {{"run", job.id},
               {"state", WasCalledOff(job) ? kCancelled : ToString(job.state)},
               {"created", UtcText(job.created)},
               {"changed", UtcText(job.changed)}};
  if (!job.problem.empty()) {
    json["problem"] = job.problem;
  }
  return json;
}

OrProblem<Job> FindRun(const RouteContext& context, const Request& request) {
  const auto queue = QueueOf(context);
  if (!queue) {
    return std::unexpected(queue.error());
  }
  const std::string& id = request.values.at("id");
  Result<Job> job = (*queue)->Find(id);
  const bool ours = job && job->what.kind == kEvalJob;
  if (!ours && (job || job.error().code == ErrorCode::kNotFound)) {
    return std::unexpected(Problem{404,
                                   "unknown-run",
                                   "there is no evaluation \"" + id + "\"",
                                   "those that are done are kept for a week",
                                   {}});
  }
  return job ? OrProblem<Job>(std::move(*job)) : std::unexpected(ProblemOf(job.error()));
}

OrProblem<Response> Show(const RouteContext& context, const Request& request) {
  const OrProblem<Job> job = FindRun(context, request);
  if (!job) {
    return std::unexpected(job.error());
  }
  Json json = SummaryJson(*job);
  if (job->state == JobState::kDone) {
    json.update(Json::parse(job->result));  // ResultOf() wrote it
    return JsonResponse(200, json);
  }
  const Result<EvalRun> run = EvalRunOf(job->what.payload);
  if (!run) {
    return std::unexpected(ProblemOf(run.error()));
  }
  json.update(Json::parse(ResultOf(*run, {})));
  json["progress"] = job->progress.empty() ? Json(nullptr) : Json::parse(job->progress);
  Response response = JsonResponse(200, json);
  if (job->state != JobState::kDead) {
    response.headers.push_back({"retry-after", "1"});
  }
  return response;
}

OrProblem<Response> Cancel(const RouteContext& context, const Request& request) {
  const OrProblem<Job> job = FindRun(context, request);
  if (!job) {
    return std::unexpected(job.error());
  }
  const Result<EvalRun> run =
      job->state == JobState::kDone ? Result<EvalRun>(EvalRun{}) : EvalRunOf(job->what.payload);
  if (!run) {
    return std::unexpected(ProblemOf(run.error()));
  }
  const Status cancelled =
      context.parts.queue->CallOff(job->id, CancelledResultOf(*run, job->progress),
                                   "cancelled by " + request.caller, context.parts.now());
  if (!cancelled && cancelled.error().code == ErrorCode::kInvalidInput) {
    const OrProblem<Job> over = FindRun(context, request);
    const char* state = over && WasCalledOff(*over) ? kCancelled
                        : over                      ? ToString(over->state)
                                                    : "";
    return std::unexpected(
        Problem{409,
                "not-allowed-now",
                std::string("the evaluation is ") + state + " already",
                "nothing is left to cancel; GET /v1/eval/runs/" + job->id + " says what came of it",
                {}});
  }
  return cancelled ? Show(context, request) : std::unexpected(ProblemOf(cancelled.error()));
}

OrProblem<Response> List(const RouteContext& context, const Request& request) {
  const auto queue = QueueOf(context);
  const OrProblem<moderation::JobQuery> query =
      queue ? ReadJobQuery(request, kEvalJob, kCancelled) : std::unexpected(queue.error());
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
  return PageResponse(std::move(data), page->end ? 0 : page->next);
}

// The report of `policy`, or of the only one.
OrProblem<Json> ReportOf(const Job& job, const std::string& policy) {
  if (WasCalledOff(job)) {
    return std::unexpected(Problem{409,
                                   "not-done",
                                   "the evaluation was cancelled",
                                   "it has no report: ask for another evaluation",
                                   {}});
  }
  if (job.state != JobState::kDone) {
    return std::unexpected(Problem{409,
                                   "not-done",
                                   std::string("the evaluation is ") + ToString(job.state),
                                   "ask again when it is done",
                                   {}});
  }
  const Json result = Json::parse(job.result);
  for (const Json& report : result["reports"]) {
    if (policy.empty() ? result["reports"].size() == 1 : report["policy"] == policy) {
      return report;
    }
  }
  return std::unexpected(Problem{400,
                                 "invalid-request",
                                 "\"policy\" names none of the run's policies",
                                 "name one of those that the run says",
                                 {}});
}

OrProblem<Response> Report(const RouteContext& context, const Request& request) {
  const auto query = ReadQuery(request.query, {"format", "policy"});
  const OrProblem<Job> job = query ? FindRun(context, request) : std::unexpected(query.error());
  const auto value = [&](const char* name, const char* otherwise) {
    const auto found = query->find(name);
    return found == query->end() ? std::string(otherwise) : found->second;
  };
  const OrProblem<Json> report =
      job ? ReportOf(*job, value("policy", "")) : std::unexpected(job.error());
  if (!report) {
    return std::unexpected(report.error());
  }
  const std::string format = value("format", "json");
  if (format != "json" && format != "html") {
    return std::unexpected(Problem{
        400, "invalid-request", "\"format\" is none that is known", "there are: json, html", {}});
  }
  OrProblem<Response> response =
      FileBody(context, kSharedOwner, (*report)[format + "_file"].get<std::string>());
  if (response && format == "html") {
    response->content_type = "text/html; charset=utf-8";
    // It needs nothing from anywhere; whatever the dataset's texts say, it gets nothing.
    response->headers.push_back({"content-security-policy",
                                 "default-src 'none'; style-src 'unsafe-inline'; img-src data:"});
  }
  return response;
}

}  // namespace

std::vector<Route> EvalRoutes(const RouteContext& context) {
  const auto route = [&](const char* method, const char* pattern, RouteFunction function) {
    return DiskRoute(context, method, pattern, function, Scope::kPolicyWrite);
  };
  Route create = route("POST", "/v1/eval/runs", Create);
  create.idempotent = true;
  Route cancel = route("POST", "/v1/eval/runs/{id}/cancel", Cancel);
  cancel.idempotent = true;
  return {std::move(create), route("GET", "/v1/eval/runs", List),
          route("GET", "/v1/eval/runs/{id}", Show), std::move(cancel),
          route("GET", "/v1/eval/runs/{id}/report", Report)};
}

}  // namespace safeguard::http
