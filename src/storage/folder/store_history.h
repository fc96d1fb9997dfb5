// A policy's history, whole.
#pragma once

#include <string>
#include <vector>

#include "moderation/policy_store.h"

namespace safeguard::storage {

// All events of the policy, oldest first; none for an unknown one.
Result<std::vector<moderation::StoreEvent>> WholeHistory(moderation::PolicyStore& store,
                                                         const std::string& policy_id);

}  // namespace safeguard::storage
