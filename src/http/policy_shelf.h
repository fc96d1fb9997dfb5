// PolicyShelf: from the name of a policy to what a judge decides with. A name without a version
// follows the store (active, or canary for its share of contents) and falls back on what ships with
// the program; prepared policies are kept and shared by every request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/golden.h"
#include "moderation/judge.h"
#include "moderation/live_policies.h"
#include "moderation/policy_store.h"
#include "moderation/verdict_log.h"

namespace safeguard::http {

// A policy inside the program. `pack`: "" for one that stands for itself and is used by default,
// else the pack that it belongs to ("openai").
struct ShippedPolicy {
  moderation::Policy policy;
  std::string bytes;
  std::vector<moderation::GoldenCase> golden;
  std::string pack;
};

// Reads a golden set's bytes (JSONL); `name` is for its errors.
using GoldenReader = std::function<Result<std::vector<moderation::GoldenCase>>(
    std::string_view bytes, const std::string& name)>;

// Thread-safe.
class PolicyShelf {
 public:
  using Prepared = std::shared_ptr<const moderation::PreparedPolicy>;

  // What one content is judged with, in the order of the names asked for.
  struct Route {
    std::vector<Prepared> policies;
    std::vector<moderation::Channel> channels;
    std::vector<Prepared> shadows;       // of any of these policies; never an answer
    std::vector<std::size_t> shadow_of;  // shadows[i] shadows policies[shadow_of[i]]
  };

  // `store` may be null: then only shipped policies are there. All must outlive the shelf. `owner`:
  // whose policies the store's are; see Judge::PrepareFor.
  PolicyShelf(moderation::Judge& judge, std::span<const ShippedPolicy> shipped,
              moderation::PolicyStore* store, GoldenReader read_golden, std::string owner = {});

  // Names that are the operator's (ResolveOperators) and that nobody has published here mean what
  // they mean there. Before the first request; `operators` must outlive this, and its judge's
  // prepared policies must be of use to this one's.
  void FallBackOn(PolicyShelf& operators) { operators_ = &operators; }

  // Prepares the shipped policies, so that no request waits for it.
  Status Warm();

  // One reading of the store, for all contents of a batch. Null without a store.
  Result<std::shared_ptr<const moderation::PolicySnapshot>> Snapshot();

  // `names`: "spam", "spam@3", "spam@1f0c", "spam@canary", ...; `key` decides who is the canary's.
  // kNotFound for a policy that nobody has, with the nearest name.
  Result<Route> Resolve(const moderation::PolicySnapshot* snapshot,
                        std::span<const std::string> names, const std::string& key);
  // The same of names that stand in the server's own configuration: what this store has not active
  // is the operator's active version, before what ships with the program.
  Result<Route> ResolveOperators(const moderation::PolicySnapshot* snapshot,
                                 std::span<const std::string> names, const std::string& key);

  // The version that a job names, prepared: a shipped one, else by its `text`, else by number from
  // the store. kCorruptFile when it has not the hash that the job names.
  Result<Prepared> Find(const moderation::PolicyReference& wanted, const std::string& text);

  // What is judged when a request names no policy: all that are active, and the shipped ones that
  // the store has not.
  [[nodiscard]] std::vector<std::string> DefaultNames(
      const moderation::PolicySnapshot* snapshot) const;

  [[nodiscard]] std::span<const ShippedPolicy> shipped() const { return shipped_; }
  [[nodiscard]] const ShippedPolicy* FindShipped(std::string_view id) const;
  // The shipped policy where `name` names its version: by it, as "shipped", or by the beginning of
  // its hash. Null otherwise.
  [[nodiscard]] const ShippedPolicy* FindShippedVersion(const moderation::VersionName& name) const;
  // Says what there is instead.
  [[nodiscard]] Error NoSuchVersion(const moderation::VersionName& name) const;

  // Which version a name would be judged under, without preparing it; without version and hash
  // where that cannot be told.
  [[nodiscard]] moderation::PolicyReference Refer(const moderation::PolicySnapshot* snapshot,
                                                  const std::string& name,
                                                  const std::string& key) const;
  // The same of names as ResolveOperators has them.
  [[nodiscard]] moderation::PolicyReference ReferOperators(
      const moderation::PolicySnapshot* snapshot, const std::string& name, const std::string& key);

 private:
  Result<Prepared> PreparedOf(const moderation::LiveVersion& version);
  Result<Prepared> PreparedShipped(const ShippedPolicy& shipped);
  Result<Prepared> Keep(const std::string& key, const moderation::Policy& policy,
                        std::span<const moderation::GoldenCase> golden, const std::string& owner);
  Prepared Kept(const std::string& key);
  [[nodiscard]] Result<moderation::VersionInfo> FindStored(
      const moderation::VersionName& name) const;
  Result<Prepared> PreparedVersion(const moderation::VersionName& name);
  Status AddPolicy(const moderation::PolicySnapshot* snapshot, const std::string& name,
                   const std::string& key, Route& route);
  // Whether the store here says what the name means.
  [[nodiscard]] bool IsPublished(const moderation::PolicySnapshot* snapshot,
                                 const std::string& name) const;

  moderation::Judge& judge_;
  std::span<const ShippedPolicy> shipped_;
  moderation::PolicyStore* store_;
  std::unique_ptr<moderation::LivePolicies> live_;
  GoldenReader read_golden_;
  std::string owner_;
  PolicyShelf* operators_ = nullptr;  // null: this is the operator's
  std::mutex mutex_;
  // Most recently used first; bounded.
  std::list<std::pair<std::string, Prepared>> kept_;
  std::map<std::string, std::list<std::pair<std::string, Prepared>>::iterator> by_key_;
};

}  // namespace safeguard::http
