// history.jsonl: one event of a policy on each line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/policy_store.h"

namespace safeguard::storage {

// With its newline. The policy's id and the sequence are not written: they are the folder's name
// and the line's place.
std::string HistoryLine(const moderation::StoreEvent& event);

// Fails at the first line that cannot be read; the message names it.
Result<std::vector<moderation::StoreEvent>> ParseHistory(std::string_view text,
                                                         const std::string& policy_id,
                                                         const std::string& name);

}  // namespace safeguard::storage
