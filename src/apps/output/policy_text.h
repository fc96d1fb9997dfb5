// What was understood of a policy, for people and as JSON.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "moderation/policy.h"

namespace safeguard::apps {

std::string PolicyText(const moderation::Policy& policy, const std::string& origin,
                       std::size_t width, bool color);

// Everything but the policy's text.
nlohmann::ordered_json PolicyJson(const moderation::Policy& policy);

}  // namespace safeguard::apps
