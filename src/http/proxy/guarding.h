// Guarding: under which route an exchange goes through the proxy, who judges it, and what is
// promised of it.
#pragma once

#include <string>
#include <vector>

#include "http/judging.h"
#include "http/message.h"
#include "http/problem.h"
#include "http/proxy/proxy_settings.h"

namespace safeguard::http {

inline constexpr const char* kRouteHeader = "x-safeguard-route";

struct Guarding {
  std::string route;  // empty: none
  GuardOptions options;
  Judging& judging;
  Judging* slow_judging = nullptr;  // asked where a fail mode is degrade; null: there is none
  std::string judge_name;           // as moderation objects call it
};

// The guardings of one proxy: that of no route, and those of routes.
class Guardings {
 public:
  // `need_route`: a request without one is refused.
  // REQUIRES: guard::CheckSettings(options.stream) of each; no name twice.
  Guardings(Guarding of_none, std::vector<Guarding> of_routes, bool need_route);

  // By the path (/routes/NAME/...) or by the header of kRouteHeader. A caller that names no route
  // gets the operator's own settings, and one that names one gets it whole.
  [[nodiscard]] OrProblem<const Guarding*> Of(const Request& request) const;

 private:
  [[nodiscard]] std::string Names() const;

  Guarding none_;
  std::vector<Guarding> routes_;
  bool need_route_;
};

// The route that a request names, or nothing; a problem where the path and the header differ.
OrProblem<std::string> RouteNameIn(const Request& request);

}  // namespace safeguard::http
