// The layers that see everything: lists, then the screen.
#include <algorithm>

#include "base/check.h"
#include "moderation/cascade/route/request.h"

namespace safeguard::moderation::route {
namespace {

Verdict FromList(const CascadePolicy& policy, const ListHit& hit) {
  Verdict verdict;
  verdict.policy = policy.policy().Reference();
  verdict.outcome = hit.effect == ListEffect::kViolation ? Outcome::kViolation : Outcome::kSafe;
  verdict.reason = UndeterminedReason::kNone;
  verdict.category = hit.category;
  for (const std::string& rule : hit.rule_ids) {
    if (policy.policy().FindRule(rule) != nullptr) {
      verdict.rule_ids.push_back(rule);
    }
  }
  verdict.rationale = "On the list " + hit.list + " (" + hit.entry + ")" +
                      (hit.reason.empty() ? "." : ": " + hit.reason + ".");
  verdict.evidence = hit.evidence;
  verdict.decided_by = {.layer = "list", .model = hit.list, .model_hash = "", .settings = {}};
  verdict.decided_by.settings["entry"] = hit.entry;
  return verdict;
}

LayerStep StepOf(const std::string& layer, const std::string& name, const Verdict& verdict,
                 double ms) {
  return {layer, name, verdict.outcome, verdict.reason, verdict.score, ms, ""};
}

UndeterminedReason ReasonOf(TimedCalls::End end) {
  return end == TimedCalls::End::kLate ? UndeterminedReason::kTimeout
                                       : UndeterminedReason::kOverload;
}

}  // namespace

void Request::AskLists() {
  if (core_.parts.lists == nullptr) {
    return;
  }
  for (Case& each : cases_) {
    AskList(each);
  }
}

void Request::AskList(Case& each) {
  const Duration begin = core_.parts.clock->Now();
  const Result<std::vector<ListHit>> hits =
      core_.parts.lists->Match(*each.content, each.policy->policy());
  const double ms = MsOf(core_.parts.clock->Now() - begin);
  each.timings_ms["lists"] = ms;
  if (!hits) {
    core_.Count("list_failures");
    if (core_.route.on_list_failure == OnFailure::kUndetermined) {
      each.final =
          Undetermined(each.policy->policy().Reference(), UndeterminedReason::kInternalError,
                       "the lists could not be asked: " + Describe(hits.error()));
      each.path.push_back(StepOf("list", "", *each.final, ms));
    } else {
      each.notes.push_back("the lists could not be asked: " + Describe(hits.error()));
    }
    return;
  }
  const auto find = [&](ListEffect effect) {
    const auto hit = std::ranges::find(*hits, effect, &ListHit::effect);
    return hit == hits->end() ? nullptr : &*hit;
  };
  const ListHit* violation = find(ListEffect::kViolation);
  const ListHit* safe = find(ListEffect::kSafe);
  if (violation != nullptr && safe != nullptr) {
    each.screen_alone = false;
    each.why = "the lists " + violation->list + " and " + safe->list + " contradict each other";
  } else if (violation != nullptr || safe != nullptr) {
    const ListHit& hit = violation != nullptr ? *violation : *safe;
    each.final = FromList(*each.policy, hit);
    each.path.push_back(StepOf("list", hit.list, *each.final, ms));
    each.path.back().why = "decides";
    core_.Count("decided_list");
  } else if (const ListHit* suspect = find(ListEffect::kSuspect); suspect != nullptr) {
    each.screen_alone = false;
    each.why = "the list " + suspect->list + " holds it suspect";
  }
}

void Request::AskScreen() {
  // Contents with a case that is still open; the screen sees them under every policy at once.
  const std::size_t policies = policies_.size();
  std::vector<std::size_t> asked;
  CallRequest request;
  request.judge = core_.parts.screen;
  for (const auto& policy : policies_) {
    request.policies.push_back(static_cast<const CascadePolicy&>(*policy).screen);
  }
  for (std::size_t c = 0; c < contents_.size(); ++c) {
    const auto begin = cases_.begin() + static_cast<std::ptrdiff_t>(c * policies);
    if (std::any_of(begin, begin + static_cast<std::ptrdiff_t>(policies),
                    [](const Case& each) { return each.open(); })) {
      asked.push_back(c);
      request.contents.push_back(contents_[c]);
    }
  }
  if (asked.empty()) {
    return;
  }
  Call call = CallWithin(core_, Left(asked.size()), std::move(request));
  core_.Count("screened", static_cast<double>(asked.size() * policies));
  const double ms = MsOf(call.took) / static_cast<double>(asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    for (std::size_t p = 0; p < policies; ++p) {
      Case& each = cases_[asked[i] * policies + p];
      if (!each.open()) {
        continue;
      }
      each.timings_ms["screen"] = ms;
      each.screen = call.end == TimedCalls::End::kDone
                        ? std::move(call.verdicts[i * policies + p])
                        : Undetermined(each.policy->policy().Reference(), ReasonOf(call.end),
                                       call.end == TimedCalls::End::kLate
                                           ? "the screen did not answer in time"
                                           : "too much is being judged already; try again later");
      each.path.push_back(StepOf("screen", "", *each.screen, ms));
    }
  }
}

}  // namespace safeguard::moderation::route
