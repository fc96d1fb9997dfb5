#include "http/policy_shelf.h"

#include <algorithm>
#include <utility>

namespace safeguard::http {
namespace {

using moderation::Channel;
using moderation::LiveVersion;
using moderation::PolicySnapshot;

constexpr std::size_t kKeptMax = 512;
constexpr std::size_t kHashDigitsMin = 4;  // of a version named by the beginning of its hash
constexpr std::size_t kVersionsNamed = 5;  // where one is asked for that is not there

std::string KeyOf(const std::string& id, const std::string& version, const std::string& hash,
                  const std::string& golden_hash) {
  return id + "@" + version + "|" + hash + "|" + golden_hash;
}

}  // namespace

PolicyShelf::PolicyShelf(moderation::Judge& judge, std::span<const ShippedPolicy> shipped,
                         moderation::PolicyStore* store, GoldenReader read_golden,
                         std::string owner)
    : judge_(judge),
      shipped_(shipped),
      store_(store),
      read_golden_(std::move(read_golden)),
      owner_(std::move(owner)) {
  if (store_ != nullptr) {
    live_ = std::make_unique<moderation::LivePolicies>(*store_);
  }
}

Status PolicyShelf::Warm() {
  for (const ShippedPolicy& shipped : shipped_) {
    const Result<Prepared> prepared = PreparedShipped(shipped);
    if (!prepared) {
      return std::unexpected(prepared.error());
    }
  }
  return {};
}

Result<std::shared_ptr<const PolicySnapshot>> PolicyShelf::Snapshot() {
  return live_ == nullptr ? Result<std::shared_ptr<const PolicySnapshot>>(nullptr)
                          : live_->Current();
}

const ShippedPolicy* PolicyShelf::FindShipped(std::string_view id) const {
  const auto found = std::ranges::find_if(
      shipped_, [&](const ShippedPolicy& shipped) { return shipped.policy.id == id; });
  return found == shipped_.end() ? nullptr : &*found;
}

std::vector<std::string> PolicyShelf::DefaultNames(const PolicySnapshot* snapshot) const {
  std::vector<std::string> names;
  if (snapshot != nullptr) {
    for (const auto& [id, entry] : snapshot->entries()) {
      if (entry.active != nullptr || entry.failure) {
        names.push_back(id);  // one that cannot be read fails the request, never drops out of it
      }
    }
  }
  for (const ShippedPolicy& shipped : shipped_) {
    if (shipped.pack.empty() && std::ranges::find(names, shipped.policy.id) == names.end()) {
      names.push_back(shipped.policy.id);
    }
  }
  return names;
}

PolicyShelf::Prepared PolicyShelf::Kept(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    return nullptr;
  }
  kept_.splice(kept_.begin(), kept_, found->second);
  return found->second->second;
}

// Under the lock: two requests that need the same policy prepare it once.
Result<PolicyShelf::Prepared> PolicyShelf::Keep(const std::string& key,
                                                const moderation::Policy& policy,
                                                std::span<const moderation::GoldenCase> golden,
                                                const std::string& owner) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    return found->second->second;
  }
  Result<Prepared> prepared = judge_.PrepareFor(policy, golden, owner);
  if (!prepared) {
    Error error = prepared.error();
    error.message =
        "the policy " + policy.id + "@" + policy.version + " cannot be used: " + error.message;
    return std::unexpected(std::move(error));
  }
  kept_.emplace_front(key, *prepared);
  by_key_[key] = kept_.begin();
  if (kept_.size() > kKeptMax) {
    by_key_.erase(kept_.back().first);
    kept_.pop_back();
  }
  return prepared;
}

Result<PolicyShelf::Prepared> PolicyShelf::PreparedOf(const LiveVersion& version) {
  const std::string key =
      KeyOf(version.policy.id, version.policy.version, version.hash, version.golden_hash);
  if (Prepared kept = Kept(key)) {
    return kept;
  }
  std::vector<moderation::GoldenCase> golden;
  if (!version.golden.empty()) {
    Result<std::vector<moderation::GoldenCase>> cases = read_golden_(
        version.golden, version.policy.id + "@" + version.policy.version + " golden set");
    if (!cases) {
      return std::unexpected(cases.error());
    }
    golden = std::move(*cases);
  }
  return Keep(key, version.policy, golden, owner_);
}

Result<PolicyShelf::Prepared> PolicyShelf::PreparedShipped(const ShippedPolicy& shipped) {
  const std::string key =
      KeyOf(shipped.policy.id, shipped.policy.version, shipped.policy.hash, "shipped");
  if (Prepared kept = Kept(key)) {
    return kept;
  }
  return Keep(key, shipped.policy, shipped.golden, "");
}

const ShippedPolicy* PolicyShelf::FindShippedVersion(const moderation::VersionName& name) const {
  const ShippedPolicy* shipped = FindShipped(name.policy_id);
  const bool named =
      shipped != nullptr &&
      (name.selector == "shipped" || name.selector == shipped->policy.version ||
       (name.selector.size() >= kHashDigitsMin && shipped->policy.hash.starts_with(name.selector)));
  return named ? shipped : nullptr;
}

Result<moderation::VersionInfo> PolicyShelf::FindStored(const moderation::VersionName& name) const {
  if (store_ != nullptr && moderation::CheckPolicyId(name.policy_id)) {
    Result<moderation::VersionInfo> info = store_->Find(name.policy_id, name.selector);
    if (info || info.error().code != ErrorCode::kNotFound) {
      return info;
    }
  }
  return std::unexpected(NoSuchVersion(name));
}

Error PolicyShelf::NoSuchVersion(const moderation::VersionName& name) const {
  const ShippedPolicy* shipped = FindShipped(name.policy_id);
  auto stored = store_ == nullptr || !moderation::CheckPolicyId(name.policy_id)
                    ? Result<std::vector<moderation::VersionInfo>>()
                    : store_->Versions(name.policy_id);
  if (!stored) {
    stored.emplace();  // nobody has published it
  }
  if (stored->empty() && shipped == nullptr) {
    return {ErrorCode::kNotFound, "there is no policy \"" + name.policy_id + "\"",
            "GET /v1/policies lists those there are"};
  }
  std::string there;
  const std::size_t first = stored->size() > kVersionsNamed ? stored->size() - kVersionsNamed : 0;
  for (std::size_t v = first; v < stored->size(); ++v) {
    there +=
        (there.empty() ? "" : ", ") + name.policy_id + "@" + std::to_string((*stored)[v].number);
  }
  if (shipped != nullptr) {
    there += (there.empty() ? "" : ", ") + name.policy_id + "@" + shipped->policy.version +
             ", which ships with the program";
  }
  return {
      ErrorCode::kNotFound,
      "there is no version \"" + name.selector + "\" of " + name.policy_id + "; there is " + there,
      "name one of these, or " + name.policy_id + " alone for the one that answers now"};
}

Result<PolicyShelf::Prepared> PolicyShelf::PreparedVersion(const moderation::VersionName& name) {
  const Result<moderation::VersionInfo> info = FindStored(name);
  const ShippedPolicy* shipped = FindShippedVersion(name);
  if (!info && info.error().code == ErrorCode::kNotFound && shipped != nullptr) {
    return PreparedShipped(*shipped);
  }
  if (!info) {
    return std::unexpected(info.error());
  }
  const std::string key =
      KeyOf(info->policy_id, std::to_string(info->number), info->hash, info->golden_hash);
  if (Prepared kept = Kept(key)) {
    return kept;
  }
  const auto version = moderation::ReadLiveVersion(*store_, *info);
  return version ? PreparedOf(**version) : std::unexpected(version.error());
}

Result<PolicyShelf::Prepared> PolicyShelf::Find(const moderation::PolicyReference& wanted,
                                                const std::string& text) {
  const ShippedPolicy* shipped = FindShipped(wanted.id);
  if (shipped != nullptr && shipped->policy.version == wanted.version &&
      shipped->policy.hash == wanted.hash) {
    return PreparedShipped(*shipped);
  }
  Result<Prepared> prepared;
  if (text.empty()) {
    prepared = PreparedVersion({wanted.id, wanted.version});
  } else {
    const Result<moderation::Policy> policy = moderation::ReadPolicy(text, wanted.id);
    prepared =
        policy ? Keep(KeyOf(wanted.id, wanted.version, policy->hash, "text"), *policy, {}, owner_)
               : std::unexpected(policy.error());
  }
  if (prepared && (*prepared)->policy().hash != wanted.hash) {
    return Fail(ErrorCode::kCorruptFile,
                wanted.id + "@" + wanted.version + " is not the text that the job names",
                "submit the content again");
  }
  return prepared;
}

moderation::PolicyReference PolicyShelf::Refer(const PolicySnapshot* snapshot,
                                               const std::string& name,
                                               const std::string& key) const {
  const moderation::VersionName named = moderation::ParseVersionName(name);
  moderation::PolicyReference unknown{named.policy_id, "", ""};
  if (!named.selector.empty()) {
    const Result<moderation::VersionInfo> info = FindStored(named);
    const ShippedPolicy* shipped = FindShippedVersion(named);
    if (info) {
      return {info->policy_id, std::to_string(info->number), info->hash};
    }
    return shipped != nullptr ? shipped->policy.Reference() : unknown;
  }
  const PolicySnapshot::Entry* entry = snapshot == nullptr ? nullptr : snapshot->Find(name);
  if (entry != nullptr && (entry->active || entry->canary || entry->failure)) {
    const Result<moderation::Resolved> resolved = snapshot->Resolve(name, key);
    return resolved ? resolved->version->policy.Reference() : unknown;
  }
  const ShippedPolicy* shipped = FindShipped(name);
  return shipped != nullptr ? shipped->policy.Reference() : unknown;
}

Status PolicyShelf::AddPolicy(const PolicySnapshot* snapshot, const std::string& name,
                              const std::string& key, Route& route) {
  const auto add = [&](Result<Prepared> prepared, Channel channel) -> Status {
    if (!prepared) {
      return std::unexpected(prepared.error());
    }
    route.policies.push_back(std::move(*prepared));
    route.channels.push_back(channel);
    return {};
  };
  const moderation::VersionName named = moderation::ParseVersionName(name);
  if (!named.selector.empty()) {
    return add(PreparedVersion(named), Channel::kDirect);
  }
  const PolicySnapshot::Entry* entry = snapshot == nullptr ? nullptr : snapshot->Find(name);
  const bool answers = entry != nullptr && (entry->active || entry->canary || entry->failure);
  if (answers) {
    const Result<moderation::Resolved> resolved = snapshot->Resolve(name, key);
    if (!resolved) {
      return std::unexpected(resolved.error());
    }
    const Status added = add(PreparedOf(*resolved->version), resolved->channel);
    for (std::size_t s = 0; added && s < entry->shadows.size(); ++s) {
      const Result<Prepared> shadow = PreparedOf(*entry->shadows[s]);
      if (shadow) {  // one that cannot be prepared must not change an answer
        route.shadows.push_back(*shadow);
        route.shadow_of.push_back(route.policies.size() - 1);
      }
    }
    return added;
  }
  if (const ShippedPolicy* shipped = FindShipped(name)) {
    return add(PreparedShipped(*shipped), Channel::kDirect);
  }
  if (entry != nullptr || (store_ != nullptr && moderation::CheckPolicyId(name) &&
                           store_->Versions(name).has_value())) {
    return Fail(ErrorCode::kNotFound, "no version of " + name + " is active",
                "promote one, or name a version: " + name + "@latest");
  }
  return Fail(ErrorCode::kNotFound, "there is no policy \"" + name + "\"",
              "GET /v1/policies lists those there are");
}

Result<PolicyShelf::Route> PolicyShelf::Resolve(const PolicySnapshot* snapshot,
                                                std::span<const std::string> names,
                                                const std::string& key) {
  Route route;
  for (const std::string& name : names) {
    const Status added = AddPolicy(snapshot, name, key, route);
    if (!added) {
      return std::unexpected(added.error());
    }
  }
  return route;
}

bool PolicyShelf::IsPublished(const PolicySnapshot* snapshot, const std::string& name) const {
  const moderation::VersionName named = moderation::ParseVersionName(name);
  if (!named.selector.empty()) {
    const auto stored = FindStored(named);
    return stored.has_value() || stored.error().code != ErrorCode::kNotFound;
  }
  const PolicySnapshot::Entry* entry = snapshot == nullptr ? nullptr : snapshot->Find(name);
  return entry != nullptr && (entry->active || entry->canary || entry->failure);
}

Result<PolicyShelf::Route> PolicyShelf::ResolveOperators(const PolicySnapshot* snapshot,
                                                         std::span<const std::string> names,
                                                         const std::string& key) {
  if (operators_ == nullptr) {
    return Resolve(snapshot, names, key);
  }
  const auto theirs = operators_->Snapshot();
  if (!theirs) {
    return std::unexpected(theirs.error());
  }
  Route route;
  for (const std::string& name : names) {
    if (IsPublished(snapshot, name)) {
      if (const Status added = AddPolicy(snapshot, name, key, route); !added) {
        return std::unexpected(added.error());
      }
      continue;
    }
    Route other;
    if (const Status added = operators_->AddPolicy(theirs->get(), name, key, other); !added) {
      return std::unexpected(added.error());
    }
    // Without their shadows, whose records are the operator's and not of this log.
    route.policies.push_back(std::move(other.policies.front()));
    route.channels.push_back(other.channels.front());
  }
  return route;
}

moderation::PolicyReference PolicyShelf::ReferOperators(const PolicySnapshot* snapshot,
                                                        const std::string& name,
                                                        const std::string& key) {
  if (operators_ == nullptr || IsPublished(snapshot, name)) {
    return Refer(snapshot, name, key);
  }
  const auto theirs = operators_->Snapshot();
  return operators_->Refer(theirs ? theirs->get() : nullptr, name, key);
}

}  // namespace safeguard::http
