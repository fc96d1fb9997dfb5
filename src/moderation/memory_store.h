// PolicyStore and VerdictLog in memory: for tests, and for whoever wants the rules without a disk.
// They keep every promise but the one of surviving the process.
#pragma once

#include <memory>

#include "moderation/policy_store.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation {

std::unique_ptr<PolicyStore> MemoryPolicyStore();
std::unique_ptr<VerdictLog> MemoryVerdictLog();

}  // namespace safeguard::moderation
