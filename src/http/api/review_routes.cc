// /v1/reviews: cases for people, in the queue that routes file into and `safeguard review` reads. A
// reviewer takes the most urgent one for a while, decides it or gives it back, and a decision is a
// verdict of the log like any other. One that is taken and forgotten goes to the next reviewer when
// the lease ends.
#include <charconv>
#include <utility>

#include "base/hash.h"
#include "http/api/review_case.h"
#include "http/api/route_parts.h"
#include "http/domain_json.h"
#include "http/json_fields.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::JobState;
using moderation::ReviewCase;
using moderation::ReviewQueue;

OrProblem<ReviewQueue*> QueueOf(const RouteContext& context) {
  if (context.parts.reviews == nullptr || context.parts.log == nullptr) {
    return std::unexpected(Problem{
        409, "no-store", "this server keeps no reviews", "start it with --data-dir DIR", {}});
  }
  return context.parts.reviews;
}

Problem ReviewProblem(const Error& error) {
  Problem problem = ProblemOf(error);
  if (error.code == ErrorCode::kLimit) {
    problem.status = 429;
    problem.code = "overloaded";
    problem.retry_after = 60;
  } else if (error.code == ErrorCode::kInvalidInput) {
    problem.status = 409;
    problem.code = "not-allowed-now";
  }
  return problem;
}

Problem LeaseLost() {
  return {409,
          "lease-lost",
          "the review is not yours any more, or is decided",
          "take the next one: POST /v1/reviews/next",
          {}};
}

// A case that nobody has judged: undetermined until a person decides it.
moderation::ReviewItem ItemOf(const Request& request, ReviewRequest asked,
                              const moderation::PolicyReference& policy) {
  moderation::ReviewItem item;
  const std::string_view name = request.header("idempotency-key");
  item.key = name.empty() ? moderation::NewId("asked/")
                          : "asked/" + Blake2bHex(request.caller_id + "\n" + std::string(name));
  item.verdict = moderation::Undetermined(policy, moderation::UndeterminedReason::kUncertain,
                                          "a person was asked");
  item.verdict.decided_by.layer = "asked";
  item.content = std::move(asked.content);
  item.why = std::move(asked.why);
  item.priority = asked.priority;
  return item;
}

OrProblem<Response> File(const RouteContext& context, const Request& request) {
  const OrProblem<ReviewQueue*> queue = QueueOf(context);
  OrProblem<ReviewRequest> asked =
      queue ? ReadReviewRequest(request.body) : std::unexpected(queue.error());
  if (!asked) {
    return std::unexpected(asked.error());
  }
  const auto snapshot = context.parts.shelf.Snapshot();
  if (!snapshot) {
    return std::unexpected(ProblemOf(snapshot.error()));
  }
  const std::vector<std::string> names = {asked->policy};
  const auto route =
      context.parts.shelf.Resolve(snapshot->get(), names, moderation::ContentHash(asked->content));
  if (!route) {
    Problem problem = ProblemOf(route.error());
    problem.code = problem.status == 404 ? "unknown-policy" : problem.code;
    problem.pointer = "/policy";
    return std::unexpected(std::move(problem));
  }
  const moderation::TimeMs now = context.parts.now();
  const moderation::ReviewItem item =
      ItemOf(request, std::move(*asked), route->policies.front()->policy().Reference());
  const Result<std::int64_t> id = (*queue)->File(item, now);
  const Result<ReviewCase> filed = id ? (*queue)->Find(*id) : std::unexpected(id.error());
  if (!filed) {
    return std::unexpected(ReviewProblem(filed.error()));
  }
  const bool is_new = filed->filed == now;  // else its Idempotency-Key was there already
  const std::string name = std::to_string(*id);
  Response response = JsonResponse(is_new ? 201 : 200, {{"review", name}, {"new", is_new}});
  response.headers.push_back({"location", "/v1/reviews/" + name});
  return response;
}

OrProblem<Response> Next(const RouteContext& context, const Request& request) {
  const OrProblem<ReviewQueue*> queue = QueueOf(context);
  const OrProblem<moderation::TimeMs> lease_ms =
      queue ? ReadLeaseTime(request.body) : std::unexpected(queue.error());
  if (!lease_ms) {
    return std::unexpected(lease_ms.error());
  }
  const moderation::TimeMs now = context.parts.now();
  const auto taken = (*queue)->Take(request.caller, now, now + *lease_ms);
  if (!taken) {
    return std::unexpected(ReviewProblem(taken.error()));
  }
  if (!*taken) {
    Response none;
    none.status = 204;
    return none;
  }
  Json json = CaseJson(**taken, now);
  json["lease"] = (*taken)->lease;
  return JsonResponse(200, json);
}

OrProblem<ReviewCase> FindCase(const RouteContext& context, const Request& request) {
  const OrProblem<ReviewQueue*> queue = QueueOf(context);
  if (!queue) {
    return std::unexpected(queue.error());
  }
  const std::string& name = request.values.at("id");
  std::int64_t id = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), id);
  const bool number = read.ec == std::errc() && read.ptr == name.data() + name.size();
  Result<ReviewCase> found = (*queue)->Find(number ? id : 0);
  if (!found && found.error().code == ErrorCode::kNotFound) {
    return std::unexpected(Problem{404,
                                   "unknown-review",
                                   "there is no review \"" + name + "\"",
                                   "GET /v1/reviews lists those there are",
                                   {}});
  }
  return found ? OrProblem<ReviewCase>(std::move(*found))
               : std::unexpected(ReviewProblem(found.error()));
}

OrProblem<Response> Show(const RouteContext& context, const Request& request) {
  const OrProblem<ReviewCase> found = FindCase(context, request);
  return found ? OrProblem<Response>(JsonResponse(200, CaseJson(*found, context.parts.now())))
               : std::unexpected(found.error());
}

// The case that the caller says it holds; a problem when it does not any more.
OrProblem<ReviewCase> HeldCase(const RouteContext& context, const Request& request,
                               std::int64_t lease) {
  OrProblem<ReviewCase> found = FindCase(context, request);
  if (found && (!IsHeld(*found, context.parts.now()) || found->lease != lease)) {
    return std::unexpected(LeaseLost());
  }
  return found;
}

std::optional<Problem> CheckRules(const RouteContext& context, const ReviewCase& found,
                                  const std::vector<std::string>& rules) {
  if (rules.empty()) {
    return std::nullopt;
  }
  const auto prepared = context.parts.shelf.Find(found.policy, "");
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

// First into the log, under a key, then decided: a crash between the two leaves a case that is
// decided again and recorded once.
OrProblem<Response> Decide(const RouteContext& context, const Request& request) {
  const OrProblem<DecisionRequest> decision = ReadReviewDecision(request.body);
  OrProblem<ReviewCase> found =
      decision ? HeldCase(context, request, decision->lease) : std::unexpected(decision.error());
  if (!found) {
    return std::unexpected(found.error());
  }
  if (std::optional<Problem> problem = CheckRules(context, *found, decision->rule_ids)) {
    return std::unexpected(std::move(*problem));
  }
  moderation::ReviewDecision made;
  made.outcome = decision->outcome;
  made.rule_ids = decision->rule_ids;
  made.by = request.caller;
  made.why = decision->note.empty() ? "no note" : decision->note;
  made.when = context.parts.now();
  found->decision = made;
  ++found->decisions;
  const moderation::VerdictRecord record =
      moderation::RecordOfDecision(*found, context.options.keep_content);
  if (const Status recorded = context.parts.log->Append(std::span(&record, 1)); !recorded) {
    return std::unexpected(ProblemOf(recorded.error()));
  }
  const Result<ReviewCase> decided = context.parts.reviews->Decide(found->id, made, false);
  return decided ? OrProblem<Response>(JsonResponse(200, CaseJson(*decided, made.when)))
                 : std::unexpected(ReviewProblem(decided.error()));
}

OrProblem<Response> GiveBack(const RouteContext& context, const Request& request) {
  const OrProblem<std::int64_t> lease = ReadLeaseNumber(request.body);
  const OrProblem<ReviewCase> found =
      lease ? HeldCase(context, request, *lease) : std::unexpected(lease.error());
  if (!found) {
    return std::unexpected(found.error());
  }
  const Result<ReviewCase> released = context.parts.reviews->Release(found->id, *lease);
  if (released) {
    return JsonResponse(200, CaseJson(*released, context.parts.now()));
  }
  return std::unexpected(released.error().code == ErrorCode::kNotFound
                             ? LeaseLost()
                             : ReviewProblem(released.error()));
}

OrProblem<Response> List(const RouteContext& context, const Request& request) {
  const OrProblem<ReviewQueue*> queue = QueueOf(context);
  const OrProblem<moderation::JobQuery> asked =
      queue ? ReadJobQuery(request, "review") : std::unexpected(queue.error());
  if (!asked) {
    return std::unexpected(asked.error());
  }
  moderation::ReviewQuery query{.after = asked->after, .limit = asked->limit, .by_id = true};
  if (asked->state) {
    query.decided = *asked->state == JobState::kDone;
  }
  const Result<std::vector<ReviewCase>> page = (*queue)->List(query);
  if (!page) {
    return std::unexpected(ReviewProblem(page.error()));
  }
  const moderation::TimeMs now = context.parts.now();
  Json data = Json::array();
  for (const ReviewCase& found : *page) {
    Json json = SummaryJson(found, now);
    if (!asked->state || json["state"] == ToString(*asked->state)) {
      data.push_back(std::move(json));
    }
  }
  return PageResponse(std::move(data), page->size() == query.limit ? page->back().id : 0);
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
