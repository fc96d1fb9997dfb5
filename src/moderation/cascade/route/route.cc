#include "moderation/route.h"

#include <algorithm>
#include <set>

namespace safeguard::moderation {
namespace {

bool IsShare(double value) {
  return value >= 0 && value <= 1;
}

std::unexpected<Error> Wrong(const std::string& what, const std::string& hint) {
  return Fail(ErrorCode::kInvalidInput, what, hint);
}

Status CheckBand(const std::string& of, const std::optional<Band>& band) {
  if (band && !(IsShare(band->low) && IsShare(band->high) && band->low <= band->high)) {
    return Wrong(of + ": the band must be two numbers from 0 to 1, the lower one first",
                 "write for example [0.1, 0.8]");
  }
  return {};
}

Status CheckPolicies(const RouteSettings& route) {
  std::set<std::string> names;
  for (const RoutePolicy& policy : route.policies) {
    if (policy.policy.empty() || !names.insert(policy.policy).second) {
      return Wrong("the policy \"" + policy.policy + "\" is empty or named twice", "name it once");
    }
    if (!(policy.severity > 0 && policy.severity <= 1e6) ||
        !(policy.false_alarm >= 0 && policy.false_alarm <= 1e6)) {
      return Wrong(policy.policy + ": severity must be above 0 and false_alarm not below 0",
                   "1 is an ordinary severity, 0.1 an ordinary false_alarm");
    }
    if (policy.recall_bound && !IsShare(*policy.recall_bound)) {
      return Wrong(policy.policy + ": recall_bound must be from 0 to 1", "write for example 0.9");
    }
    if (const Status band = CheckBand(policy.policy, policy.band); !band) {
      return band;
    }
  }
  return {};
}

Status CheckReasoners(const RouteSettings& route) {
  std::set<std::string> names;
  for (const RouteReasoner& reasoner : route.reasoners) {
    if (reasoner.name.empty() || !names.insert(reasoner.name).second) {
      return Wrong("the reasoner \"" + reasoner.name + "\" has no name or one that is taken",
                   "give each its own name, for example low and high");
    }
    if (reasoner.samples < 1 || reasoner.samples > kSamplesMax) {
      return Wrong(reasoner.name + ": samples must be from 1 to " + std::to_string(kSamplesMax),
                   "5 is plenty");
    }
    if (!(reasoner.tokens >= 1 && reasoner.tokens <= 1e6) || !IsShare(reasoner.recall)) {
      return Wrong(reasoner.name + ": tokens must be from 1 to 1000000 and recall from 0 to 1",
                   "say what one verdict is expected to cost");
    }
    if (const Status band = CheckBand(reasoner.name, reasoner.unsure); !band) {
      return band;
    }
  }
  return {};
}

Status CheckBudget(const ComputeBudget& budget) {
  const auto positive = [](const std::optional<double>& value) { return !value || *value > 0; };
  if (!positive(budget.tokens_per_second) || !positive(budget.money_per_day) ||
      !positive(budget.share)) {
    return Wrong("a budget must be above 0", "leave it out where there is no limit");
  }
  if (budget.money_per_day && budget.price_per_million_tokens <= 0) {
    return Wrong("money_per_day needs price_per_million_tokens", "say what a million tokens cost");
  }
  if (budget.burst < std::chrono::seconds(1) || budget.burst > std::chrono::hours(1)) {
    return Wrong("burst_s must be from 1 to 3600", "10 is a good value");
  }
  return {};
}

}  // namespace

RoutePolicy PolicySettings(const RouteSettings& route, const std::string& name_or_id) {
  const auto found = std::ranges::find(route.policies, name_or_id, &RoutePolicy::policy);
  if (found != route.policies.end()) {
    return *found;
  }
  RoutePolicy plain;
  plain.policy = name_or_id;
  return plain;
}

bool PutsOff(const RouteSettings& route) {
  const ComputeBudget& budget = route.governor.budget;
  const bool limited = budget.tokens_per_second || budget.share || budget.money_per_day;
  const std::vector<Degradation>& order = route.governor.order;
  const bool defers = std::ranges::find(order, Degradation::kDefer) != order.end();
  return !route.reasoners.empty() &&
         ((limited && defers) || route.governor.latency_p99 || route.audit.later);
}

Status CheckRoute(const RouteSettings& route) {
  for (const Status& status :
       {CheckPolicies(route), CheckReasoners(route), CheckBudget(route.governor.budget)}) {
    if (!status) {
      return status;
    }
  }
  if (route.time_budget < std::chrono::milliseconds(1) ||
      route.time_budget > std::chrono::hours(1)) {
    return Wrong("time.budget_ms must be from 1 to 3600000", "10000 is ten seconds");
  }
  if (route.finish_budget < std::chrono::milliseconds(1) ||
      route.finish_budget > std::chrono::hours(24)) {
    return Wrong("time.finish_ms must be from 1 to 86400000", "600000 is ten minutes");
  }
  const GovernorSettings& governor = route.governor;
  if (governor.latency_p99 &&
      (*governor.latency_p99 <= Duration{0} || *governor.latency_p99 > route.time_budget)) {
    return Wrong("time.p99_ms must be above 0 and within time.budget_ms", "lower it");
  }
  const AuditSettings& audit = route.audit;
  if (!IsShare(audit.safe_share) || !IsShare(audit.violation_share)) {
    return Wrong("audit shares must be from 0 to 1", "0.01 audits one in a hundred");
  }
  if (audit.window < std::chrono::seconds(1) || audit.windows < 1 || audit.windows > 10'000) {
    return Wrong("audit.window_s must be at least 1 and audit.windows from 1 to 10000",
                 "3600 and 24 cover a day");
  }
  if (!IsShare(governor.band_cut_max) || !(governor.audit_floor > 0) || governor.audit_floor > 1) {
    return Wrong("band_cut_max must be from 0 to 1, audit_floor above 0 and at most 1",
                 "0.5 and 0.1 are good values");
  }
  std::set<Degradation> steps(governor.order.begin(), governor.order.end());
  if (steps.size() != governor.order.size()) {
    return Wrong("degrade names a step twice", "effort, audit, band, defer, shed; each once");
  }
  const bool audits = audit.safe_share > 0 || audit.violation_share > 0;
  if (route.reasoners.empty() && audits) {
    return Wrong("an audit needs a reasoner", "name one under `reasoners`, or leave audit out");
  }
  return {};
}

const char* ToString(Degradation degradation) {
  switch (degradation) {
    case Degradation::kEffort:
      return "effort";
    case Degradation::kAudit:
      return "audit";
    case Degradation::kBand:
      return "band";
    case Degradation::kDefer:
      return "defer";
    case Degradation::kShed:
      return "shed";
  }
  return "shed";
}

}  // namespace safeguard::moderation
