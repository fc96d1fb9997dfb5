// What an evaluation is to measure, once everything is read and matched.
#pragma once

#include <string>
#include <vector>

#include "apps/command_line/arguments.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/console.h"
#include "apps/services.h"
#include "base/result.h"
#include "eval/benchmark_sets.h"
#include "eval/run_file.h"

namespace safeguard::apps {

struct EvalPlan {
  std::vector<LoadedPolicy> policies;  // at least one
  eval::Dataset data;
  std::vector<std::string> labels;  // of policies[i]; empty: any violation counts
  std::size_t folds = 0;
  std::vector<std::string> notes;
  // Recorded answers are their own data: each is of the record on its line.
  bool answers_alone = false;
};

// What the arguments alone say against a measurement.
// `routed`: judge and policies are those of a route.
Status CheckEvalArguments(const EvalArguments& arguments, bool routed);

// Reads policies and data, leaves out what is not to be judged, and says honestly what the judge
// will have learned. `usage` tells whose fault a failure is.
// `policies`: those of a route; empty: those that the arguments name.
Result<EvalPlan> MakeEvalPlan(const EvalArguments& arguments, std::vector<LoadedPolicy> policies,
                              Services& services, Console& console, bool& usage);

// The header of the run file of this plan. `prompting` as in eval::RunHeader; `identity` as
// Services::JudgeIdentity gives it.
eval::RunHeader RunHeaderOf(const EvalPlan& plan, const EvalArguments& arguments,
                            const JudgeChoice& choice, std::string identity, bool routed);

}  // namespace safeguard::apps
