#include "apps/exit_code.h"

namespace safeguard::apps {

void Tally::Count(moderation::Outcome outcome) {
  switch (outcome) {
    case moderation::Outcome::kViolation:
      ++violations;
      break;
    case moderation::Outcome::kSafe:
      ++safe;
      break;
    case moderation::Outcome::kUndetermined:
      ++undetermined;
      break;
  }
}

ExitCode Tally::exit_code() const {
  if (violations > 0) {
    return ExitCode::kViolation;
  }
  return undetermined > 0 ? ExitCode::kUndetermined : ExitCode::kSafe;
}

const char* ExitCodeHelp() {
  return "Exit codes:\n"
         "  0    all safe\n"
         "  1    at least one violation (policy lint: at least one warning or error)\n"
         "  2    wrong usage, or content that cannot be read\n"
         "  3    at least one undetermined verdict, and no violation\n"
         "  4    cannot run: a model or policy is missing or corrupt, or the output is not "
         "writable\n"
         "  130  interrupted";
}

}  // namespace safeguard::apps
