// SIGHUP as something to ask about.
#pragma once

#include <csignal>

namespace safeguard::apps {

// While it lives, SIGHUP does not end the process. One at a time.
class ReloadSignal {
 public:
  ReloadSignal();
  ~ReloadSignal();
  ReloadSignal(const ReloadSignal&) = delete;
  ReloadSignal& operator=(const ReloadSignal&) = delete;

  // Whether it has come since the last call.
  bool Take();

 private:
  struct sigaction before_{};
};

}  // namespace safeguard::apps
