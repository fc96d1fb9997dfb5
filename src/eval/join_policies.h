// Several policies taken as one: a content violates when it violates any of them.
#pragma once

#include <span>
#include <vector>

#include "eval/runner.h"
#include "moderation/policy.h"

namespace safeguard::eval {

// Stands for all of `policies` in a report: the ids joined by "+", a hash of their hashes, and the
// examples of each. REQUIRES: at least one.
moderation::Policy JoinPolicies(std::span<const moderation::Policy> policies);

// For each record the gravest verdict (violation before undetermined before safe, then the higher
// score), with the highest score that any policy gave. REQUIRES: at least one run, all over the
// same records, as RunPolicies returns them.
EvaluationRun JoinRuns(std::vector<EvaluationRun> runs);

}  // namespace safeguard::eval
