#include "moderation/cascade/route_file/read_guard.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include "moderation/route_file.h"

namespace safeguard::moderation::route_file {
namespace {

// Thresholds, severities and screens are said of the route's policies: another one, or a misspelled
// one, would be judged without them.
void ReadPolicies(Fields& fields, const std::string& key, const RouteSettings& route,
                  std::vector<std::string>& out) {
  if (!fields.Has(key)) {
    return;
  }
  fields.Texts(key, kRoutePoliciesMax, out);
  if (out.empty()) {
    fields.Wrong(key, "is empty: nothing would be judged; leave it out for all of the route's");
  }
  std::set<std::string> seen;
  for (const std::string& name : out) {
    const std::string shown = "\"" + name.substr(0, 64) + "\"";
    if (name.empty() || !seen.insert(name).second) {
      fields.Wrong(key, "names " + shown + " twice, or no policy");
    }
    if (!route.policies.empty() &&
        std::ranges::find(route.policies, name, &RoutePolicy::policy) == route.policies.end()) {
      fields.Wrong(key, "names " + shown + ", which is none of the route's `policies`");
    }
  }
}

void ReadSide(Fields& fields, const std::string& side, const RouteSettings& route, GuardSide& out) {
  fields.Word(side, {"block", "score"}, [&](std::size_t place) {
    out.mode = place == 0 ? GuardMode::kBlock : GuardMode::kScore;
  });
  const std::string fails = side + "_fails";
  fields.Word(fails, {"closed", "open", "degrade"}, [&](std::size_t place) {
    out.fails = place == 0   ? GuardFailure::kClosed
                : place == 1 ? GuardFailure::kOpen
                             : GuardFailure::kDegrade;
  });
  if (out.mode == GuardMode::kScore && fields.Has(fails) && out.fails != GuardFailure::kOpen) {
    fields.Wrong(fails, "cannot hold beside `" + side + ": score`, which stops nothing");
  }
  ReadPolicies(fields, side + "_policies", route, out.policies);
}

}  // namespace

RouteGuard ReadGuard(Fields& fields, const RouteSettings& route) {
  RouteGuard guard;
  ReadSide(fields, "input", route, guard.input);
  ReadSide(fields, "output", route, guard.output);
  fields.Count("visible_tokens", 0, static_cast<double>(kVisibleTokensMax), guard.visible_tokens);
  std::optional<double> ms;
  fields.Number("visible_ms", 0, std::chrono::duration<double, std::milli>(kVisibleTimeMax).count(),
                ms);
  if (ms) {
    guard.visible_time = Duration(std::llround(*ms * 1000));
  }
  if (guard.visible_tokens > 0 && guard.visible_time == Duration::zero()) {
    fields.Wrong("visible_ms",
                 "is 0: nothing is visible before it is judged, and `visible_tokens` "
                 "says otherwise");
  }
  return guard;
}

}  // namespace safeguard::moderation::route_file
