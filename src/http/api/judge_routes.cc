// POST /v1/judge and /v1/judge/batch.
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "http/api/judge_answer.h"
#include "http/domain_json.h"
#include "http/json_input.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Content;

// The verdicts of one content.
Json VerdictsJson(const JudgeAnswer& answer, std::size_t content, moderation::ContentKind kind,
                  bool include_reasoning) {
  Json list = Json::array();
  for (std::size_t p = 0; p < answer.policies; ++p) {
    const std::size_t at = content * answer.policies + p;
    Json verdict = RoutedVerdictJson(answer.verdicts[at], answer.channels[at], kind);
    if (!include_reasoning) {
      verdict.erase("reasoning");  // for practitioners: only who asks for it gets it
    }
    list.push_back(std::move(verdict));
  }
  return list;
}

Json ResultJson(const JudgeAnswer& answer, std::size_t content, const Content& judged,
                bool include_reasoning) {
  Json json = Json::object();
  if (!judged.id.empty()) {
    json["id"] = judged.id;
  }
  json["verdicts"] = VerdictsJson(answer, content, judged.kind, include_reasoning);
  return json;
}

// How long a request may take that names no time.
std::chrono::milliseconds DefaultTime(const RouteContext& context, const ServedRoute* route,
                                      std::size_t contents, bool aloud) {
  if (route != nullptr) {
    return TimeOf(*route);
  }
  return aloud ? context.options.chat_time_max : TimeFor(context, contents);
}

void Ask(const RouteContext& context, const std::shared_ptr<Request>& request, const Reply& reply,
         JudgeQuestion question, JudgeRender render) {
  const OrProblem<const ServedRoute*> named = RouteNamed(context, *request, question.route);
  if (!named) {
    reply(ProblemResponse(named.error(), request->id));
    return;
  }
  const ServedRoute* const route = *named;
  const bool aloud = question.contents.size() == 1 && question.stream;
  const auto time = DefaultTime(context, route, question.contents.size(), aloud);
  JudgeJob job;
  job.policies = route == nullptr ? std::move(question.policies) : route->policies;
  job.contents = std::move(question.contents);
  job.account = std::move(question.account);
  job.key = RecordKey(*request);
  job.deadline = request->received + question.timeout.value_or(time);
  const JudgeRender of_route = [route, render = std::move(render)](const JudgeAnswer& answer) {
    Json json = render(answer);
    if (route != nullptr) {
      json["route"] = route->name;
    }
    return json;
  };
  if (aloud) {
    JudgeAloud(context, request, reply, std::move(job), of_route, route);
    return;
  }
  const std::string id = request->id;
  SubmitOrRefuse(
      context, *request, reply, std::move(job),
      [reply, id, of_route, route](const Result<JudgeAnswer>& answer) {
        if (!answer) {
          reply(ProblemResponse(JudgeProblem(answer.error(), route), id));
          return;
        }
        Response response;
        response.body = JsonLine(of_route(*answer));
        reply(std::move(response));
      },
      false, route);
}

void JudgeOne(const RouteContext& context, const std::shared_ptr<Request>& request,
              const Reply& reply) {
  OrProblem<JudgeQuestion> question = ReadJudgeQuestion(request->body);
  if (!question) {
    reply(ProblemResponse(question.error(), request->id));
    return;
  }
  Content kept;  // what the answer needs of it
  kept.id = question->contents.front().id;
  kept.kind = question->contents.front().kind;
  question->stream = question->stream || AcceptsEvents(*request);
  const bool reasoning = question->include_reasoning;
  Ask(context, request, reply, std::move(*question), [kept, reasoning](const JudgeAnswer& answer) {
    return ResultJson(answer, 0, kept, reasoning);
  });
}

void JudgeBatch(const RouteContext& context, const std::shared_ptr<Request>& request,
                const Reply& reply) {
  OrProblem<JudgeQuestion> question = ReadBatchQuestion(request->body);
  if (!question) {
    reply(ProblemResponse(question.error(), request->id));
    return;
  }
  std::vector<Content> kept;
  for (const Content& content : question->contents) {
    kept.emplace_back().id = content.id;
    kept.back().kind = content.kind;
  }
  const bool reasoning = question->include_reasoning;
  Ask(context, request, reply, std::move(*question),
      [kept = std::move(kept), reasoning](const JudgeAnswer& answer) {
        Json results = Json::array();
        for (std::size_t c = 0; c < kept.size(); ++c) {
          results.push_back(ResultJson(answer, c, kept[c], reasoning));
        }
        return Json{{"results", std::move(results)}};
      });
}

}  // namespace

OrProblem<const ServedRoute*> RouteNamed(const RouteContext& context, const Request& request,
                                         const std::string& name) {
  if (name.empty()) {
    return nullptr;
  }
  if (const ServedRoute* route = FindRoute(context.parts.routes, name)) {
    return route;
  }
  constexpr std::size_t kNamed = 10;
  std::string there;
  for (const ServedRoute& route :
       context.parts.routes.first(std::min(kNamed, context.parts.routes.size()))) {
    there += (there.empty() ? "" : ", ") + route.name;
  }
  const bool others = !request.tenant.empty() && request.tenant != kDefaultTenant;
  return std::unexpected(Problem{
      404, "unknown-route",
      others ? "routes are the default tenant's alone" : "there is no route \"" + name + "\"",
      others          ? "name policies instead"
      : there.empty() ? "this server has none: start it with --route FILE, or name policies"
                      : "there are: " + there + " (GET /v1/routes)",
      "/route"});
}

Problem JudgeProblem(const Error& error, const ServedRoute* route) {
  Problem problem = ProblemOf(error);
  if (route != nullptr && error.code == ErrorCode::kNotFound) {
    return {503, "route-unusable", "the route " + route->name + " cannot judge: " + error.message,
            error.hint, "/route"};
  }
  if (error.code == ErrorCode::kNotFound) {
    problem.code = "unknown-policy";
    problem.pointer = "/policies";
  }
  return problem;
}

std::string RecordKey(const Request& request) {
  const std::string_view key = request.header("idempotency-key");
  return key.empty() ? ""
                     : Blake2bHex(request.caller_id + "\n" + request.path + "\n" +
                                  std::string(key) + "\n" + request.body);
}

std::chrono::milliseconds TimeFor(const RouteContext& context, std::size_t contents) {
  constexpr std::size_t kContentsEach = 16;
  const auto shares = static_cast<std::int64_t>((contents + kContentsEach - 1) / kContentsEach);
  const std::chrono::milliseconds one = context.timeout.load();
  return std::max(one, std::min(one * shares, std::chrono::milliseconds(kTimeoutMsMax)));
}

void SubmitOrRefuse(const RouteContext& context, const Request& request, const Reply& reply,
                    JudgeJob job, JudgeDone done, bool openai, const ServedRoute* route) {
  const std::size_t bytes_max = context.options.content_bytes_max;
  const auto longest =
      std::ranges::max_element(job.contents, {}, [](const Content& one) { return TextBytes(one); });
  if (TextBytes(*longest) > bytes_max) {
    context.parts.metrics.CountRefused("content");
    const bool keeps_jobs = context.parts.queue != nullptr;
    reply(ProblemResponse(
        {413, "content-too-long",
         "a content has " + std::to_string(TextBytes(*longest)) +
             " bytes; one that is waited for may "
             "have " +
             std::to_string(bytes_max),
         keeps_jobs ? "split it, or submit it to POST /v1/jobs, which nobody waits for"
                    : "split it",
         job.contents.size() == 1 ? ""
                                  : (openai ? "/input/" : "/contents/") +
                                        std::to_string(longest - job.contents.begin())},
        request.id, openai));
    return;
  }
  Judging& judging = route == nullptr ? context.parts.judging : route->judging;
  if (judging.Submit(std::move(job), std::move(done))) {
    return;
  }
  context.parts.metrics.CountRefused("queue");
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(judging.Delay());
  reply(ProblemResponse({429,
                         "overloaded",
                         "more contents wait than may",
                         "wait as long as Retry-After says, then send again",
                         {},
                         static_cast<int>(std::clamp<std::int64_t>(seconds.count(), 1, 60))},
                        request.id, openai));
}

std::vector<Route> JudgeRoutes(const RouteContext& context) {
  const auto route = [&](const char* pattern, auto function) {
    Route made{"POST", pattern, Route::Access::kScope, Scope::kJudge};
    made.idempotent = true;
    made.handler = [&context, function](const std::shared_ptr<Request>& request,
                                        const Reply& reply) { function(context, request, reply); };
    return made;
  };
  return {route("/v1/judge", JudgeOne), route("/v1/judge/batch", JudgeBatch)};
}

}  // namespace safeguard::http
