#include "apps/commands/reload_signal.h"

#include <atomic>

namespace safeguard::apps {
namespace {

// A signal handler can reach nothing but a global.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<bool> reload_requested = false;

extern "C" void RequestReload(int /*signal*/) {
  reload_requested.store(true);
}

}  // namespace

ReloadSignal::ReloadSignal() {
  reload_requested.store(false);
  struct sigaction reload{};
  reload.sa_handler = RequestReload;
  reload.sa_flags = SA_RESTART;
  sigaction(SIGHUP, &reload, &before_);
}

ReloadSignal::~ReloadSignal() {
  sigaction(SIGHUP, &before_, nullptr);
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): of what the object set up
bool ReloadSignal::Take() {
  return reload_requested.exchange(false);
}

}  // namespace safeguard::apps
