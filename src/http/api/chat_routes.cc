// POST /v1/chat/completions and /v1/responses: the reasoner as a model of its own, by its name.
#include <utility>

#include "http/api/chat_input.h"
#include "http/api/chat_run.h"
#include "http/api/routes.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::json;

Problem NoSuchModel(const RouteContext& context, const std::string& model) {
  Problem problem{404, "unknown-model",
                  "there is no model \"" + model.substr(0, 64) + "\" to talk to", "", "/model"};
  problem.hint =
      context.parts.chat != nullptr
          ? "GET /v1/models names those that answer; this one talks: " + context.parts.chat->name()
          : "this service was started without a reasoner: safeguard serve --judge "
            "reasoner --model DIR; to judge a content, POST /v1/judge";
  return problem;
}

std::string ModelOf(const Json& body) {
  const auto found = body.find("model");
  return found != body.end() && found->is_string() ? found->get<std::string>() : "";
}

using Read = OrProblem<ChatRequest> (*)(const Json&);
using Make = std::shared_ptr<ChatShape> (*)(const RouteContext&, const Request&,
                                            const ChatRequest&);

Route TalkRoute(const RouteContext& context, const char* pattern, Read read, Make make) {
  Route route{"POST", pattern, Route::Access::kScope, Scope::kJudge};
  route.openai = true;
  route.handler = [&context, read, make](const std::shared_ptr<Request>& request,
                                         const Reply& reply) {
    const auto refuse = [&](const Problem& problem) {
      reply(ProblemResponse(problem, request->id, true));
    };
    const OrProblem<Json> body = ParseObject(request->body);
    if (!body) {
      refuse(body.error());
      return;
    }
    const std::string model = ModelOf(*body);
    if (!IsChatModel(context, model)) {
      refuse(NoSuchModel(context, model));
      return;
    }
    OrProblem<ChatRequest> chat = read(*body);
    if (!chat) {
      refuse(chat.error());
      return;
    }
    auto shape = make(context, *request, *chat);
    RunChat(context, request, reply, std::move(*chat), std::move(shape));
  };
  return route;
}

}  // namespace

std::vector<Route> ChatRoutes(const RouteContext& context) {
  return {TalkRoute(context, "/v1/chat/completions", ReadChatRequest, MakeCompletionShape),
          TalkRoute(context, "/v1/responses", ReadResponsesRequest, MakeResponsesShape)};
}

}  // namespace safeguard::http
