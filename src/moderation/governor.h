// Governor: spends reasoning where it prevents most, and never more than the budget.
//
// Every verdict that a reasoner could improve is a request with an expected gain: missed violations
// (and false alarms, by their weight) that asking is expected to prevent, in units of severity. The
// governor keeps the demand of the recent past as a histogram of gain per token. When all of it at
// full service costs more than the budget, it takes back what the route declared, in that order and
// only as far as needed:
//
//   effort  escalations of the least gain per token are not made; the first reasoner's answer
//   stands audit   the audited shares shrink, down to a floor that keeps the screen measured band
//   the least gainful of the band are left to the screen's provisional verdict defer   the next
//   least gainful are answered provisionally and finished later shed    the rest is undetermined:
//   overload
//
// A token bucket below holds the cap whatever the estimates say: a grant reserves what it is
// expected to cost and settles what it did cost. The emptier the bucket, the more gain a request
// needs, so that a burst of cheap cases does not starve the severe ones.
//
// Thread-safe. Time comes from the clock given.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "moderation/clock.h"
#include "moderation/route.h"
#include "moderation/shared_bucket.h"

namespace safeguard::moderation {

// What asking a reasoner is for.
enum class EffortPurpose {
  kDecide,    // the screen may not decide
  kEscalate,  // a reasoner was not sure
  kAudit,     // the screen decided; is it right?
  kDeferred,  // finishes what was answered provisionally
};

struct EffortRequest {
  EffortPurpose purpose = EffortPurpose::kDecide;
  double probability = 0.5;  // of a violation, as far as known
  double severity = 1;
  double false_alarm = 0.1;
  bool flagged_without = false;  // without asking it counts as a violation
  std::size_t rung = 0;
  double recall = 0.9;  // of the rung
  double cost = 1;      // its units: tokens expected per verdict, samples and checks included
};

// Expected missed violations (severity-weighted) that asking prevents.
double ExpectedGain(const EffortRequest& request);

struct EffortGrant {
  enum class Answer { kGranted, kCut, kDefer, kShed };
  Answer answer = Answer::kShed;
  double reserved = 0;  // tokens; what Settle gets back
  double gain = 0;
};

// A budget, with what is asked of it: of one route, or the overall one that several governors
// share. Thread-safe.
class TokenBudget {
 public:
  // Fills at the tightest rate of `budget`, up to its burst; full at first. Unlimited when none is
  // set. With `shared` the bucket is that, and the budget holds over all processes that have it;
  // the time of its filling is then the shared bucket's own.
  TokenBudget(const ComputeBudget& budget, std::shared_ptr<const Clock> clock,
              std::shared_ptr<SharedBucket> shared = nullptr);
  ~TokenBudget();
  TokenBudget(const TokenBudget&) = delete;
  TokenBudget& operator=(const TokenBudget&) = delete;

  [[nodiscard]] bool limited() const;
  // Tokens of the models that are guarded: what a share is of.
  void Guarded(double tokens);
  [[nodiscard]] double Rate();  // tokens a second now; infinite without a limit
  [[nodiscard]] double Fill();  // 0..1 of the burst; negative in debt; 1 without a limit
  // May run into debt: what was spent is spent. Negative: returns.
  void Take(double tokens);

  // Demand: what would be spent at full service.
  void Want(EffortPurpose purpose, double gain_per_token, double tokens);
  // How far each degradation goes to make the demand fit, 0..1, in the order declared.
  struct Levels {
    double effort = 0;
    double audit = 0;
    double band = 0;
    double defer = 0;
    double shed = 0;
  };
  Levels Fit(const GovernorSettings& settings, bool can_defer);
  // What becomes of a request of this gain at these levels, and where it stands: 0 the least
  // gainful of the demand, 1 the most.
  enum class Place { kServed, kCut, kDefer, kShed };
  struct Ruling {
    Place place = Place::kServed;
    double standing = 1;
  };
  Ruling Rule(const GovernorSettings& settings, const Levels& levels, EffortPurpose purpose,
              double gain_per_token);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Governor {
 public:
  // `overall` may be null. `deferral`: whether there is anyone to defer to. `shared`: the budget's
  // bucket, where other processes draw from it too.
  Governor(const GovernorSettings& settings, std::shared_ptr<TokenBudget> overall,
           std::shared_ptr<const Clock> clock, bool deferral,
           std::shared_ptr<SharedBucket> shared = nullptr);
  ~Governor();
  Governor(const Governor&) = delete;
  Governor& operator=(const Governor&) = delete;

  // `backlog`: deferred items that wait now.
  EffortGrant Ask(const EffortRequest& request, std::size_t backlog);
  // What a grant came to. `tokens`: really spent. `latency`: of the call; negative: not measured.
  void Settle(const EffortGrant& grant, std::size_t rung, double tokens, Duration latency);

  // What one verdict of a rung cost.
  void Measured(std::size_t rung, double tokens);

  // How much of the declared audit shares is drawn now: audit_floor..1.
  [[nodiscard]] double AuditScale();
  // Demand that was not a request: audits of `cost` tokens that the declared shares would draw.
  void ExpectAudits(double tokens);
  // Whether a reasoner that is asked now has a chance to answer within `left`, by its recent
  // latencies. Says yes now and then regardless, so that a recovery is seen.
  [[nodiscard]] bool InTime(std::size_t rung, Duration left);
  // The mean cost of a rung's verdict as measured; `expected` until then.
  [[nodiscard]] double CostOf(std::size_t rung, double expected);
  void Guarded(double tokens);

  // Counters and levels by name: "spent_tokens", "level_effort", ... (docs/cascade.md).
  [[nodiscard]] std::vector<std::pair<std::string, double>> Counters();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace safeguard::moderation
