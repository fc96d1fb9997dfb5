// The rules of a policy's life, as pure functions: what implementations of PolicyStore share. A
// store reads a policy's state, applies events to it, and writes what changed in one transaction.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/policy_store.h"

namespace safeguard::moderation {

struct PolicyState {
  std::string policy_id;
  std::vector<VersionInfo> versions;  // versions[i].number == i + 1
  // Numbers in the order in which they became active, without those rolled back: the last one is
  // active, unless the policy is out of service.
  std::vector<int> activations;
  std::optional<bool> two_person;  // the policy's own setting
  bool store_two_person = false;   // the store's
};

struct EventEffect {
  PolicyState state;
  StoreEvent event;      // with what the rules filled in
  bool changed = false;  // false: known bytes were published again; event.number names them
};

// The state after `event`. Fails with what is legal where the event is not.
Result<EventEffect> ApplyEvent(PolicyState state, StoreEvent event);

// What every store says alike.
//
// Whether `changes` may be tried at all: there is one, all are of one policy, the bytes that are
// published fit and can be read as a policy.
Status CheckChanges(std::span<const Change> changes);
// The change's event with the hashes of its bytes. REQUIRES: CheckChanges().
StoreEvent WithHashes(const Change& change);
// Whether PutAttachment may take it.
Status CheckAttachment(std::string_view name, std::string_view bytes);
bool IsLive(const VersionInfo& version);  // shadow, canary or active
std::unexpected<Error> NoPolicy(const std::string& policy_id);
std::unexpected<Error> NoVersion(const std::string& policy_id, int number, std::size_t versions);
std::unexpected<Error> NoAttachment(const std::string& policy_id, int number,
                                    const std::string& name);

}  // namespace safeguard::moderation
