#include "http/proxy/fail_modes.h"

#include <algorithm>

namespace safeguard::http {

bool ActedModes::Add(const std::string& side, guard::FailMode mode) {
  const std::pair<std::string, guard::FailMode> entry{side, mode};
  if (std::ranges::find(acted_, entry) != acted_.end()) {
    return false;
  }
  acted_.push_back(entry);
  return true;
}

std::string ActedModes::SidesOf(guard::FailMode mode) const {
  std::string sides;
  for (const auto& [side, acted] : acted_) {
    if (acted == mode) {
      sides += (sides.empty() ? "" : ", ") + side;
    }
  }
  return sides;
}

nlohmann::ordered_json ActedModes::ToJson() const {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [side, acted] : acted_) {
    json[side].push_back(guard::ToString(acted));
  }
  return json;
}

}  // namespace safeguard::http
