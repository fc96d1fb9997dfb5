#include "moderation/live_policies.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace safeguard::moderation {
namespace {

using Versions = std::vector<std::shared_ptr<const LiveVersion>>;

// The version where the snapshot before holds it already.
std::shared_ptr<const LiveVersion> Known(const PolicySnapshot* before, const VersionInfo& info) {
  const PolicySnapshot::Entry* entry = before == nullptr ? nullptr : before->Find(info.policy_id);
  if (entry == nullptr) {
    return nullptr;
  }
  Versions held = entry->shadows;
  held.push_back(entry->active);
  held.push_back(entry->canary);
  const std::string number = std::to_string(info.number);
  const auto found = std::ranges::find_if(held, [&](const auto& version) {
    return version != nullptr && version->policy.version == number && version->hash == info.hash;
  });
  return found == held.end() ? nullptr : *found;
}

}  // namespace

Result<std::shared_ptr<const LiveVersion>> ReadLiveVersion(PolicyStore& store,
                                                           const VersionInfo& info) {
  Result<VersionBytes> bytes = store.Read(info.policy_id, info.number);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  Result<Policy> policy = ReadPolicy(bytes->policy, info.policy_id);
  if (!policy) {
    Error error = policy.error();
    error.message = info.policy_id + "@" + std::to_string(info.number) +
                    " in the store cannot be read: " + error.message;
    return std::unexpected(std::move(error));
  }
  auto version = std::make_shared<LiveVersion>();
  version->hash = info.hash;
  version->golden_hash = info.golden_hash;
  version->policy = std::move(*policy);
  version->policy.id = info.policy_id;
  version->policy.version = std::to_string(info.number);
  version->bytes = std::move(bytes->policy);
  version->golden = std::move(bytes->golden);
  return version;
}

const PolicySnapshot::Entry* PolicySnapshot::Find(const std::string& policy_id) const {
  const auto found = entries_.find(policy_id);
  return found == entries_.end() ? nullptr : &found->second;
}

Result<Resolved> PolicySnapshot::Resolve(const std::string& policy_id, std::string_view key) const {
  const Entry* entry = Find(policy_id);
  if (entry != nullptr && entry->failure) {
    return std::unexpected(*entry->failure);
  }
  if (entry != nullptr && entry->canary != nullptr &&
      InCanary(salt_, entry->canary->hash, key, entry->canary_percent)) {
    return Resolved{entry->canary, Channel::kCanary};
  }
  if (entry == nullptr || entry->active == nullptr) {
    return Fail(ErrorCode::kNotFound, "no version of " + policy_id + " is active",
                "safeguard policy promote " + policy_id + "@VERSION --to active");
  }
  return Resolved{entry->active, Channel::kActive};
}

Result<std::shared_ptr<const PolicySnapshot>> LivePolicies::Current() {
  const Result<std::uint64_t> generation = store_.Generation();
  if (!generation) {
    return std::unexpected(generation.error());
  }
  std::shared_ptr<const PolicySnapshot> held = Held();
  if (held != nullptr && held->generation() >= *generation) {
    return held;
  }
  const std::lock_guard lock(loading_);
  held = Held();
  if (held != nullptr && held->generation() >= *generation) {
    return held;
  }
  Result<std::shared_ptr<const PolicySnapshot>> loaded = Load(held.get());
  if (!loaded) {
    return loaded;
  }
  CHECK((*loaded)->generation() >= *generation);
  const std::lock_guard held_lock(held_mutex_);
  held_ = *loaded;
  return loaded;
}

std::shared_ptr<const PolicySnapshot> LivePolicies::Held() const {
  const std::lock_guard lock(held_mutex_);
  return held_;
}

Result<std::shared_ptr<const PolicySnapshot>> LivePolicies::Load(const PolicySnapshot* before) {
  Result<LiveVersions> live = store_.Live();
  if (!live) {
    return std::unexpected(live.error());
  }
  std::map<std::string, PolicySnapshot::Entry> entries;
  for (const VersionInfo& info : live->versions) {
    PolicySnapshot::Entry& entry = entries[info.policy_id];
    std::shared_ptr<const LiveVersion> version = Known(before, info);
    if (version == nullptr) {
      Result<std::shared_ptr<const LiveVersion>> read = ReadLiveVersion(store_, info);
      if (!read && read.error().code == ErrorCode::kUnavailable) {
        return std::unexpected(read.error());  // the next request tries again
      }
      if (!read) {
        entry.failure = read.error();
        continue;
      }
      version = std::move(*read);
    }
    if (info.state == VersionState::kActive) {
      entry.active = std::move(version);
    } else if (info.state == VersionState::kCanary) {
      entry.canary = std::move(version);
      entry.canary_percent = info.canary_percent;
    } else {
      entry.shadows.push_back(std::move(version));
    }
  }
  return std::make_shared<const PolicySnapshot>(live->generation, std::move(live->salt),
                                                std::move(entries));
}

bool InCanary(std::string_view salt, std::string_view version_hash, std::string_view key,
              double percent) {
  std::string bytes(salt);
  bytes.append(1, '\n').append(version_hash).append(1, '\n').append(key);
  // 52 bits: exact in a double.
  const std::string digits = Blake2bHex(bytes).substr(0, 13);
  std::uint64_t place = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), place, 16);
  constexpr double kPlaces = 4503599627370496.0;  // 2^52
  return static_cast<double>(place) < percent / 100 * kPlaces;
}

}  // namespace safeguard::moderation
