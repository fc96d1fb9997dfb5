// What the cascades of a server's routes count (docs/cascade.md), for /v1/routes and /metrics.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "http/metrics.h"
#include "http/served_route.h"
#include "moderation/screen_audit.h"

namespace safeguard::http {

// By name, since the start of the server: what the route counted, what finished later included.
std::map<std::string, double> CountersOf(const ServedRoute& route);

// Whether the screen's recall has left the bound that the route sets it, as the audits of all
// processes have it now.
bool BelowBound(const ServedRoute& route, const std::string& policy,
                const moderation::RecallEstimate& estimate);

// The counters as series of Prometheus, all with the label "route":
//   safeguard_route_verdicts_total{layer}, _outcomes_total{outcome}, _asked_total{reasoner},
//   _deferred_total{reason}, _finished_total{reason}, _governor_total{purpose,answer},
//   _tokens_total, _degraded_seconds_total, _events_total{event}
//   safeguard_route_level{step}, _budget_fill, _budget_tokens_per_second, _waiting_contents
//   safeguard_route_screen_recall{policy}, _low, _high, _alarm, _audits
std::vector<MetricSeries> RouteSeries(std::span<const ServedRoute> routes);

}  // namespace safeguard::http
