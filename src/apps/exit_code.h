// What the `safeguard` command tells the shell. The same for every command; printed by --help.
#pragma once

#include <span>

#include "base/result.h"
#include "moderation/verdict.h"

namespace safeguard::apps {

enum class ExitCode : int {
  kSafe = 0,           // all safe; nothing found; nothing to complain about
  kViolation = 1,      // at least one violation; lint: at least one warning or error
  kUsage = 2,          // wrong usage, or content that cannot be read
  kUndetermined = 3,   // at least one undetermined verdict and no violation
  kCannotRun = 4,      // model or policy missing or corrupt, output not writable
  kInterrupted = 130,  // stopped by Ctrl-C; what was finished is kept
};

// How many verdicts there were of each outcome.
struct Tally {
  std::size_t violations = 0;
  std::size_t safe = 0;
  std::size_t undetermined = 0;

  void Count(moderation::Outcome outcome);
  [[nodiscard]] std::size_t total() const { return violations + safe + undetermined; }
  [[nodiscard]] ExitCode exit_code() const;
};

// The paragraph on exit codes that ends the help.
const char* ExitCodeHelp();

}  // namespace safeguard::apps
