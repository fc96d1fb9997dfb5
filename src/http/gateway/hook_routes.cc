// Gateways that ask for a yes or a no: LiteLLM's generic guardrail, Portkey's webhook,
// agentgateway.
#include <utility>

#include "http/domain_json.h"
#include "http/gateway/gateway.h"
#include "http/json_fields.h"
#include "http/json_input.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::json;
using Ordered = nlohmann::ordered_json;

Response Answered(const Ordered& json) {
  Response response;
  response.body = JsonLine(json);
  return response;
}

moderation::Content ContentOf(std::string text, bool answer) {
  return answer ? moderation::Completion(std::move(text))
                : moderation::UserMessage(std::move(text));
}

const Json& Member(const Json& object, const char* name) {
  static const Json kNone;
  if (!object.is_object()) {
    return kNone;
  }
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

Problem Wrong(const std::string& pointer, const std::string& detail, const std::string& hint) {
  return {400, "invalid-request", detail, hint, pointer};
}

// -- LiteLLM: BerriAI/litellm, guardrail "generic_guardrail_api" --

Response LiteLlmAnswer(const GatewayRuling& ruling) {
  Ordered json = {{"action", ruling.pass ? "NONE" : "BLOCKED"}};
  if (!ruling.pass) {
    json["blocked_reason"] = ruling.reason;
  }
  return Answered(json);
}

// {"policies": [...]} or {"policy_id", "policy_version"}, and {"on_undetermined": "pass"}.
std::optional<Problem> ReadLiteLlmParameters(const Json& parameters, GatewayQuestion& question,
                                             bool& pass_undetermined) {
  if (parameters.is_null()) {
    return std::nullopt;
  }
  const std::string place = "/additional_provider_specific_params";
  if (!parameters.is_object()) {
    return Wrong(place, "the parameters are no object", R"(give {"policies": ["spam"]})");
  }
  Fields fields(parameters, place);
  question.policies = fields.Names("policies", kPoliciesMax);
  const std::string id = fields.Text("policy_id", kNameBytesMax);
  const std::string version = fields.Text("policy_version", kNameBytesMax);
  if (!id.empty()) {
    question.policies.push_back(version.empty() ? id : id + "@" + version);
  }
  const std::string mode = fields.Text("on_undetermined", kNameBytesMax);
  if (!mode.empty() && mode != "block" && mode != "pass") {
    fields.Fault("on_undetermined", "is none that is known", "there are: block, pass");
  }
  pass_undetermined = mode == "pass";
  return fields.End();
}

void LiteLlm(const RouteContext& context, const std::shared_ptr<Request>& request,
             const Reply& reply) {
  const auto refuse = [&](const Problem& problem) { reply(ProblemResponse(problem, request->id)); };
  const OrProblem<Json> body = ParseObject(request->body);
  if (!body) {
    refuse(body.error());
    return;
  }
  const Json& texts = Member(*body, "texts");
  const Json& type = Member(*body, "input_type");
  if (!texts.is_array() || texts.size() > kContentsMax ||
      (type != "request" && type != "response")) {
    refuse(Wrong("/texts",
                 "\"texts\" is no list, or \"input_type\" is neither request nor response",
                 "see LiteLLM's generic guardrail API"));
    return;
  }
  GatewayQuestion question;
  bool pass_undetermined = false;
  if (const auto problem = ReadLiteLlmParameters(
          Member(*body, "additional_provider_specific_params"), question, pass_undetermined)) {
    refuse(*problem);
    return;
  }
  if (!Member(*body, "images").empty()) {
    reply(LiteLlmAnswer({false, "undetermined: it holds images, which are not judged here"}));
    return;
  }
  for (const Json& text : texts) {
    if (!text.is_string()) {
      refuse(Wrong("/texts", "\"texts\" holds something that is no text", "give strings"));
      return;
    }
    question.contents.push_back(ContentOf(text.get<std::string>(), type == "response"));
  }
  for (const char* name : {"tools", "tool_calls"}) {
    const Result<std::string> text = GatewayText(Member(*body, name));
    if (!text) {
      reply(LiteLlmAnswer({false, std::string("undetermined: \"") + name + "\" cannot be judged"}));
      return;
    }
    question.contents.push_back(ContentOf(*text, type == "response"));
  }
  question.render = [pass_undetermined](const Result<JudgeAnswer>& answer) {
    return LiteLlmAnswer(Rule(answer, pass_undetermined));
  };
  AskGateway(context, *request, reply, std::move(question));
}

// -- Portkey: webhook guardrail. What it is not told in time, or with an error, passes there. --

Response PortkeyAnswer(const GatewayRuling& ruling) {
  return Answered({{"verdict", ruling.pass}, {"data", {{"reason", ruling.reason}}}});
}

void Portkey(const RouteContext& context, const std::shared_ptr<Request>& request,
             const Reply& reply) {
  const auto stop = [&](const std::string& why) { reply(PortkeyAnswer({false, why})); };
  const OrProblem<Json> body = ParseObject(request->body);
  const OrProblem<std::vector<std::string>> policies = PoliciesOfQuery(*request);
  if (!body || !policies) {
    stop("not understood: " + (body ? policies.error() : body.error()).detail);
    return;
  }
  const Json& event = Member(*body, "eventType");
  if (event != "beforeRequestHook" && event != "afterRequestHook") {
    stop("not understood: \"eventType\" is none that is known");
    return;
  }
  const bool after = event == "afterRequestHook";
  const Json& side = Member(*body, after ? "response" : "request");
  const Json& json = Member(side, "json");
  const Json& plain = Member(side, "text");
  if (!json.is_object() && !plain.is_string()) {
    stop("not understood: there is neither \"json\" nor \"text\"");
    return;
  }
  const Result<std::string> text = json.is_object() ? GatewayText(json) : plain.get<std::string>();
  if (!text) {
    stop("undetermined: it holds what is not judged here");
    return;
  }
  GatewayQuestion question;
  question.policies = *policies;
  question.contents.push_back(ContentOf(*text, after));
  question.render = [](const Result<JudgeAnswer>& answer) {
    return PortkeyAnswer(Rule(answer, false));
  };
  AskGateway(context, *request, reply, std::move(question));
}

// -- agentgateway: prompt guard webhook --

Response AgentgatewayAnswer(const GatewayRuling& ruling) {
  if (ruling.pass) {
    return Answered({{"action", {{"reason", "judged"}}}});
  }
  return Answered({{"action",
                    {{"body", "stopped by the content policy"},
                     {"status_code", 403},
                     {"reason", ruling.reason}}}});
}

void Agentgateway(const RouteContext& context, const std::shared_ptr<Request>& request,
                  const Reply& reply, bool answers) {
  const OrProblem<Json> body = ParseObject(request->body);
  const OrProblem<std::vector<std::string>> policies = PoliciesOfQuery(*request);
  const Json& list =
      body ? Member(Member(*body, "body"), answers ? "choices" : "messages") : Json::object();
  if (!body || !policies || !list.is_array() || list.size() > kMessagesMax) {
    reply(ProblemResponse(!body       ? body.error()
                          : !policies ? policies.error()
                                      : Wrong("/body", "there is no list of messages or choices",
                                              "see agentgateway's webhook"),
                          request->id));
    return;
  }
  GatewayQuestion question;
  question.policies = *policies;
  moderation::Content content;
  content.kind = moderation::ContentKind::kConversation;
  for (const Json& item : list) {
    const Json& message = answers ? Member(item, "message") : item;
    const Result<std::string> text = GatewayText(message);
    if (!text || !message.is_object()) {
      reply(AgentgatewayAnswer({false, "undetermined: a message cannot be judged"}));
      return;
    }
    const Json& role = Member(message, "role");
    moderation::Role whose = answers ? moderation::Role::kAssistant : moderation::Role::kUser;
    if (role == "system" || role == "developer") {
      whose = moderation::Role::kSystem;
    } else if (role == "assistant") {
      whose = moderation::Role::kAssistant;
    } else if (role == "tool") {
      whose = moderation::Role::kTool;
    }
    content.messages.push_back({whose, *text});
  }
  question.contents.push_back(std::move(content));
  question.render = [](const Result<JudgeAnswer>& answer) {
    return AgentgatewayAnswer(Rule(answer, false));
  };
  AskGateway(context, *request, reply, std::move(question));
}

}  // namespace

std::vector<Route> HookRoutes(const RouteContext& context) {
  const auto route = [&](const char* pattern, auto function) {
    Route made{"POST", pattern, Route::Access::kScope, Scope::kJudge};
    made.handler = [&context, function](const std::shared_ptr<Request>& request,
                                        const Reply& reply) { function(context, request, reply); };
    return made;
  };
  const auto agentgateway = [](bool answers) {
    return [answers](const RouteContext& where, const std::shared_ptr<Request>& request,
                     const Reply& reply) { Agentgateway(where, request, reply, answers); };
  };
  return {route("/beta/litellm_basic_guardrail_api", LiteLlm), route("/portkey", Portkey),
          route("/request", agentgateway(false)), route("/response", agentgateway(true))};
}

}  // namespace safeguard::http
