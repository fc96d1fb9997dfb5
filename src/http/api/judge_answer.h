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

Problem JudgeProblem(const Error& error);

// Whether the caller asks for server-sent events by its Accept header.
bool AcceptsEvents(const Request& request);

// Judges `job`, of one content, and sends its reasoning as events "reasoning" while it is thought,
// then one "verdict" with what the answer would have been otherwise. What is wrong before a worker
// has begun is a problem response, later an event "error". When the caller hangs up the judging is
// called off.
void JudgeAloud(const RouteContext& context, const std::shared_ptr<Request>& request,
                const Reply& reply, JudgeJob job, JudgeRender render);

}  // namespace safeguard::http
