#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "moderation/cascade/budget/demand.h"
#include "moderation/governor.h"

namespace safeguard::moderation {
namespace {

using budget::Demand;

constexpr double kSecondsADay = 86'400;
constexpr double kGuardedMemorySeconds = 30;
// The bucket is steered towards this fill: below it less than the rate is let through, above it
// more. Far from both ends neither the cap nor what it allows is lost.
constexpr double kFillAim = 0.6;
constexpr double kFillPull = 0.5;

double SecondsOf(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Takes what is needed of what a degradation can give; 0..1 of it.
double TakeBack(double& need, double available) {
  if (need <= 0 || available <= 0) {
    return 0;
  }
  const double level = std::min(1.0, need / available);
  need -= level * available;
  return level;
}

}  // namespace

struct TokenBudget::State {
  ComputeBudget budget;
  std::shared_ptr<const Clock> clock;
  bool limited = false;
  std::mutex mutex;
  double level = 0;  // tokens in the bucket
  Duration refilled{};
  double guarded = 0;  // tokens, forgotten exponentially
  Duration guarded_at{};
  Demand first;
  Demand escalations;
  Demand audits;

  double Rate() {
    double rate = std::numeric_limits<double>::infinity();
    if (budget.tokens_per_second) {
      rate = std::min(rate, *budget.tokens_per_second);
    }
    if (budget.share) {
      Forget();
      rate = std::min(rate, *budget.share * guarded / kGuardedMemorySeconds);
    }
    if (budget.money_per_day) {
      const double per_token = budget.price_per_million_tokens / 1e6;
      rate = std::min(rate, *budget.money_per_day / kSecondsADay / per_token);
    }
    return rate;
  }
  void Forget() {
    const Duration now = clock->Now();
    guarded *= std::exp(-SecondsOf(now - guarded_at) / kGuardedMemorySeconds);
    guarded_at = now;
  }
  double Burst() { return Rate() * SecondsOf(budget.burst); }
  void Refill() {
    const Duration now = clock->Now();
    level = std::min(level + Rate() * SecondsOf(now - refilled), Burst());
    refilled = now;
  }
  double Fill() {
    if (!limited) {
      return 1;
    }
    Refill();
    const double burst = Burst();
    return burst > 0 ? level / burst : std::min(level, 0.0);
  }
  Demand& Of(EffortPurpose purpose) {
    return purpose == EffortPurpose::kEscalate ? escalations
           : purpose == EffortPurpose::kAudit  ? audits
                                               : first;
  }
};

TokenBudget::TokenBudget(const ComputeBudget& budget, std::shared_ptr<const Clock> clock)
    : state_(std::make_unique<State>()) {
  CHECK(clock != nullptr);
  CHECK(!budget.money_per_day || budget.price_per_million_tokens > 0);
  state_->budget = budget;
  state_->clock = std::move(clock);
  state_->limited =
      budget.tokens_per_second.has_value() || budget.share.has_value() || budget.money_per_day;
  state_->refilled = state_->clock->Now();
  state_->guarded_at = state_->refilled;
  if (state_->limited) {
    state_->level = state_->Burst();
  }
}

TokenBudget::~TokenBudget() = default;

bool TokenBudget::limited() const {
  return state_->limited;
}

void TokenBudget::Guarded(double tokens) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->limited) {
    state_->Refill();  // at the rate until now
  }
  state_->Forget();
  state_->guarded += tokens;
}

double TokenBudget::Rate() {
  const std::scoped_lock lock(state_->mutex);
  return state_->Rate();
}

double TokenBudget::Fill() {
  const std::scoped_lock lock(state_->mutex);
  return state_->Fill();
}

void TokenBudget::Take(double tokens) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->limited) {
    state_->Refill();
    state_->level -= tokens;
  }
}

void TokenBudget::Want(EffortPurpose purpose, double gain_per_token, double tokens) {
  const std::scoped_lock lock(state_->mutex);
  state_->Of(purpose).Add(gain_per_token, tokens, state_->clock->Now());
}

TokenBudget::Levels TokenBudget::Fit(const GovernorSettings& settings, bool can_defer) {
  const std::scoped_lock lock(state_->mutex);
  Levels levels;
  if (!state_->limited) {
    return levels;
  }
  const Duration now = state_->clock->Now();
  const double first = state_->first.Rate(now);
  const double escalations = state_->escalations.Rate(now);
  const double audits = state_->audits.Rate(now);
  const double fill = state_->Fill();
  const double rate = state_->Rate() * (1 + kFillPull * (fill - kFillAim));
  // A full bucket pays for what comes; the less is left, the more is taken back.
  const double share = std::clamp((1 - fill) / (1 - kFillAim), 0.0, 1.0);
  double need = share * (first + escalations + audits - rate);
  double first_left = first;
  for (const Degradation step : settings.order) {
    switch (step) {
      case Degradation::kEffort:
        levels.effort = TakeBack(need, escalations);
        break;
      case Degradation::kAudit:
        levels.audit = TakeBack(need, audits * (1 - settings.audit_floor));
        break;
      case Degradation::kBand:
        levels.band = TakeBack(need, std::min(first_left, first * settings.band_cut_max)) *
                      settings.band_cut_max;
        first_left -= levels.band * first;
        break;
      case Degradation::kDefer:
        levels.defer = can_defer && first > 0 ? TakeBack(need, first_left) * first_left / first : 0;
        first_left -= levels.defer * first;
        break;
      case Degradation::kShed:
        levels.shed = first > 0 ? TakeBack(need, first_left) * first_left / first : 0;
        first_left -= levels.shed * first;
        break;
    }
  }
  return levels;
}

TokenBudget::Ruling TokenBudget::Rule(const GovernorSettings& settings, const Levels& levels,
                                      EffortPurpose purpose, double gain_per_token) {
  const std::scoped_lock lock(state_->mutex);
  const Duration now = state_->clock->Now();
  Demand& demand = state_->Of(purpose);
  const double rate = demand.Rate(now);
  Ruling ruling;
  if (!state_->limited || rate <= 0) {
    return ruling;
  }
  ruling.standing = std::min(1.0, demand.Below(gain_per_token, now) / rate);
  if (purpose == EffortPurpose::kEscalate) {
    ruling.place = ruling.standing < levels.effort ? Place::kCut : Place::kServed;
    return ruling;
  }
  // From the least gainful up: each step takes its slice, in the order declared.
  double reach = 0;
  for (const Degradation step : settings.order) {
    if (step == Degradation::kBand) {
      reach += levels.band;
      if (ruling.standing < reach) {
        ruling.place = Place::kCut;
        return ruling;
      }
    } else if (step == Degradation::kDefer || step == Degradation::kShed) {
      reach += step == Degradation::kDefer ? levels.defer : levels.shed;
      if (ruling.standing < reach) {
        ruling.place = step == Degradation::kDefer ? Place::kDefer : Place::kShed;
        return ruling;
      }
    }
  }
  return ruling;
}

}  // namespace safeguard::moderation
