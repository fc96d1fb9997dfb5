// Versions and events of the store, for people and as JSON.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "moderation/policy_store.h"

namespace safeguard::apps {

// "spam@3"
std::string VersionName(const moderation::VersionInfo& version);

// "1f0c9a2b3c4d": enough of a hash to name a version by.
std::string ShortHash(const std::string& hash);

// "canary 10%", "active"
std::string StateText(const moderation::VersionInfo& version);

nlohmann::ordered_json VersionJson(const moderation::VersionInfo& version);
nlohmann::ordered_json EventJson(const moderation::StoreEvent& event);

// Newest first.
std::string VersionTable(std::span<const moderation::VersionInfo> versions, std::size_t width,
                         bool color);
// In the order given.
std::string EventTable(std::span<const moderation::StoreEvent> events, std::size_t width,
                       bool color);

}  // namespace safeguard::apps
