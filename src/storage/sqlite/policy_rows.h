// Between the rows of policies.db and the domain's values.
#pragma once

#include <string>
#include <vector>

#include "moderation/policy_state.h"
#include "storage/sqlite/connection.h"

namespace safeguard::storage {

// Empty when there is no such policy.
Result<std::vector<moderation::VersionInfo>> SelectVersions(Connection& connection,
                                                            const std::string& policy_id);
// Shadow, canary and active ones of all policies.
Result<std::vector<moderation::VersionInfo>> SelectLive(Connection& connection);
// An empty id: the store's own state alone.
Result<moderation::PolicyState> SelectState(Connection& connection, const std::string& policy_id);
Result<std::vector<moderation::StoreEvent>> SelectEvents(Connection& connection,
                                                         const std::string& policy_id,
                                                         std::int64_t after, std::size_t limit);

// Writes what differs between the two. REQUIRES: a writing transaction.
Status WriteState(Connection& connection, const moderation::PolicyState& before,
                  const moderation::PolicyState& after);
// Appends the event and sets its sequence.
Status WriteEvent(Connection& connection, moderation::StoreEvent& event);

}  // namespace safeguard::storage
