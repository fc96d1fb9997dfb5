// `safeguard screen ...`.
#pragma once

#include <atomic>

#include "apps/command_line/screen_arguments.h"
#include "apps/exit_code.h"
#include "apps/output/console.h"
#include "apps/services.h"

namespace safeguard::apps {

// `stop` is set by Ctrl-C: nothing is installed then.
ExitCode RunScreenTrain(const ScreenTrainArguments& arguments, Services& services, Console& console,
                        const std::atomic<bool>& stop);
ExitCode RunScreenManage(const ScreenManageArguments& arguments, Services& services,
                         Console& console);

}  // namespace safeguard::apps
