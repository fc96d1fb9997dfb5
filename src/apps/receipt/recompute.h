// The verdict of a receipt, computed again by the judge that its setup names.
#pragma once

#include "apps/command_line/receipt_arguments.h"
#include "apps/output/console.h"
#include "apps/services.h"
#include "base/result.h"
#include "moderation/content.h"
#include "moderation/verdict_log.h"

namespace safeguard::apps {

// With the setup of now. Of a verdict that was one of several in a prompt, all those policies are
// asked about again. An error: judge, route or a policy is not here.
Result<moderation::VerdictRecord> Recompute(const ReplayArguments& arguments,
                                            const moderation::Content& content,
                                            const moderation::VerdictRecord& receipt,
                                            Services& services, Console& console);

}  // namespace safeguard::apps
