// POST /v1/chat/completions, /v1/responses and /v1/messages, and the same under /routes/NAME. The
// name of the reasoner's model talks to it; every other model is the upstream's, where there is
// one, behind the guard.
#include <utility>

#include "http/api/chat_input.h"
#include "http/api/chat_run.h"
#include "http/api/routes.h"
#include "http/proxy/guarding.h"
#include "http/proxy/proxy.h"

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

// What answers here itself goes through no guard, and must not look as if it did.
Problem NotGuarded(const std::string& model) {
  return {400, "invalid-request",
          "a route guards what goes to the upstream, and \"" + model.substr(0, 64) +
              "\" answers here itself",
          "leave the route out, or name the upstream's model", "/model"};
}

std::string ModelOf(const Json& body) {
  const auto found = body.find("model");
  return found != body.end() && found->is_string() ? found->get<std::string>() : "";
}

using Read = OrProblem<ChatRequest> (*)(const Json&);
using Make = std::shared_ptr<ChatShape> (*)(const RouteContext&, const Request&,
                                            const ChatRequest&);

// The caller's own key goes to the upstream only where none of ours can be in its place.
void PassOn(const RouteContext& context, guard::WireFormat format,
            const std::shared_ptr<Request>& request, const Reply& reply) {
  const bool ours = context.options.keys_required || context.parts.keys.size() > 0;
  context.proxy->Handle(format, request, reply, !ours);
}

Route TalkRoute(const RouteContext& context, const std::string& pattern, guard::WireFormat format,
                Read read, Make make) {
  Route route{"POST", pattern, Route::Access::kScope, Scope::kJudge};
  route.openai = true;
  route.handler = [&context, format, read, make](const std::shared_ptr<Request>& request,
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
      context.proxy != nullptr ? PassOn(context, format, request, reply)
                               : refuse(NoSuchModel(context, model));
      return;
    }
    if (const OrProblem<std::string> named = RouteNameIn(*request); !named || !named->empty()) {
      refuse(named ? NotGuarded(model) : named.error());
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

Route MessagesRoute(const RouteContext& context, const std::string& pattern) {
  Route route{"POST", pattern, Route::Access::kScope, Scope::kJudge};
  route.openai = true;
  route.handler = [&context](const std::shared_ptr<Request>& request, const Reply& reply) {
    if (context.proxy != nullptr) {
      PassOn(context, guard::WireFormat::kAnthropicMessages, request, reply);
      return;
    }
    reply(ProblemResponse({404,
                           "no-upstream",
                           "there is no upstream to pass this on to",
                           "start the service with --upstream URL",
                           {}},
                          request->id, true));
  };
  return route;
}

}  // namespace

std::vector<Route> ChatRoutes(const RouteContext& context) {
  std::vector<Route> routes;
  for (const char* const before : {"", "/routes/{route}"}) {
    const std::string prefix = before;
    routes.push_back(TalkRoute(context, prefix + "/v1/chat/completions",
                               guard::WireFormat::kOpenAiChat, ReadChatRequest,
                               MakeCompletionShape));
    routes.push_back(TalkRoute(context, prefix + "/v1/responses",
                               guard::WireFormat::kOpenAiResponses, ReadResponsesRequest,
                               MakeResponsesShape));
    routes.push_back(MessagesRoute(context, prefix + "/v1/messages"));
  }
  return routes;
}

}  // namespace safeguard::http
