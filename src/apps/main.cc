// The `safeguard` command.
#include <atomic>
#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include "apps/output/console.h"
#include "apps/run.h"
#include "apps/services.h"

namespace {

// A signal handler can reach nothing but a global.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<bool> stop_requested = false;

extern "C" void RequestStop(int /*signal*/) {
  stop_requested.store(true);
}

void SetSignals(bool finish_batch) {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);  // a write then fails with EPIPE, which is no trouble
  sigaction(SIGXFSZ, &ignore, nullptr);  // and over `ulimit -f` with EFBIG
  if (finish_batch) {
    struct sigaction stop{};
    stop.sa_handler = RequestStop;
    stop.sa_flags = SA_RESETHAND;  // a second Ctrl-C ends at once
    sigaction(SIGINT, &stop, nullptr);
    sigaction(SIGTERM, &stop, nullptr);
  }
}

}  // namespace

int main(int argc, char** argv) {
  using safeguard::apps::ExitCode;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  // Only what runs long has anything to finish; the rest ends at once, as is usual.
  SetSignals(!arguments.empty() &&
             (arguments[0] == "backtest" || arguments[0] == "batch" || arguments[0] == "eval" ||
              arguments[0] == "jobs" || arguments[0] == "model" || arguments[0] == "policy" ||
              arguments[0] == "screen" || arguments[0] == "serve"));
  safeguard::apps::ProcessConsole console;
  try {
    const auto services = safeguard::apps::RealServices();
    return static_cast<int>(
        safeguard::apps::RunCommand(arguments, *services, console, stop_requested));
  } catch (const std::exception& failure) {
    console.Error(std::string("safeguard: cannot go on: ") + failure.what() + "\n");
    return static_cast<int>(ExitCode::kCannotRun);
  }
}
