#include "moderation/governor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "moderation/cascade/budget/latency.h"

namespace safeguard::moderation {
namespace {

constexpr Duration kLevelsEvery = std::chrono::milliseconds(100);
// A request of the least gain needs this much of the bucket; one of the most needs none.
constexpr double kReserve = 0.4;
constexpr double kFillForDeferred = 0.7;  // above where a governor under load keeps it
constexpr double kCostMemory = 0.02;
constexpr double kCostsLeast = 20;  // settled verdicts before a cost counts as measured

double SecondsOf(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

using Levels = TokenBudget::Levels;
using Place = TokenBudget::Place;
using Answer = EffortGrant::Answer;

Levels Tightest(const Levels& a, const Levels& b) {
  return {std::max(a.effort, b.effort), std::max(a.audit, b.audit), std::max(a.band, b.band),
          std::max(a.defer, b.defer), std::max(a.shed, b.shed)};
}

Answer AnswerOf(Place place) {
  switch (place) {
    case Place::kServed:
      return Answer::kGranted;
    case Place::kCut:
      return Answer::kCut;
    case Place::kDefer:
      return Answer::kDefer;
    case Place::kShed:
      return Answer::kShed;
  }
  return Answer::kShed;
}

struct RungRecord {
  double cost = 0;
  double settled = 0;
  budget::Latencies latencies;
};

}  // namespace

double ExpectedGain(const EffortRequest& request) {
  const double p = std::clamp(request.probability, 0.0, 1.0);
  // Without asking: a violation passes unless flagged, a safe one is stopped when flagged.
  const double weight = request.flagged_without ? request.false_alarm * (1 - p) : p;
  return request.severity * weight * request.recall;
}

struct Governor::State {
  GovernorSettings settings;
  std::shared_ptr<TokenBudget> own;
  std::shared_ptr<TokenBudget> overall;
  std::shared_ptr<const Clock> clock;
  bool deferral = false;

  std::size_t backlog = 0;  // as last told
  std::mutex mutex;
  std::vector<Levels> levels;  // of own and overall
  Duration levels_at{-1};
  std::vector<RungRecord> rungs;
  std::map<std::string, double> counts;

  [[nodiscard]] std::vector<TokenBudget*> Budgets() const {
    std::vector<TokenBudget*> budgets{own.get()};
    if (overall != nullptr) {
      budgets.push_back(overall.get());
    }
    return budgets;
  }
  RungRecord& Rung(std::size_t rung) {
    if (rungs.size() <= rung) {
      rungs.resize(rung + 1);
    }
    return rungs[rung];
  }
  // Time weighted, for the counters: seconds at each level.
  void Refresh() {
    const Duration now = clock->Now();
    if (levels_at >= Duration{0} && now - levels_at < kLevelsEvery) {
      return;
    }
    if (levels_at >= Duration{0}) {
      const Levels last = Level();
      const double passed = SecondsOf(now - levels_at);
      counts["seconds_degraded"] +=
          last.effort + last.audit + last.band + last.defer + last.shed > 0 ? passed : 0;
    }
    levels_at = now;
    levels.clear();
    const bool can_defer = deferral && backlog < settings.backlog_max;
    for (TokenBudget* budget : Budgets()) {
      levels.push_back(budget->Fit(settings, can_defer));
    }
  }
  [[nodiscard]] Levels Level() const {
    Levels level;
    for (const Levels& each : levels) {
      level = Tightest(level, each);
    }
    return level;
  }
  Answer Judge(const EffortRequest& request, double gain_per_token);
};

Answer Governor::State::Judge(const EffortRequest& request, double gain_per_token) {
  const bool can_defer = deferral && backlog < settings.backlog_max;
  Answer worst = Answer::kGranted;
  const std::vector<TokenBudget*> budgets = Budgets();
  for (std::size_t b = 0; b < budgets.size() && worst == Answer::kGranted; ++b) {
    TokenBudget& budget = *budgets[b];
    if (!budget.limited()) {
      continue;
    }
    if (request.purpose == EffortPurpose::kDeferred) {
      worst = budget.Fill() >= kFillForDeferred ? Answer::kGranted : Answer::kShed;
      continue;
    }
    const TokenBudget::Ruling ruling =
        budget.Rule(settings, levels[b], request.purpose, gain_per_token);
    worst = AnswerOf(ruling.place);
    const double needed = kReserve * (1 - ruling.standing);
    const double fill = budget.Fill();
    if (worst == Answer::kGranted && (fill <= 0 || fill < needed)) {
      worst = request.purpose == EffortPurpose::kEscalate ? Answer::kCut
              : can_defer                                 ? Answer::kDefer
                                                          : Answer::kShed;
    }
  }
  return worst;
}

Governor::Governor(const GovernorSettings& settings, std::shared_ptr<TokenBudget> overall,
                   std::shared_ptr<const Clock> clock, bool deferral,
                   std::shared_ptr<SharedBucket> shared)
    : state_(std::make_unique<State>()) {
  CHECK(clock != nullptr);
  state_->settings = settings;
  state_->own = std::make_shared<TokenBudget>(settings.budget, clock, std::move(shared));
  state_->overall = std::move(overall);
  state_->clock = std::move(clock);
  state_->deferral = deferral;
}

Governor::~Governor() = default;

EffortGrant Governor::Ask(const EffortRequest& request, std::size_t backlog) {
  CHECK(request.cost > 0);
  const std::scoped_lock lock(state_->mutex);
  EffortGrant grant;
  grant.gain = ExpectedGain(request);
  const double gain_per_token = grant.gain / request.cost;
  const bool counts_as_demand =
      request.purpose == EffortPurpose::kDecide || request.purpose == EffortPurpose::kEscalate;
  for (TokenBudget* budget : state_->Budgets()) {
    if (counts_as_demand) {
      budget->Want(request.purpose, gain_per_token, request.cost);
    }
  }
  state_->backlog = backlog;
  state_->Refresh();
  // Audits were drawn by a chance that is on record; refusing some would make it a lie.
  grant.answer = request.purpose == EffortPurpose::kAudit ? Answer::kGranted
                                                          : state_->Judge(request, gain_per_token);
  static constexpr const char* kNames[] = {"granted", "cut", "deferred", "shed"};
  static constexpr const char* kPurposes[] = {"decide", "escalate", "audit", "deferred"};
  state_->counts[std::string(kPurposes[static_cast<int>(request.purpose)]) + "_" +
                 kNames[static_cast<int>(grant.answer)]] += 1;
  if (grant.answer == Answer::kGranted) {
    grant.reserved = request.cost;
    for (TokenBudget* budget : state_->Budgets()) {
      budget->Take(grant.reserved);
    }
  }
  return grant;
}

void Governor::Settle(const EffortGrant& grant, std::size_t rung, double tokens, Duration latency) {
  CHECK(grant.answer == Answer::kGranted && tokens >= 0);
  const std::scoped_lock lock(state_->mutex);
  for (TokenBudget* budget : state_->Budgets()) {
    budget->Take(tokens - grant.reserved);
  }
  state_->counts["spent_tokens"] += tokens;
  if (latency >= Duration{0}) {
    state_->Rung(rung).latencies.Add(latency, state_->clock->Now());
  }
}

void Governor::Measured(std::size_t rung, double tokens) {
  const std::scoped_lock lock(state_->mutex);
  RungRecord& record = state_->Rung(rung);
  record.settled += 1;
  record.cost += (tokens - record.cost) * std::max(1 / record.settled, kCostMemory);
}

double Governor::AuditScale() {
  const std::scoped_lock lock(state_->mutex);
  state_->Refresh();
  return 1 - state_->Level().audit * (1 - state_->settings.audit_floor);
}

void Governor::ExpectAudits(double tokens) {
  for (TokenBudget* budget : state_->Budgets()) {
    budget->Want(EffortPurpose::kAudit, 0, tokens);
  }
}

bool Governor::InTime(std::size_t rung, Duration left) {
  const std::scoped_lock lock(state_->mutex);
  return state_->Rung(rung).latencies.InTime(left, state_->clock->Now());
}

double Governor::CostOf(std::size_t rung, double expected) {
  const std::scoped_lock lock(state_->mutex);
  const RungRecord& record = state_->Rung(rung);
  return record.settled >= kCostsLeast ? std::max(record.cost, 1.0) : expected;
}

void Governor::Guarded(double tokens) {
  for (TokenBudget* budget : state_->Budgets()) {
    budget->Guarded(tokens);
  }
}

std::vector<std::pair<std::string, double>> Governor::Counters() {
  const std::scoped_lock lock(state_->mutex);
  std::vector<std::pair<std::string, double>> counters(state_->counts.begin(),
                                                       state_->counts.end());
  const Levels level = state_->Level();
  counters.emplace_back("level_effort", level.effort);
  counters.emplace_back("level_audit", level.audit);
  counters.emplace_back("level_band", level.band);
  counters.emplace_back("level_defer", level.defer);
  counters.emplace_back("level_shed", level.shed);
  if (state_->own->limited()) {
    counters.emplace_back("budget_tokens_per_second", state_->own->Rate());
    counters.emplace_back("budget_fill", state_->own->Fill());
  }
  return counters;
}

}  // namespace safeguard::moderation
