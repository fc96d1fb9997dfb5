// The commands of the service.
#pragma once

#include <atomic>

#include "apps/command_line/serve_arguments.h"
#include "apps/exit_code.h"
#include "apps/output/console.h"
#include "apps/services.h"

namespace safeguard::apps {

// Serves until `stop` is set; then lets requests under way finish. The address is written to
// standard output, one JSON object a request to standard error.
ExitCode RunServe(const ServeArguments& arguments, Services& services, Console& console,
                  const std::atomic<bool>& stop);

// Makes, lists, rotates and revokes the keys of a data folder. A running server follows within a
// second.
ExitCode RunKey(const KeyArguments& arguments, Console& console);

}  // namespace safeguard::apps
