// LivePolicies: what a running process holds of a store. Every request takes one snapshot and
// judges with it; a snapshot never changes, so no request sees half of a change. After a change
// returns from the store, in whatever process, the next Current() shows it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/policy.h"
#include "moderation/policy_store.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation {

// A version ready to be prepared by a judge. Shared between snapshots while it lives.
struct LiveVersion {
  std::string hash;
  std::string golden_hash;
  Policy policy;       // its id and version are the store's: "spam", "3"
  std::string bytes;   // that it was read from
  std::string golden;  // the golden set's bytes, JSONL; empty: there is none
};

// A stored version as the policy that judges read: `info` names it, whatever its text says.
Result<std::shared_ptr<const LiveVersion>> ReadLiveVersion(PolicyStore& store,
                                                           const VersionInfo& info);

struct Resolved {
  std::shared_ptr<const LiveVersion> version;
  Channel channel = Channel::kActive;
};

class PolicySnapshot {
 public:
  struct Entry {
    std::shared_ptr<const LiveVersion> active;  // null: none
    std::shared_ptr<const LiveVersion> canary;  // null: none
    double canary_percent = 0;
    std::vector<std::shared_ptr<const LiveVersion>> shadows;
    // A version that could not be read back: then the policy answers with this, others go on.
    std::optional<Error> failure;
  };

  PolicySnapshot(std::uint64_t generation, std::string salt, std::map<std::string, Entry> entries)
      : generation_(generation), salt_(std::move(salt)), entries_(std::move(entries)) {}

  // The version that answers for `key`, the hash of an account or of the content: the canary for
  // its percentage of keys, else the active one. kNotFound when neither is there; the policy's
  // failure when a version of it could not be read.
  [[nodiscard]] Result<Resolved> Resolve(const std::string& policy_id, std::string_view key) const;

  [[nodiscard]] const Entry* Find(const std::string& policy_id) const;
  [[nodiscard]] const std::map<std::string, Entry>& entries() const { return entries_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

 private:
  std::uint64_t generation_;
  std::string salt_;
  std::map<std::string, Entry> entries_;
};

// Thread-safe. The store must outlive it.
class LivePolicies {
 public:
  explicit LivePolicies(PolicyStore& store) : store_(store) {}

  // The policies as they are now. Asks the store for its generation, and reads again only what
  // changed. Fails when the store does: then nobody knows what is active, and nothing may be
  // judged as if one did.
  Result<std::shared_ptr<const PolicySnapshot>> Current();

 private:
  [[nodiscard]] std::shared_ptr<const PolicySnapshot> Held() const;
  Result<std::shared_ptr<const PolicySnapshot>> Load(const PolicySnapshot* before);

  PolicyStore& store_;
  std::mutex loading_;
  mutable std::mutex held_mutex_;
  std::shared_ptr<const PolicySnapshot> held_;
};

// Whether `key` is in the first `percent` percent of a version's canary order. Deterministic; keys
// that are in at one percentage are in at every higher one. Another version has another order.
bool InCanary(std::string_view salt, std::string_view version_hash, std::string_view key,
              double percent);

}  // namespace safeguard::moderation
