// Jobs of the queue as JSON: what the service answers and `jobs list|show --json` write.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "moderation/job_queue.h"

namespace safeguard::http {

// id, kind, state, attempts, attempts_max, priority, created, changed, due, and where there is
// something to say key, parent, deadline, worker, problem. Times are RFC 3339.
nlohmann::ordered_json JobJson(const moderation::Job& job);

// The final verdicts of a judgement's job that is done. kCorruptFile: it is not one.
Result<nlohmann::ordered_json> FinalVerdictsJson(const moderation::Job& job);

}  // namespace safeguard::http
