#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "moderation/cascade/budget/demand.h"
#include "moderation/governor.h"

namespace safeguard::moderation {
namespace {

using budget::Demand;

constexpr double kSecondsADay = 86'400;
constexpr double kGuardedMemorySeconds = 30;
constexpr Duration kExchangeEvery = std::chrono::milliseconds(2);
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
  std::shared_ptr<SharedBucket> shared;  // may be null
  bool limited = false;
  std::mutex mutex;
  double level = 0;  // tokens in the bucket
  Duration refilled{};
  double owed = 0;  // drawn here and not told to the others yet
  bool agreed = true;
  std::optional<Duration> exchanged;
  SharedBucket::Others others;
  double guarded = 0;  // tokens, forgotten exponentially
  Duration guarded_at{};
  Demand first;
  Demand escalations;
  Demand audits;

  // With others: the least that any of them allows.
  double Rate() {
    const double rate = OwnRate();
    return shared != nullptr && agreed && exchanged ? std::min(rate, others.rate) : rate;
  }
  double OwnRate() {
    double rate = Limit();
    if (budget.share) {
      Forget();
      rate = std::min(rate, *budget.share * (guarded + others.guarded) / kGuardedMemorySeconds);
    }
    return rate;
  }
  // What is stated, whatever is guarded.
  [[nodiscard]] double Limit() const {
    double limit = std::numeric_limits<double>::infinity();
    if (budget.tokens_per_second) {
      limit = std::min(limit, *budget.tokens_per_second);
    }
    if (budget.money_per_day) {
      const double per_token = budget.price_per_million_tokens / 1e6;
      limit = std::min(limit, *budget.money_per_day / kSecondsADay / per_token);
    }
    return limit;
  }
  void Forget() {
    const Duration now = clock->Now();
    guarded *= std::exp(-SecondsOf(now - guarded_at) / kGuardedMemorySeconds);
    guarded_at = now;
  }
  double Burst() { return Rate() * SecondsOf(budget.burst); }
  double Demanded(Duration now) {
    return first.Rate(now) + escalations.Rate(now) + audits.Rate(now);
  }
  // What is drawn is told at once; what others drew is known to within kExchangeEvery.
  void Exchange(double take) {
    owed += take;
    const Duration now = clock->Now();
    if (agreed && owed == 0 && exchanged && now - *exchanged < kExchangeEvery) {
      return;
    }
    exchanged = now;
    Forget();
    const auto seen = shared->Exchange(
        {owed, OwnRate(), Limit(), SecondsOf(budget.burst), Demanded(now), guarded});
    agreed = seen.has_value();
    if (seen) {
      others = *seen;
      level = seen->level;
      owed = 0;
    }
  }
  void Refill() {
    if (shared != nullptr) {
      Exchange(0);
      return;
    }
    const Duration now = clock->Now();
    level = std::min(level + Rate() * SecondsOf(now - refilled), Burst());
    refilled = now;
  }
  double Fill() {
    if (!limited) {
      return 1;
    }
    Refill();
    if (!agreed) {
      return 0;  // the stricter wins: nothing is granted that the others do not know of
    }
    const double burst = Burst();
    return burst > 0 ? level / burst : std::min(level, 0.0);
  }
  Demand& Of(EffortPurpose purpose) {
    return purpose == EffortPurpose::kEscalate ? escalations
           : purpose == EffortPurpose::kAudit  ? audits
                                               : first;
  }
};

TokenBudget::TokenBudget(const ComputeBudget& budget, std::shared_ptr<const Clock> clock,
                         std::shared_ptr<SharedBucket> shared)
    : state_(std::make_unique<State>()) {
  CHECK(clock != nullptr);
  CHECK(!budget.money_per_day || budget.price_per_million_tokens > 0);
  state_->budget = budget;
  state_->clock = std::move(clock);
  state_->shared = std::move(shared);
  state_->limited =
      budget.tokens_per_second.has_value() || budget.share.has_value() || budget.money_per_day;
  state_->refilled = state_->clock->Now();
  state_->guarded_at = state_->refilled;
  if (!state_->limited) {
    state_->shared = nullptr;
  } else if (state_->shared != nullptr) {
    // What the others guard must be known before the bucket's size is.
    const double only_looks = std::numeric_limits<double>::infinity();
    state_->others = state_->shared->Exchange({0, only_looks, state_->Limit(), 0, 0, 0})
                         .value_or(SharedBucket::Others{});
  } else {
    state_->level = state_->Burst();
  }
}

TokenBudget::~TokenBudget() {
  if (state_->shared != nullptr && state_->owed != 0) {
    state_->Exchange(0);  // a last try to tell what is owed
  }
}

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
  if (state_->shared != nullptr) {
    state_->Exchange(tokens);
  } else if (state_->limited) {
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
  // Of several processes each has its part of the rate, by what it asks for.
  const double own = first + escalations + audits;
  const double part = own + state_->others.demand > 0 ? own / (own + state_->others.demand) : 1;
  const double rate = part * state_->Rate() * (1 + kFillPull * (fill - kFillAim));
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
