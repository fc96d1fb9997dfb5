// The answer to /v1/judge, whole or as a stream, and its problems.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/result.h"
#include "http/api/routes.h"
#include "http/judging.h"

namespace safeguard::http {

using JudgeRender = std::function<nlohmann::ordered_json(const JudgeAnswer&)>;

// Why there are no verdicts. With a route it is the operator who has to do something about it.
Problem JudgeProblem(const Error& error, const ServedRoute* route = nullptr);

// The route that a request names; null where it names none (`name` is empty). Another tenant's
// request finds none: routes are the default tenant's.
OrProblem<const ServedRoute*> RouteNamed(const RouteContext& context, const Request& request,
                                         const std::string& name);

// Whether the caller asks for server-sent events by its Accept header.
bool AcceptsEvents(const Request& request);

// Judges `job`, of one content, and sends its reasoning as events "reasoning" while it is thought,
// then one "verdict" with what the answer would have been otherwise. What is wrong before a worker
// has begun is a problem response, later an event "error". When the caller hangs up the judging is
// called off. `route`: whose queue it waits in; null: the tenant's.
void JudgeAloud(const RouteContext& context, const std::shared_ptr<Request>& request,
                const Reply& reply, JudgeJob job, JudgeRender render, const ServedRoute* route);

}  // namespace safeguard::http
