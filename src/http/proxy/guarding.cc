#include "http/proxy/guarding.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace safeguard::http {

OrProblem<std::string> RouteNameIn(const Request& request) {
  std::string name;
  bool differ = false;
  const auto names = [&](const std::string& route) {
    differ = differ || (!name.empty() && name != route);
    name = route;
  };
  if (const auto in_path = request.values.find("route"); in_path != request.values.end()) {
    names(in_path->second);
  }
  for (const Header& header : request.headers) {
    if (header.name == kRouteHeader) {
      names(header.value);
    }
  }
  if (differ) {
    return std::unexpected(Problem{400,
                                   "invalid-request",
                                   "the path and X-Safeguard-Route name more than one route",
                                   "name one",
                                   {}});
  }
  return name;
}

Guardings::Guardings(Guarding of_none, std::vector<Guarding> of_routes, bool need_route)
    : none_(std::move(of_none)), routes_(std::move(of_routes)), need_route_(need_route) {
  CHECK(guard::CheckSettings(none_.options.stream).has_value());
  for (const Guarding& route : routes_) {
    CHECK(!route.route.empty() && guard::CheckSettings(route.options.stream).has_value());
    CHECK(std::ranges::count(routes_, route.route, &Guarding::route) == 1);
  }
}

OrProblem<const Guarding*> Guardings::Of(const Request& request) const {
  const OrProblem<std::string> name = RouteNameIn(request);
  if (!name) {
    return std::unexpected(name.error());
  }
  if (name->empty() && need_route_) {
    return std::unexpected(Problem{
        400,
        "route-required",
        "this service passes nothing on that names no route",
        "name one with X-Safeguard-Route, or in the path as /routes/NAME/v1/...: " + Names(),
        {}});
  }
  if (name->empty()) {
    return &none_;
  }
  const auto found = std::ranges::find(routes_, *name, &Guarding::route);
  if (found == routes_.end()) {
    return std::unexpected(
        Problem{404,
                "unknown-route",
                "there is no route \"" + name->substr(0, 64) + "\" that guards traffic here",
                "there is " + Names(),
                {}});
  }
  return &*found;
}

std::string Guardings::Names() const {
  std::string names;
  for (const Guarding& route : routes_) {
    names += (names.empty() ? "" : ", ") + route.route;
  }
  return names.empty() ? "none" : names;
}

}  // namespace safeguard::http
