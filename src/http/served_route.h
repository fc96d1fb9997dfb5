// ServedRoute: a route of the operator's that the server runs, the cascade of a route file
// (docs/cascade.md) under its name. It has a queue and workers of its own, so that a slow reasoner
// behind it holds up no plain check.
//
// To judge by a route, submit to its `judging`, and to no other, a job whose policies are the
// route's, with a deadline of TimeOf(route) where the caller names none:
//
//   JudgeJob job;
//   job.policies = route->policies;
//   job.deadline = Clock::now() + TimeOf(*route);
//   route->judging.Submit(std::move(job), done);
//
// What comes back is what the cascade says: lists, screen, reasoners within the budget, what
// `on_failure` and `unanswered` of the route file say where a layer fails or the time is up, and
// verdicts marked `provisional` where another one follows. At the job's deadline Judging answers
// undetermined, as always. Undetermined is never safe: what becomes of it (block, hold, pass) is
// the caller's setting, per route where it has one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/judging.h"
#include "http/policy_shelf.h"
#include "http/proxy/proxy_settings.h"
#include "moderation/cascade.h"

namespace safeguard::http {

// All that it refers to outlives the service.
struct ServedRoute {
  std::string name;              // unique among the server's
  Judging& judging;              // over `cascade`
  PolicyShelf& shelf;            // prepares policies for `cascade`
  moderation::Cascade& cascade;  // route() has the settings of the file
  // Names for `shelf`, in the route file's order: "spam" follows the store (active, canary),
  // "spam@3" and policies of files stay what they are.
  std::vector<std::string> policies;
  // The cascade that finishes in this process what `cascade` has put off; null: none does.
  moderation::Cascade* finisher = nullptr;
  std::string file{};  // that it was read from, absolute: jobs name it
  // What the proxy promises of traffic under it; empty: it takes none. Policies are named as in
  // `policies`, and none means all of these; what a verdict may take is TimeOf().
  std::optional<GuardOptions> guard{};
  // Asked where `guard` degrades; null: nobody.
  Judging* slow_judging = nullptr;
  std::size_t lists = 0;  // files of lists that it has
};

// Null where there is none of that name.
inline const ServedRoute* FindRoute(std::span<const ServedRoute> routes, std::string_view name) {
  const auto found = std::ranges::find(routes, name, &ServedRoute::name);
  return found == routes.end() ? nullptr : &*found;
}

// How long a request may take that names no time itself: the route's budget, and a little more, so
// that at its end the cascade's own answer comes first (`unanswered`) and not the deadline's. A
// minute at most, as of any request.
inline std::chrono::milliseconds TimeOf(const ServedRoute& route) {
  constexpr std::chrono::milliseconds kMore{250};
  constexpr std::chrono::milliseconds kMost{60'000};
  const auto budget =
      std::chrono::ceil<std::chrono::milliseconds>(route.cascade.route().time_budget);
  return std::min(budget + kMore, kMost);
}

}  // namespace safeguard::http
