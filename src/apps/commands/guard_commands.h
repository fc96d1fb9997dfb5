// `guard` and `audit`; see commands.h.
#pragma once

#include "apps/command_line/guard_arguments.h"
#include "apps/exit_code.h"
#include "apps/output/console.h"
#include "apps/services.h"

namespace safeguard::apps {

// Standard output has what was released, standard error the ledger.
ExitCode RunGuard(const GuardArguments& arguments, Services& services, Console& console);

// `audit verify`: kViolation when the log is not whole.
ExitCode RunAudit(const AuditArguments& arguments, Console& console);

}  // namespace safeguard::apps
