// GET /v1/routes and /v1/routes/{name}: the routes that requests may name, their settings as the
// route file has them, and what they have come to.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "http/api/judge_answer.h"
#include "http/api/route_parts.h"
#include "http/route_counters.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::RouteSettings;

Json OrNull(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json MsJson(moderation::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

Json BandJson(const std::optional<moderation::Band>& band) {
  return band ? Json{band->low, band->high} : Json(nullptr);
}

const char* Word(moderation::OnFailure what) {
  return what == moderation::OnFailure::kNext ? "next" : "undetermined";
}

// The version that answers now, and the canary that answers for its share.
Json PoliciesJson(const ServedRoute& route) {
  const auto snapshot = route.shelf.Snapshot();
  const moderation::PolicySnapshot* live = snapshot ? snapshot->get() : nullptr;
  Json list = Json::array();
  for (const std::string& name : route.policies) {
    const auto* entry = live == nullptr ? nullptr : live->Find(name);
    const moderation::PolicyReference now = entry != nullptr && entry->active != nullptr
                                                ? entry->active->policy.Reference()
                                                : route.shelf.Refer(live, name, "");
    const moderation::RoutePolicy settings =
        moderation::PolicySettings(route.cascade.route(), now.id);
    Json json = {{"policy", now.id}, {"policy_version", nullptr}, {"policy_hash", nullptr}};
    if (!now.hash.empty()) {
      json["policy_version"] = now.version;
      json["policy_hash"] = now.hash;
    }
    if (entry != nullptr && entry->canary != nullptr) {
      json["canary"] = {{"policy_version", entry->canary->policy.version},
                        {"percent", entry->canary_percent}};
    }
    json["severity"] = settings.severity;
    json["false_alarm"] = settings.false_alarm;
    json["band"] = BandJson(settings.band);
    json["languages"] = settings.languages;
    json["recall_bound"] = OrNull(settings.recall_bound);
    list.push_back(std::move(json));
  }
  return list;
}

Json LayersJson(const ServedRoute& route) {
  Json layers = Json::array();
  if (route.lists > 0) {
    layers.push_back({{"layer", "list"}, {"files", route.lists}});
  }
  layers.push_back({{"layer", "screen"}});
  for (const moderation::RouteReasoner& reasoner : route.cascade.route().reasoners) {
    layers.push_back({{"layer", "reasoner"},
                      {"name", reasoner.name},
                      {"effort", reasoner.effort},
                      {"samples", reasoner.samples},
                      {"unsure", BandJson(reasoner.unsure)}});
  }
  return layers;
}

Json BudgetJson(const moderation::ComputeBudget& budget) {
  return {{"tokens_per_second", OrNull(budget.tokens_per_second)},
          {"share", OrNull(budget.share)},
          {"money_per_day", OrNull(budget.money_per_day)}};
}

Json SettingsJson(const ServedRoute& route) {
  const RouteSettings& settings = route.cascade.route();
  Json degrade = Json::array();
  for (const moderation::Degradation step : settings.governor.order) {
    degrade.push_back(ToString(step));
  }
  Json p99 = nullptr;
  if (settings.governor.latency_p99) {
    p99 = MsJson(*settings.governor.latency_p99);
  }
  return {
      {"name", route.name},
      {"policies", PoliciesJson(route)},
      {"layers", LayersJson(route)},
      {"on_failure",
       {{"lists", Word(settings.on_list_failure)},
        {"screen", Word(settings.on_screen_failure)},
        {"reasoner", Word(settings.on_reasoner_failure)}}},
      {"unanswered", settings.unanswered == moderation::Unanswered::kProvisional ? "provisional"
                                                                                 : "undetermined"},
      {"time",
       {{"budget_ms", MsJson(settings.time_budget)},
        {"p99_ms", std::move(p99)},
        {"finish_ms", MsJson(settings.finish_budget)}}},
      {"budget", BudgetJson(settings.governor.budget)},
      {"degrade", std::move(degrade)},
      {"audit",
       {{"safe", settings.audit.safe_share},
        {"violation", settings.audit.violation_share},
        {"later", settings.audit.later}}},
      {"review",
       {{"undetermined", settings.review_undetermined},
        {"violations", settings.review_violations}}}};
}

Json RecallJson(const ServedRoute& route) {
  moderation::ScreenAudit& audit = route.cascade.audit();
  Json list = Json::array();
  for (const std::string& policy : audit.Policies()) {
    const moderation::RecallEstimate estimate = audit.Trailing(policy);
    Json one = {{"policy", policy},
                {"screened", estimate.screened},
                {"audited", estimate.audited_safe},
                {"misses", estimate.misses},
                {"recall", OrNull(estimate.recall)},
                {"low", nullptr},
                {"high", nullptr},
                {"alarm", BelowBound(route, policy, estimate)}};
    if (estimate.recall) {
      one["low"] = estimate.low;
      one["high"] = estimate.high;
    }
    list.push_back(std::move(one));
  }
  return list;
}

OrProblem<Response> List(const RouteContext& context, const Request& /*request*/) {
  Json data = Json::array();
  for (const ServedRoute& route : context.parts.routes) {
    data.push_back(SettingsJson(route));
  }
  return JsonResponse(200, {{"data", std::move(data)}});
}

OrProblem<Response> Show(const RouteContext& context, const Request& request) {
  OrProblem<const ServedRoute*> route = RouteNamed(context, request, request.values.at("name"));
  if (!route) {
    route.error().pointer.clear();
    return std::unexpected(route.error());
  }
  Json json = SettingsJson(**route);
  json["waiting"] = (*route)->judging.waiting();
  json["screen_recall"] = RecallJson(**route);
  Json counters = Json::object();
  for (const auto& [name, value] : CountersOf(**route)) {
    counters[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  }
  json["counters"] = std::move(counters);
  return JsonResponse(200, json);
}

}  // namespace

std::vector<Route> ServedRouteRoutes(const RouteContext& context) {
  return {DiskRoute(context, "GET", "/v1/routes", List),
          DiskRoute(context, "GET", "/v1/routes/{name}", Show)};
}

}  // namespace safeguard::http
