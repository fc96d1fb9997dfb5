// The commands on receipts, and the doctor.
#pragma once

#include "apps/command_line/receipt_arguments.h"
#include "apps/exit_code.h"
#include "apps/output/console.h"
#include "apps/services.h"

namespace safeguard::apps {

// Prints the receipt of a recorded verdict.
ExitCode RunReceipt(const ReceiptArguments& arguments, Console& console);

// Computes the verdict of a receipt again. kSafe: it is the same; kViolation: it differs.
ExitCode RunReplay(const ReplayArguments& arguments, Services& services, Console& console);

// Looks at machine, models, data folder and configuration. kSafe: nothing is wrong, warnings
// aside; kViolation: something is.
ExitCode RunDoctor(const DoctorArguments& arguments, Services& services, Console& console);

}  // namespace safeguard::apps
