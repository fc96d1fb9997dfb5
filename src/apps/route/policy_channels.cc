#include "apps/route/policy_channels.h"

namespace safeguard::apps {

using moderation::Channel;
using moderation::LiveVersion;

PolicyChannels::PolicyChannels(std::unique_ptr<moderation::PolicyStore> store,
                               std::set<std::string> followed)
    : store_(std::move(store)), live_(*store_), followed_(std::move(followed)) {
  const std::lock_guard lock(mutex_);
  Look();
}

void PolicyChannels::Look() {
  const auto snapshot = live_.Current();
  if (!snapshot) {
    return;  // what was seen last stands
  }
  for (const std::string& id : followed_) {
    const moderation::PolicySnapshot::Entry* entry = (*snapshot)->Find(id);
    if (entry == nullptr) {
      continue;
    }
    const auto see = [&](const std::shared_ptr<const LiveVersion>& version, Channel channel) {
      if (version != nullptr) {
        seen_[{id, version->policy.version}] = channel;
      }
    };
    for (const std::shared_ptr<const LiveVersion>& shadow : entry->shadows) {
      see(shadow, Channel::kShadow);
    }
    see(entry->canary, Channel::kCanary);
    see(entry->active, Channel::kActive);
  }
}

Channel PolicyChannels::Of(const moderation::PolicyReference& policy) {
  if (!followed_.contains(policy.id)) {
    return Channel::kDirect;
  }
  const std::lock_guard lock(mutex_);
  Look();
  const auto at = seen_.find({policy.id, policy.version});
  return at == seen_.end() ? Channel::kActive : at->second;
}

}  // namespace safeguard::apps
