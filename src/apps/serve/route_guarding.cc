#include "apps/serve/route_guarding.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "apps/commands/serve_parts.h"
#include "base/check.h"
#include "base/utc_time.h"

namespace safeguard::apps {
namespace {

using moderation::GuardFailure;
using moderation::GuardMode;

http::ProxyMode ModeOf(GuardMode mode) {
  return mode == GuardMode::kScore ? http::ProxyMode::kScore : http::ProxyMode::kBlock;
}

guard::FailMode FailOf(GuardFailure failure) {
  switch (failure) {
    case GuardFailure::kOpen:
      return guard::FailMode::kOpen;
    case GuardFailure::kDegrade:
      return guard::FailMode::kDegrade;
    case GuardFailure::kClosed:
      break;
  }
  return guard::FailMode::kClosed;
}

Result<std::vector<std::string>> ShelfNames(const LoadedRoute& route,
                                            std::span<const std::string> names,
                                            const std::vector<std::string>& wanted) {
  std::vector<std::string> found;
  for (const std::string& id : wanted) {
    const auto policy = std::ranges::find_if(
        route.policies, [&](const LoadedPolicy& loaded) { return loaded.policy.id == id; });
    if (policy == route.policies.end()) {
      return Fail(ErrorCode::kInvalidInput,
                  "the guard of the route " + route.file.settings.name + " names the policy " + id +
                      ", which the route has not",
                  "name it under `policies` too");
    }
    found.push_back(names[static_cast<std::size_t>(policy - route.policies.begin())]);
  }
  return found;
}

}  // namespace

Result<http::GuardOptions> GuardOptionsOf(const LoadedRoute& route,
                                          std::span<const std::string> names) {
  CHECK(route.file.guard && names.size() == route.policies.size());
  const moderation::RouteGuard& guard = *route.file.guard;
  http::GuardOptions options;
  options.input = ModeOf(guard.input.mode);
  options.output = ModeOf(guard.output.mode);
  options.input_fail = FailOf(guard.input.fails);
  options.output_fail = FailOf(guard.output.fails);
  options.stream.contract = {.tokens_max = guard.visible_tokens, .visible_max = guard.visible_time};
  Result<std::vector<std::string>> input = ShelfNames(route, names, guard.input.policies);
  Result<std::vector<std::string>> output = ShelfNames(route, names, guard.output.policies);
  if (!input || !output) {
    return std::unexpected(input ? output.error() : input.error());
  }
  options.input_policies = std::move(*input);
  options.output_policies = std::move(*output);
  return options;
}

bool Degrades(const moderation::RouteGuard& guard) {
  return guard.input.fails == GuardFailure::kDegrade ||
         guard.output.fails == GuardFailure::kDegrade;
}

std::string GuardText(const moderation::RouteGuard& guard) {
  const auto side = [](const moderation::GuardSide& of) {
    return of.mode == GuardMode::kScore ? std::string("score")
                                        : std::string("block, ") + ToString(FailOf(of.fails));
  };
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(guard.visible_time).count();
  const std::string seen = guard.visible_tokens == 0 || ms == 0
                               ? "nothing is seen unjudged"
                               : std::to_string(guard.visible_tokens) + " tokens for " +
                                     std::to_string(ms) + " ms unjudged";
  return "requests " + side(guard.input) + "; answers " + side(guard.output) + "; " + seen;
}

SlowRoute::SlowRoute(SlowRouteParts parts) : log_(std::move(parts.slow_log)) {
  if (parts.slow_judge == nullptr) {
    reasoners_.emplace(parts.cascade);
    judging_.emplace(http::JudgingParts{*reasoners_, parts.shelf, parts.log, parts.metrics, UtcNow},
                     parts.judging);
    return;
  }
  shelf_.emplace(*parts.slow_judge, parts.own, parts.policies, ReadGolden);
  judging_.emplace(
      http::JudgingParts{*parts.slow_judge, *shelf_, log_.get(), parts.metrics, UtcNow},
      parts.judging);
}

}  // namespace safeguard::apps
