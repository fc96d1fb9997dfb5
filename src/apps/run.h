// The `safeguard` command from its words to its exit code, without the process around it.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "apps/exit_code.h"
#include "apps/output/console.h"
#include "apps/services.h"

namespace safeguard::apps {

// `arguments` without the program's name.
ExitCode RunCommand(const std::vector<std::string>& arguments, Services& services, Console& console,
                    const std::atomic<bool>& stop);

}  // namespace safeguard::apps
