#include <array>
#include <utility>

#include "engine/harmony.h"

namespace safeguard::engine {
namespace {

template <typename Enum, std::size_t kCount>
using Names = std::array<std::pair<Enum, const char*>, kCount>;

constexpr Names<HarmonyRole, 5> kRoles = {{{HarmonyRole::kSystem, "system"},
                                           {HarmonyRole::kDeveloper, "developer"},
                                           {HarmonyRole::kUser, "user"},
                                           {HarmonyRole::kAssistant, "assistant"},
                                           {HarmonyRole::kTool, "tool"}}};
constexpr Names<ReasoningEffort, 3> kEfforts = {{{ReasoningEffort::kLow, "low"},
                                                 {ReasoningEffort::kMedium, "medium"},
                                                 {ReasoningEffort::kHigh, "high"}}};
constexpr Names<PolicyPlacement, 3> kPlacements = {{{PolicyPlacement::kDeveloper, "developer"},
                                                    {PolicyPlacement::kSystem, "system"},
                                                    {PolicyPlacement::kHfTemplate, "hf-template"}}};

template <typename Enum, std::size_t kCount>
const char* NameOf(const Names<Enum, kCount>& names, Enum value) {
  return names[static_cast<std::size_t>(value)].second;
}

template <typename Enum, std::size_t kCount>
std::optional<Enum> ValueOf(const Names<Enum, kCount>& names, std::string_view name) {
  for (const auto& [value, its_name] : names) {
    if (name == its_name) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace

const char* ToString(HarmonyRole role) {
  return NameOf(kRoles, role);
}
std::optional<HarmonyRole> HarmonyRoleOf(std::string_view name) {
  return ValueOf(kRoles, name);
}
const char* ToString(ReasoningEffort effort) {
  return NameOf(kEfforts, effort);
}
std::optional<ReasoningEffort> ReasoningEffortOf(std::string_view name) {
  return ValueOf(kEfforts, name);
}
const char* ToString(PolicyPlacement placement) {
  return NameOf(kPlacements, placement);
}
std::optional<PolicyPlacement> PolicyPlacementOf(std::string_view name) {
  return ValueOf(kPlacements, name);
}

}  // namespace safeguard::engine
