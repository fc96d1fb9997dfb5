// `safeguard eval --route`.
#pragma once

#include <atomic>

#include "apps/command_line/eval_route_arguments.h"
#include "apps/exit_code.h"
#include "apps/output/console.h"
#include "apps/services.h"

namespace safeguard::apps {

// A cascade measured like a judge, with who decided. Without its budget and latency target.
ExitCode RunEvalRoute(const EvalRouteArguments& arguments, Services& services, Console& console,
                      const std::atomic<bool>& stop);

}  // namespace safeguard::apps
