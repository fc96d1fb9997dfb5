// Check-only interfaces that gateways call: a text comes in, and goes no further than the judge.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/api/routes.h"
#include "http/judging.h"
#include "http/problem.h"
#include "moderation/content.h"
#include "moderation/verdict.h"

namespace safeguard::http {

std::vector<Route> HookRoutes(const RouteContext& context);   // that want a yes or a no
std::vector<Route> ScoreRoutes(const RouteContext& context);  // that want scores and places

// What a gateway asks, and how its answer is made of what the judge says: also of why there is
// nothing, because many gateways let pass what is answered with an error.
struct GatewayQuestion {
  std::vector<moderation::Content> contents;  // blank ones are not judged
  std::vector<std::string> policies;          // empty: the default ones
  std::function<Response(const Result<JudgeAnswer>&)> render;
};

void AskGateway(const RouteContext& context, const Request& request, const Reply& reply,
                GatewayQuestion question);

// What a yes-or-no gateway does with an answer.
struct GatewayRuling {
  bool pass = false;
  std::string reason;  // no content: policies, rules, or why nothing was decided
};

// One violation stops; else one that is undetermined stops, unless `pass_undetermined`; nothing to
// judge passes.
GatewayRuling Rule(const Result<JudgeAnswer>& answer, bool pass_undetermined);

// All text in `value`, for a judge; an error for what holds anything else (pictures, sounds,
// files).
Result<std::string> GatewayText(const nlohmann::json& value);

// "policies" of the query: "spam,hate"; empty when there is none.
OrProblem<std::vector<std::string>> PoliciesOfQuery(const Request& request);

// `byte` of `text` as an offset in code points.
std::size_t CodePoints(std::string_view text, std::size_t byte);

}  // namespace safeguard::http
