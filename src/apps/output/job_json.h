// Jobs of the queue as JSON and as lines for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "moderation/job_queue.h"

namespace safeguard::apps {

// id, kind, state, attempts, attempts_max, priority, created, changed, due, and where there is
// something to say key, parent, deadline, worker, problem. Times are RFC 3339.
nlohmann::ordered_json JobJson(const moderation::Job& job);

// "3 waiting, 1 leased, 10 done, 2 dead"
std::string CountsText(const moderation::JobCounts& counts);

}  // namespace safeguard::apps
