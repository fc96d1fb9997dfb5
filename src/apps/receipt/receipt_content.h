// The content that a receipt is about: it holds the hash alone.
#pragma once

#include "apps/command_line/receipt_arguments.h"
#include "apps/output/console.h"
#include "base/result.h"
#include "moderation/content.h"
#include "moderation/verdict_log.h"

namespace safeguard::apps {

// As it is given, else as the log has kept it; with the receipt's id, surface and language.
// kInvalidInput: it is another content, or nobody has it.
Result<moderation::Content> ContentFor(const ReplayArguments& arguments,
                                       const moderation::VerdictRecord& receipt, Console& console);

}  // namespace safeguard::apps
