// The reasoners, cheapest first: who is asked, and whose answer stands.
#include <algorithm>
#include <map>

#include "base/check.h"
#include "moderation/cascade/route/fence.h"
#include "moderation/cascade/route/request.h"

namespace safeguard::moderation::route {
namespace {

constexpr std::size_t kChecksOfSuspect = 3;  // as it is, fenced, with a known violation

bool Unsure(const RouteReasoner& reasoner, const Verdict& verdict) {
  return reasoner.unsure && verdict.score && *verdict.score >= reasoner.unsure->low &&
         *verdict.score < reasoner.unsure->high;
}

}  // namespace

double Request::CostOf(const Case& each, std::size_t rung) const {
  const RouteReasoner& reasoner = core_.route.reasoners[rung];
  const double one = core_.governor->CostOf(rung, reasoner.tokens);
  return one * static_cast<double>(reasoner.samples * (each.suspect ? kChecksOfSuspect : 1));
}

EffortRequest Request::EffortOf(const Case& each, std::size_t rung, bool deferred) const {
  EffortRequest effort;
  effort.purpose = deferred     ? EffortPurpose::kDeferred
                   : each.audit ? EffortPurpose::kAudit
                   : rung > 0   ? EffortPurpose::kEscalate
                                : EffortPurpose::kDecide;
  effort.probability = each.probability;
  effort.severity = each.policy->settings().severity;
  effort.false_alarm = each.policy->settings().false_alarm;
  effort.flagged_without = each.flagged();
  effort.rung = rung;
  effort.recall = core_.route.reasoners[rung].recall;
  effort.cost = CostOf(each, rung);
  return effort;
}

void Request::Climb(std::vector<Case*> pending, bool deferred) {
  for (std::size_t rung = 0; rung < core_.route.reasoners.size() && !pending.empty(); ++rung) {
    const std::vector<Asked> admitted = Admit(pending, rung, deferred);
    // One content under several policies is one call; else one call a policy, whose prefix serves
    // all contents.
    std::map<std::pair<const void*, const void*>, std::vector<Asked>> groups;
    const bool one_content = std::ranges::all_of(admitted, [&](const Asked& asked) {
      return asked.each->content == admitted.front().each->content;
    });
    for (const Asked& asked : admitted) {
      if (asked.each->suspect) {
        AskSuspect(asked, rung);
      } else {
        groups[{nullptr, one_content ? nullptr : asked.each->policy}].push_back(asked);
      }
    }
    for (const auto& [key, group] : groups) {
      Ask(group, rung);
    }
    std::erase_if(pending, [](const Case* each) { return !each->open(); });
  }
  for (Case* each : pending) {
    if (each->audit) {
      each->final = each->answer && Decided(*each->answer) ? *each->answer : *each->screen;
    } else if (each->answer) {
      each->final = *each->answer;
      if (each->answer->reason == UndeterminedReason::kModelUnavailable ||
          each->answer->reason == UndeterminedReason::kInternalError) {
        Unanswered(*each, each->answer->reason, each->answer->detail);
      }
    } else {
      Unanswered(*each, UndeterminedReason::kModelUnavailable, "the route has no reasoner");
    }
  }
}

std::vector<Request::Asked> Request::Admit(std::span<Case* const> pending, std::size_t rung,
                                           bool deferred) {
  std::vector<std::pair<double, Asked>> wishes;
  for (Case* each : pending) {
    const EffortRequest effort = EffortOf(*each, rung, deferred);
    wishes.push_back({ExpectedGain(effort) / effort.cost, Asked{each, {}}});
  }
  std::ranges::stable_sort(wishes, std::greater<>(), &std::pair<double, Asked>::first);
  const std::size_t backlog = core_.parts.deferred != nullptr ? core_.parts.deferred->Backlog() : 0;
  std::vector<Asked> admitted;
  for (auto& [gain, asked] : wishes) {
    Case& each = *asked.each;
    if (LeftForReasoner(1) <= Duration{0}) {
      NoAnswer(std::span(&asked, 1), rung, TimedCalls::End::kLate);
      continue;
    }
    if (each.audit && core_.route.audit.later && CanDefer() &&
        Defer(each, DeferReason::kAudit, UndeterminedReason::kUncertain, "")) {
      continue;
    }
    if (CanDefer() && core_.route.governor.latency_p99 && !each.audit &&
        !core_.governor->InTime(rung, LeftForReasoner(1))) {
      NoAnswer(std::span(&asked, 1), rung, TimedCalls::End::kLate);
      continue;
    }
    asked.grant = core_.governor->Ask(EffortOf(each, rung, deferred), backlog);
    if (asked.grant.answer == EffortGrant::Answer::kGranted) {
      admitted.push_back(asked);
    } else {
      Refuse(each, asked.grant, rung);
    }
  }
  return admitted;
}

void Request::Refuse(Case& each, const EffortGrant& grant, std::size_t rung) {
  if (rung > 0 && each.answer && Decided(*each.answer)) {
    each.final = *each.answer;
    each.notes.push_back("a second opinion was wanted and had no room in the budget");
    core_.Count("escalations_refused");
    return;
  }
  if (grant.answer == EffortGrant::Answer::kCut) {
    core_.Count("band_cut");
    Unanswered(each, UndeterminedReason::kUncertain,
               "the compute budget leaves cases like this to the screen");
    return;
  }
  if (grant.answer == EffortGrant::Answer::kDefer && CanDefer() &&
      Defer(each, DeferReason::kBudget, UndeterminedReason::kOverload,
            "the compute budget has no room now; it is finished later")) {
    return;
  }
  core_.Count("shed");
  Unanswered(each, UndeterminedReason::kOverload,
             "the compute budget has no room for the reasoner; let a person decide, or try later");
}

void Request::NoAnswer(std::span<const Asked> group, std::size_t rung, TimedCalls::End end) {
  for (const Asked& asked : group) {
    Case& each = *asked.each;
    if (rung > 0 && each.answer && Decided(*each.answer)) {
      each.final = *each.answer;
      each.notes.push_back("a second opinion was wanted and did not come in time");
      continue;
    }
    if (each.audit) {
      each.final = *each.screen;
      continue;
    }
    const bool late = end == TimedCalls::End::kLate;
    core_.Count(late ? "late" : "busy");
    if (CanDefer() && Defer(each, late ? DeferReason::kLatency : DeferReason::kBudget,
                            late ? UndeterminedReason::kTimeout : UndeterminedReason::kOverload,
                            "the reasoner has not answered in time; it is finished later")) {
      continue;
    }
    Unanswered(each, late ? UndeterminedReason::kTimeout : UndeterminedReason::kOverload,
               late ? "the reasoner has not answered in time; let a person decide, or try later"
                    : "too much is being judged already; try again later");
  }
}

// Settles each grant with what its verdicts cost, whenever the call ends.
std::function<void(const std::vector<std::vector<Verdict>>&, Duration)> Request::Settling(
    std::span<const Asked> group, std::size_t rung, std::size_t verdicts_each) const {
  std::vector<EffortGrant> grants;
  for (const Asked& asked : group) {
    grants.push_back(asked.grant);
  }
  const std::size_t samples = core_.route.reasoners[rung].samples;
  return [grants, rung, verdicts_each, samples, governor = core_.governor](
             const std::vector<std::vector<Verdict>>& draws, Duration took) {
    for (std::size_t g = 0; g < grants.size(); ++g) {
      const double expected = grants[g].reserved / static_cast<double>(samples * verdicts_each);
      double tokens = 0;
      for (const std::vector<Verdict>& draw : draws) {
        for (std::size_t v = g * verdicts_each; v < (g + 1) * verdicts_each; ++v) {
          const double one = v < draw.size() ? TokensOf(draw[v], expected) : 0;
          tokens += one;
          governor->Measured(rung, one);
        }
      }
      governor->Settle(grants[g], rung, tokens, took);
    }
  };
}

void Request::Ask(std::span<const Asked> group, std::size_t rung) {
  const RouteReasoner& reasoner = core_.route.reasoners[rung];
  CallRequest request;
  request.judge = core_.parts.reasoners[rung];
  request.samples = reasoner.samples;
  // Either the policy or the content is the same in all of the group, so that verdict i is case i.
  const bool one_policy = std::ranges::all_of(
      group, [&](const Asked& asked) { return asked.each->policy == group.front().each->policy; });
  for (const Asked& asked : group) {
    if (!one_policy || request.policies.empty()) {
      request.policies.push_back(asked.each->policy->reasoners[rung]);
    }
    if (one_policy || request.contents.empty()) {
      request.contents.push_back(*asked.each->content);
    }
  }
  request.on_end = Settling(group, rung, 1);
  core_.Count("asked_" + reasoner.name, static_cast<double>(group.size()));
  Call call = CallWithin(core_, LeftForReasoner(group.size()), std::move(request));
  if (call.end != TimedCalls::End::kDone) {
    if (call.end == TimedCalls::End::kBusy) {
      for (const Asked& asked : group) {
        core_.governor->Settle(asked.grant, rung, 0, Duration{-1});
      }
    }
    NoAnswer(group, rung, call.end);
    return;
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    Take(*group[i].each, std::move(call.verdicts[i]), rung,
         call.took / static_cast<std::int64_t>(group.size()));
  }
}

void Request::AskSuspect(const Asked& asked, std::size_t rung) {
  Case& each = *asked.each;
  const RouteReasoner& reasoner = core_.route.reasoners[rung];
  const std::optional<std::string> canary = CanaryFor(each, rung);
  CallRequest request;
  request.judge = core_.parts.reasoners[rung];
  request.samples = reasoner.samples;
  request.policies = {each.policy->reasoners[rung]};
  request.contents = {*each.content, Fenced(*each.content, MakeNonce(*core_.parts.random))};
  if (canary) {
    request.contents.push_back(WithViolation(*each.content, *canary));
  }
  request.on_end = Settling(std::span(&asked, 1), rung, request.contents.size());
  core_.Count("asked_" + reasoner.name);
  Call call = CallWithin(core_, LeftForReasoner(request.contents.size()), std::move(request));
  if (call.end != TimedCalls::End::kDone) {
    if (call.end == TimedCalls::End::kBusy) {
      core_.governor->Settle(asked.grant, rung, 0, Duration{-1});
    }
    NoAnswer(std::span(&asked, 1), rung, call.end);
    return;
  }
  Take(each, StandUp(each, std::move(call.verdicts), canary.has_value()), rung, call.took);
}

void Request::Take(Case& each, Verdict verdict, std::size_t rung, Duration took) {
  const RouteReasoner& reasoner = core_.route.reasoners[rung];
  each.timings_ms["reasoner"] += MsOf(took);
  verdict.decided_by.settings["reasoner"] = reasoner.name;
  each.path.push_back({verdict.decided_by.layer.empty() ? "reasoner" : verdict.decided_by.layer,
                       reasoner.name, verdict.outcome, verdict.reason, verdict.score, MsOf(took),
                       ""});
  LayerStep& step = each.path.back();
  const bool last = rung + 1 == core_.route.reasoners.size();
  each.answer = verdict;
  if (each.audit) {
    each.final = Decided(verdict) ? std::move(verdict) : *each.screen;
    return;
  }
  if (Hopeless(verdict) || (Decided(verdict) && !Unsure(reasoner, verdict))) {
    step.why = "decides";
    each.final = std::move(verdict);
    return;
  }
  if (Failed(verdict)) {
    core_.Count("reasoner_failures");
    if (core_.route.on_reasoner_failure == OnFailure::kUndetermined) {
      each.final = std::move(verdict);
      return;
    }
  }
  if (!last) {
    step.why = Decided(verdict) ? "not sure enough: the next reasoner is asked"
                                : "undetermined: the next reasoner is asked";
    each.probability = verdict.score.value_or(each.probability);
  }
}

}  // namespace safeguard::moderation::route
