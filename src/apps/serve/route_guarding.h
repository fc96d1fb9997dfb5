// What a served route has for the guarding proxy: what it promises of traffic, and who decides
// where that degrades.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/route/open_route.h"
#include "base/result.h"
#include "http/judging.h"
#include "http/metrics.h"
#include "http/policy_shelf.h"
#include "http/service.h"
#include "moderation/finishing_judge.h"
#include "moderation/judge.h"
#include "moderation/policy_store.h"
#include "moderation/verdict_log.h"

namespace safeguard::apps {

// Of `guard` in the route file, with its policies as the shelf calls them: `names` are those of
// route.policies. kInvalidInput for a policy that the route has not. REQUIRES: the file has one.
Result<http::GuardOptions> GuardOptionsOf(const LoadedRoute& route,
                                          std::span<const std::string> names);

// Whether any direction of it asks a slow judge.
bool Degrades(const moderation::RouteGuard& guard);

// "requests block, closed; answers score, open; 32 tokens for 500 ms unjudged"
std::string GuardText(const moderation::RouteGuard& guard);

struct SlowRouteParts {
  moderation::Cascade& cascade;
  http::PolicyShelf& shelf;  // that prepares for it
  moderation::VerdictLog* log = nullptr;
  // The server's own slow judge, its log and the policies that the route has beside the store;
  // null: the route's reasoners are asked.
  moderation::Judge* slow_judge = nullptr;
  std::unique_ptr<moderation::VerdictLog> slow_log{};
  std::span<const http::ShippedPolicy> own{};
  moderation::PolicyStore* policies = nullptr;
  http::Metrics& metrics;
  http::JudgingOptions judging{};
};

// The slow judge of one route. All that the parts refer to outlives it.
class SlowRoute {
 public:
  // REQUIRES: a slow judge, or a route with reasoners.
  explicit SlowRoute(SlowRouteParts parts);

  [[nodiscard]] http::Judging& judging() { return *judging_; }

 private:
  std::unique_ptr<moderation::VerdictLog> log_;
  std::optional<moderation::FinishingJudge> reasoners_;
  std::optional<http::PolicyShelf> shelf_;  // of the server's slow judge
  std::optional<http::Judging> judging_;
};

}  // namespace safeguard::apps
