#include "moderation/cascade/route/request.h"

#include <algorithm>

#include "base/check.h"

namespace safeguard::moderation::route {

Request::Request(Core& core, std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                 std::span<const Content> contents, std::optional<Duration> within)
    : core_(core),
      policies_(policies.begin(), policies.end()),
      contents_(contents),
      start_(core.parts.clock->Now()),
      time_budget_(std::min(core.route.time_budget, within.value_or(core.route.time_budget))),
      tamper_(contents.size()),
      language_(contents.size()) {
  for (const Content& content : contents_) {
    for (const auto& policy : policies_) {
      const auto* prepared = dynamic_cast<const CascadePolicy*>(policy.get());
      CHECK(prepared != nullptr);  // of another judge
      Case each;
      each.content = &content;
      each.policy = prepared;
      cases_.push_back(std::move(each));
    }
  }
}

Duration Request::Left(std::size_t contents) const {
  if (in_deferred_) {
    return start_ + core_.route.finish_budget - core_.parts.clock->Now();
  }
  if (core_.route.bulk) {
    return core_.route.time_budget * static_cast<std::int64_t>(std::max<std::size_t>(contents, 1));
  }
  return start_ + time_budget_ - core_.parts.clock->Now();
}

Duration Request::LeftForReasoner(std::size_t contents) const {
  const Duration left = Left(contents);
  const std::optional<Duration>& target = core_.route.governor.latency_p99;
  if (core_.route.bulk || !target || !CanDefer()) {
    return left;
  }
  return std::min(left, start_ + *target - core_.parts.clock->Now());
}

std::vector<Verdict> Request::Run() {
  AskLists();
  AskScreen();
  Triage();
  std::vector<Case*> pending;
  for (Case& each : cases_) {
    if (each.open()) {
      pending.push_back(&each);
    }
  }
  Climb(std::move(pending), false);
  std::vector<Verdict> verdicts;
  verdicts.reserve(cases_.size());
  for (Case& each : cases_) {
    Record(each);
    Verdict verdict = Compose(each);
    core_.Count(std::string("outcome_") + ToString(verdict.outcome));
    core_.Count("decided_by_" +
                (Decided(verdict) ? verdict.decided_by.layer : std::string("nobody")));
    core_.Count("provisional", verdict.provisional ? 1 : 0);
    FileReview(each, verdict);
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

std::vector<Verdict> Request::RunInPassing() {
  in_passing_ = true;
  core_.Count("in_passing", static_cast<double>(cases_.size()));
  return Run();
}

Verdict Request::RunDeferred(const DeferredItem& item) {
  CHECK(cases_.size() == 1);
  in_deferred_ = true;
  Case& each = cases_.front();
  if (item.reason == DeferReason::kAsked) {
    AskLists();
    AskScreen();
    Triage();
  } else {
    each.screen_alone = false;  // what the screen says was answered already
    each.probability = item.provisional.score.value_or(0.5);
    each.suspect = TamperOf(*each.content).addresses_judge;
    each.path = item.provisional.path;
  }
  if (each.open()) {
    Climb({&each}, true);
  }
  if (item.reason == DeferReason::kAudit && each.answer) {
    core_.audit.AuditedLate(
        FollowUpKey(item.route, item.content, item.policy, ToString(item.reason)), item.policy.id,
        item.provisional.outcome == Outcome::kViolation ? ScreenSide::kViolation
                                                        : ScreenSide::kSafe,
        std::max(1.0, item.audit_weight),
        Decided(*each.answer) ? std::optional(each.answer->outcome == Outcome::kViolation)
                              : std::nullopt,
        item.waited);
  }
  Verdict verdict = Compose(each);
  if (!Decided(verdict) && verdict.reason == UndeterminedReason::kOverload) {
    return verdict;  // it comes here again
  }
  core_.Count("finished_" + std::string(ToString(item.reason)));
  FileReview(each, verdict);
  return verdict;
}

}  // namespace safeguard::moderation::route
