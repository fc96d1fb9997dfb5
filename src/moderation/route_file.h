// RouteFile: a route as its users write it, in YAML. docs/cascade.md lists every key.
//
// The same bounded part of YAML as front matter: no anchors, aliases or tags. An unknown key is an
// error, because a misspelled limit would be none; every message names its line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "moderation/route.h"
#include "moderation/route_guard.h"

namespace safeguard::moderation {

struct RouteFile {
  RouteSettings settings;            // checked
  std::string screen = "screen";     // the judge that screens: "screen", "recorded"
  std::string screen_kind = "auto";  // of "screen": as RoutePolicy::screen
  std::string screen_model;          // its folder; empty: the usual places
  std::string screen_recorded;       // of "recorded": the file
  std::vector<std::string> lists;    // files of lists
  // Empty: the guarding proxy takes no traffic under this route.
  std::optional<RouteGuard> guard{};
};

inline constexpr std::size_t kRouteBytesMax = std::size_t{64} << 10;
inline constexpr std::size_t kRoutePoliciesMax = 200;
inline constexpr std::size_t kRouteReasonersMax = 8;
inline constexpr std::size_t kRouteListsMax = 100;

// Fails on: more than kRouteBytesMax bytes (kLimit), anything that is no route (with its line).
Result<RouteFile> ReadRouteFile(std::string_view yaml);

}  // namespace safeguard::moderation
