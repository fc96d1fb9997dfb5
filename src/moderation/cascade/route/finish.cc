// The end of a case: the verdict, its record for the audit, and what is left for later.
#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "moderation/cascade/route/request.h"
#include "moderation/verdict_log.h"

namespace safeguard::moderation::route {

std::string FollowUpKey(const std::string& route, const Content& content,
                        const PolicyReference& policy, const std::string& what) {
  return Blake2bHex(route + '\0' + ContentHash(content) + '\0' + content.id + '\0' + policy.hash +
                    '\0' + what);
}

Verdict Request::ProvisionalOf(const Case& each, UndeterminedReason reason,
                               const std::string& detail) const {
  // Never of what is finished later: it waits for the reasoner, for there is no answer after it.
  if (core_.route.unanswered == Unanswered::kProvisional && !in_deferred_ && each.screen &&
      each.screen_alone && Decided(*each.screen)) {
    Verdict verdict = *each.screen;
    verdict.provisional = true;
    verdict.notes.push_back("provisional, the screen's alone: " + detail);
    return verdict;
  }
  Verdict verdict = Undetermined(each.policy->policy().Reference(), reason, detail);
  const Verdict* last = each.answer ? &*each.answer : each.screen ? &*each.screen : nullptr;
  if (last != nullptr) {
    verdict.score = last->score;
    verdict.decided_by = last->decided_by;
  }
  return verdict;
}

void Request::Unanswered(Case& each, UndeterminedReason reason, const std::string& detail) {
  each.final = ProvisionalOf(each, reason, detail);
}

bool Request::Defer(Case& each, DeferReason reason, UndeterminedReason open_reason,
                    const std::string& detail) {
  if (core_.parts.deferred->Backlog() >= core_.route.governor.backlog_max) {
    core_.Count("backlog_full");
    return false;
  }
  const bool audit = reason == DeferReason::kAudit;
  Verdict provisional = audit ? *each.screen : ProvisionalOf(each, open_reason, detail);
  provisional.provisional = !audit;  // an audit's answer stands
  DeferredItem item;
  item.key = FollowUpKey(core_.route.name, *each.content, each.policy->policy().Reference(),
                         ToString(reason));
  item.route = core_.route.name;
  item.content = *each.content;
  item.policy = each.policy->policy().Reference();
  item.provisional = provisional;
  item.reason = reason;
  item.gain = ExpectedGain(EffortOf(each, 0, true));
  item.audit_weight = audit ? each.audit_weight : 0;
  const Status deferred = core_.parts.deferred->Defer(item);
  if (!deferred) {
    core_.Count("defer_failures");
    each.notes.push_back("could not be left for later: " + Describe(deferred.error()));
    return false;
  }
  core_.Count(std::string("deferred_") + ToString(reason));
  if (audit) {
    each.audit = false;  // counted when its answer is there
    each.screened = false;
  }
  each.final = std::move(provisional);
  return true;
}

// What the audit learns of a case.
void Request::Record(Case& each) {
  if (!each.screened || in_passing_) {
    return;
  }
  const std::string& policy = each.policy->policy().id;
  const bool answered = each.answer && Decided(*each.answer);
  if (each.audit) {
    core_.audit.Audited(
        policy, each.side, each.audit_weight,
        answered ? std::optional(each.answer->outcome == Outcome::kViolation) : std::nullopt);
    if (each.answer && !each.path.empty()) {
      each.path.back().why = "audit of the screen, weight " + std::to_string(each.audit_weight);
    }
  } else if (each.side == ScreenSide::kBand) {
    if (answered) {
      core_.audit.Audited(policy, each.side, 1, each.answer->outcome == Outcome::kViolation);
    } else {
      core_.audit.LeftOpen(policy, each.probability);
    }
  }
}

void Request::FileReview(const Case& each, Verdict& verdict) {
  const bool wanted =
      (verdict.outcome == Outcome::kUndetermined && core_.route.review_undetermined &&
       !Hopeless(verdict) && !verdict.provisional) ||
      (verdict.outcome == Outcome::kViolation && core_.route.review_violations);
  if (!wanted || core_.parts.review == nullptr || in_passing_) {
    return;
  }
  ReviewItem item;
  item.key = FollowUpKey(core_.route.name, *each.content, verdict.policy, "review");
  item.route = core_.route.name;
  item.content = *each.content;
  item.verdict = verdict;
  item.why = verdict.detail.empty() ? verdict.rationale : verdict.detail;
  item.priority = each.policy->settings().severity * verdict.score.value_or(each.probability);
  const Status filed = core_.parts.review->File(item);
  core_.Count(filed ? "filed_for_review" : "review_failures");
  if (!filed) {
    verdict.notes.push_back("could not be filed for review: " + Describe(filed.error()));
  }
}

Verdict Request::Compose(Case& each) const {
  CHECK(each.final.has_value());
  Verdict verdict = std::move(*each.final);
  verdict.path = std::move(each.path);
  verdict.notes.insert(verdict.notes.end(), each.notes.begin(), each.notes.end());
  for (const auto& [stage, ms] : each.timings_ms) {
    verdict.timings_ms[stage] = ms;
  }
  double total = 0;
  for (const auto& [stage, ms] : each.timings_ms) {
    total += ms;
  }
  verdict.timings_ms["total"] = total;
  return verdict;
}

}  // namespace safeguard::moderation::route
