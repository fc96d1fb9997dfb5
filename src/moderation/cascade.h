// Cascade: the layered defence of one route, as a Judge.
//
//   lists -> screen -> reasoners, cheapest first -> review
//
// Each layer decides what it can and hands on the rest. The screen decides where its calibrated
// score lies outside the uncertain band; inside it, and where the screen alone may not call content
// safe (its language is not one that the policy was proven in, a list holds it suspect, it
// addresses the judge), the reasoner is asked as far as the governor allows. A verdict tells its
// way in Verdict::path and who decided in decided_by; Verdict::provisional marks one that will be
// followed by another.
//
// Kept whatever happens in the layers:
//   - one verdict for each (content, policy); none is made up: `safe` and `violation` are always
//     what a list, the screen or a reasoner said of this content
//   - what could not be decided is undetermined, never safe
//   - an answer comes within the route's time budget (plus what the lists take)
//   - deferred work is told to be so only after it was acknowledged
//
// What is judged in passing (Judge::DecideInPassing) goes the same way and costs the same budget,
// and nothing else follows from it: it is not put off, not drawn for the audit nor counted in it,
// and not filed for review.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "moderation/audit_ledger.h"
#include "moderation/clock.h"
#include "moderation/follow_up.h"
#include "moderation/governor.h"
#include "moderation/judge.h"
#include "moderation/language_detector.h"
#include "moderation/list_layer.h"
#include "moderation/route.h"
#include "moderation/screen_audit.h"
#include "moderation/tamper_detector.h"

namespace safeguard::moderation {

// What a cascade is made of. All are thread-safe and shared with calls that run on after their
// time.
struct CascadeParts {
  std::shared_ptr<ListLayer> lists;               // may be null
  std::shared_ptr<Judge> screen;                  // calibrated, where it is
  std::vector<std::shared_ptr<Judge>> reasoners;  // as many as route.reasoners
  std::shared_ptr<LanguageDetector> languages;    // null: only what the content states
  std::shared_ptr<TamperDetector> tamper;         // null: no judge-hijack defence
  std::shared_ptr<ReviewSink> review;             // may be null
  std::shared_ptr<DeferredWork> deferred;         // null: nothing can wait
  std::shared_ptr<TokenBudget> overall;           // the budget over all routes; may be null
  std::shared_ptr<SharedBucket> bucket;  // of the route's budget, over processes; may be null
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<RandomSource> random;
  std::shared_ptr<TimedCalls> calls;
  std::function<void(const RecallAlarm&)> on_alarm;  // may be empty
  // Where the audits of several processes add up; null: those of this cascade alone count. Its
  // windows are of `calendar`, a clock that counts since 1970 UTC.
  std::shared_ptr<AuditLedger> ledger;
  std::shared_ptr<const Clock> calendar;  // REQUIRES: set where `ledger` is
};

class Cascade : public Judge {
 public:
  // Decide, for whoever waits no longer than `within`: the time budget is that where it is less
  // than the route's, so that what `unanswered` says and what can be put off is there in time.
  virtual std::vector<Verdict> DecideWithin(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies,
      std::span<const Content> contents, Duration within) = 0;

  // Finishes what was answered provisionally, with the reasoners and without the screen; the budget
  // holds (kDeferred), the latency target does not. `audit_weight` as of the DeferredItem; its
  // answer goes into the audit. What nobody has answered (kAsked) goes through all layers; it
  // counts in no audit, for it may come here more than once. Undetermined with kOverload: not now,
  // try again later.
  virtual Verdict Finish(const std::shared_ptr<const PreparedPolicy>& policy,
                         const DeferredItem& item) = 0;

  [[nodiscard]] virtual ScreenAudit& audit() = 0;
  [[nodiscard]] virtual Governor& governor() = 0;
  [[nodiscard]] virtual const RouteSettings& route() const = 0;
};

// REQUIRES: screen, clock, random and calls; as many reasoners as the route has; CheckRoute(route).
std::unique_ptr<Cascade> MakeCascade(RouteSettings route, CascadeParts parts);

}  // namespace safeguard::moderation
