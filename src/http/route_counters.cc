#include "http/route_counters.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace safeguard::http {
namespace {

using Labels = std::map<std::string, std::string>;

// Counters of a cascade whose name ends in what they count.
struct Kind {
  const char* prefix;
  const char* metric;
  const char* help;
  const char* label;
};
constexpr std::array<Kind, 5> kKinds = {{
    {"decided_by_", "safeguard_route_verdicts_total",
     "Verdicts of a route by the layer that decided; nobody: undetermined", "layer"},
    {"outcome_", "safeguard_route_outcomes_total", "Verdicts of a route by outcome", "outcome"},
    {"asked_", "safeguard_route_asked_total", "Verdicts that a reasoner was asked for", "reasoner"},
    {"deferred_", "safeguard_route_deferred_total", "Verdicts put off, by why", "reason"},
    {"finished_", "safeguard_route_finished_total",
     "Verdicts finished later by this server, by why they had been put off", "reason"},
}};

// Others, each an event.
constexpr std::array<std::string_view, 20> kEvents = {"audits_drawn",
                                                      "backlog_full",
                                                      "band_cut",
                                                      "busy",
                                                      "decided_list",
                                                      "defer_failures",
                                                      "escalations_refused",
                                                      "filed_for_review",
                                                      "judge_tampering",
                                                      "language_gated",
                                                      "language_unknown",
                                                      "late",
                                                      "list_failures",
                                                      "provisional",
                                                      "reasoner_failures",
                                                      "review_failures",
                                                      "screen_failures",
                                                      "screened",
                                                      "shed",
                                                      "suspects"};

constexpr std::array<std::string_view, 4> kPurposes = {"decide", "escalate", "audit", "deferred"};
constexpr std::string_view kGovernor = "governor_";

const Kind* KindOf(std::string_view counter) {
  const auto found = std::ranges::find_if(
      kKinds, [&](const Kind& kind) { return counter.starts_with(kind.prefix); });
  return found == kKinds.end() ? nullptr : &*found;
}

// "decide_granted" as purpose and answer.
std::optional<std::pair<std::string, std::string>> GrantOf(std::string_view name) {
  for (const std::string_view purpose : kPurposes) {
    if (name.size() > purpose.size() + 1 && name.starts_with(purpose) &&
        name[purpose.size()] == '_') {
      return std::pair(std::string(purpose), std::string(name.substr(purpose.size() + 1)));
    }
  }
  return std::nullopt;
}

// Whether a counter only goes up and is the cascade's own: what its judges count may be of a model
// that others have too.
bool AddsUp(std::string_view counter) {
  if (KindOf(counter) != nullptr || std::ranges::find(kEvents, counter) != kEvents.end()) {
    return true;
  }
  if (!counter.starts_with(kGovernor)) {
    return false;
  }
  counter.remove_prefix(kGovernor.size());
  return GrantOf(counter).has_value() || counter == "spent_tokens" || counter == "seconds_degraded";
}

// Series by metric, in the order in which they were first added to.
class Collected {
 public:
  void Add(const std::string& metric, const std::string& help, bool counter, Labels labels,
           double value) {
    auto found = std::ranges::find(series_, metric, &MetricSeries::name);
    if (found == series_.end()) {
      found = series_.insert(series_.end(), MetricSeries{metric, help, counter, {}});
    }
    found->samples.push_back({std::move(labels), value});
  }
  std::vector<MetricSeries> Take() { return std::move(series_); }

 private:
  std::vector<MetricSeries> series_;
};

void AddGovernor(const std::string& route, std::string_view name, double value, Collected& all) {
  constexpr std::string_view kLevel = "level_";
  if (const auto grant = GrantOf(name)) {
    all.Add("safeguard_route_governor_total",
            "What a route's governor answered to requests for a reasoner", true,
            {{"route", route}, {"purpose", grant->first}, {"answer", grant->second}}, value);
  } else if (name == "spent_tokens") {
    all.Add("safeguard_route_tokens_total", "Tokens that a route's reasoners took", true,
            {{"route", route}}, value);
  } else if (name == "seconds_degraded") {
    all.Add("safeguard_route_degraded_seconds_total",
            "Time in which a route's budget did not suffice", true, {{"route", route}}, value);
  } else if (name.starts_with(kLevel)) {
    all.Add("safeguard_route_level", "How far each degradation of a route goes now, 0 to 1", false,
            {{"route", route}, {"step", std::string(name.substr(kLevel.size()))}}, value);
  } else if (name == "budget_fill") {
    all.Add("safeguard_route_budget_fill",
            "What a route may spend at once, of its burst; negative: in debt", false,
            {{"route", route}}, value);
  } else if (name == "budget_tokens_per_second") {
    all.Add("safeguard_route_budget_tokens_per_second", "What a route may spend now", false,
            {{"route", route}}, value);
  }
}

void AddCounters(const ServedRoute& route, Collected& all) {
  std::map<std::string, double> counters = CountersOf(route);
  // Whoever watches them sees them begin at 0.
  counters.try_emplace("governor_spent_tokens", 0);
  counters.try_emplace("governor_seconds_degraded", 0);
  for (const auto& [counter, value] : counters) {
    if (counter.starts_with(kGovernor)) {
      AddGovernor(route.name, std::string_view(counter).substr(kGovernor.size()), value, all);
    } else if (const Kind* kind = KindOf(counter)) {
      all.Add(kind->metric, kind->help, true,
              {{"route", route.name},
               {kind->label, counter.substr(std::string_view(kind->prefix).size())}},
              value);
    } else if (std::ranges::find(kEvents, counter) != kEvents.end()) {
      all.Add("safeguard_route_events_total", "What else a route's cascade counts", true,
              {{"route", route.name}, {"event", counter}}, value);
    }
  }
}

void AddRecall(const ServedRoute& route, Collected& all) {
  moderation::ScreenAudit& audit = route.cascade.audit();
  for (const std::string& policy : audit.Policies()) {
    const moderation::RecallEstimate estimate = audit.Trailing(policy);
    const Labels labels = {{"route", route.name}, {"policy", policy}};
    all.Add("safeguard_route_screen_audits",
            "Contents that the screen called safe and a reasoner has judged since, of late", false,
            labels, static_cast<double>(estimate.audited_safe));
    if (!estimate.recall) {
      continue;
    }
    all.Add("safeguard_route_screen_recall", "The screen's recall by its audits, of late", false,
            labels, *estimate.recall);
    all.Add("safeguard_route_screen_recall_low", "Where its 95 % interval begins", false, labels,
            estimate.low);
    all.Add("safeguard_route_screen_recall_high", "Where its 95 % interval ends", false, labels,
            estimate.high);
    all.Add("safeguard_route_screen_recall_alarm", "1: it has fallen below its bound", false,
            labels, BelowBound(route, policy, estimate) ? 1 : 0);
  }
}

}  // namespace

std::map<std::string, double> CountersOf(const ServedRoute& route) {
  std::map<std::string, double> counters;
  for (auto& [name, value] : route.cascade.Counters()) {
    counters[name] += value;
  }
  if (route.finisher != nullptr && route.finisher != &route.cascade) {
    for (auto& [name, value] : route.finisher->Counters()) {
      if (AddsUp(name)) {
        counters[name] += value;
      }
    }
  }
  return counters;
}

bool BelowBound(const ServedRoute& route, const std::string& policy,
                const moderation::RecallEstimate& estimate) {
  const std::optional<double> bound =
      moderation::PolicySettings(route.cascade.route(), policy).recall_bound;
  return bound && estimate.recall && estimate.high < *bound;
}

std::vector<MetricSeries> RouteSeries(std::span<const ServedRoute> routes) {
  Collected all;
  for (const ServedRoute& route : routes) {
    AddCounters(route, all);
    AddRecall(route, all);
    all.Add("safeguard_route_waiting_contents", "Contents that wait to be judged by a route", false,
            {{"route", route.name}}, static_cast<double>(route.judging.waiting()));
  }
  return all.Take();
}

}  // namespace safeguard::http
