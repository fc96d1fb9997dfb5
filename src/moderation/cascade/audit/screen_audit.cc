#include "moderation/screen_audit.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace safeguard::moderation {
namespace {

constexpr double kZ = 2.2414;  // two-sided 97.5 %
constexpr Duration kSyncEvery = std::chrono::seconds(5);

struct Rate {
  double value = 0;
  double low = 0;
  double high = 1;
};

// Wilson's score interval of a weighted share on an effective sample of `n`.
Rate WilsonRate(double share, double n) {
  if (n <= 0) {
    return {};
  }
  const double z2 = kZ * kZ;
  const double middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  return {share, std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

double EffectiveOf(const AuditDraws& draws) {
  return draws.squares > 0 ? draws.weight * draws.weight / draws.squares : 0;
}

Rate ViolatingOf(const AuditDraws& draws) {
  return WilsonRate(draws.weight > 0 ? draws.violations / draws.weight : 0, EffectiveOf(draws));
}

}  // namespace

ScreenAudit::ScreenAudit(const AuditSettings& settings, std::shared_ptr<const Clock> clock,
                         std::function<void(const RecallAlarm&)> on_alarm,
                         std::shared_ptr<AuditLedger> ledger)
    : settings_(settings),
      clock_(std::move(clock)),
      on_alarm_(std::move(on_alarm)),
      ledger_(std::move(ledger)) {
  CHECK(clock_ != nullptr && settings_.window > Duration{0} && settings_.windows > 0);
}

ScreenAudit::~ScreenAudit() {
  const std::scoped_lock lock(mutex_);
  Sync(true);
}

void ScreenAudit::SetBound(const std::string& policy, std::optional<double> bound) {
  const std::scoped_lock lock(mutex_);
  books_[policy].bound = bound;
}

std::int64_t ScreenAudit::StartOf(Duration moment) const {
  return (moment / settings_.window) * settings_.window.count();
}

std::int64_t ScreenAudit::Oldest() const {
  return StartOf(clock_->Now()) -
         (static_cast<std::int64_t>(settings_.windows) - 1) * settings_.window.count();
}

void ScreenAudit::Forget(Book& book) const {
  const auto old = [oldest = Oldest()](const auto& item) { return item.first < oldest; };
  std::erase_if(book.kept, old);
  if (ledger_ == nullptr) {
    std::erase_if(book.pending, old);
  }
}

AuditTally& ScreenAudit::Now(Book& book) {
  Forget(book);
  return book.pending[StartOf(clock_->Now())];
}

void ScreenAudit::Screened(const std::string& policy, ScreenSide side) {
  const std::scoped_lock lock(mutex_);
  AuditTally& tally = Now(books_[policy]);
  ++tally.screened;
  tally.safe += side == ScreenSide::kSafe ? 1 : 0;
  tally.violation += side == ScreenSide::kViolation ? 1 : 0;
  Sync(false);
}

void ScreenAudit::LeftOpen(const std::string& policy, double probability) {
  const std::scoped_lock lock(mutex_);
  Now(books_[policy]).open += probability;
}

void ScreenAudit::Audited(const std::string& policy, ScreenSide side, double weight,
                          std::optional<bool> violation) {
  CHECK(weight >= 1);
  std::optional<RecallAlarm> alarm;
  {
    const std::scoped_lock lock(mutex_);
    Book& book = books_[policy];
    Now(book).Add(side, weight, violation);
    Sync(false);
    alarm = violation ? Watch(policy, book) : std::nullopt;
  }
  if (alarm && on_alarm_) {
    on_alarm_(*alarm);
  }
}

void ScreenAudit::AuditedLate(const std::string& key, const std::string& policy, ScreenSide side,
                              double weight, std::optional<bool> violation, Duration waited) {
  CHECK(weight >= 1);
  std::optional<RecallAlarm> alarm;
  {
    const std::scoped_lock lock(mutex_);
    Book& book = books_[policy];
    const std::int64_t start =
        StartOf(std::max(Duration{0}, clock_->Now() - std::max(Duration{0}, waited)));
    if (ledger_ != nullptr) {
      late_.push_back({key, policy, start, side, weight, violation});
      Sync(true);
    } else if (start >= Oldest()) {
      book.pending[start].Add(side, weight, violation);
    }
    alarm = violation ? Watch(policy, book) : std::nullopt;
  }
  if (alarm && on_alarm_) {
    on_alarm_(*alarm);
  }
}

// With the lock. A ledger that fails now gets it with the next; until then it counts here.
void ScreenAudit::Sync(bool at_once) {
  const Duration now = clock_->Now();
  if (ledger_ == nullptr || (!at_once && synced_ && now - *synced_ < kSyncEvery)) {
    return;
  }
  if (!at_once && !synced_) {
    synced_ = now;  // the first ones are handed over together
    return;
  }
  synced_ = now;
  std::vector<AuditEntry> entries;
  for (const auto& [policy, book] : books_) {
    for (const auto& [start, tally] : book.pending) {
      entries.push_back({policy, start, tally});
    }
  }
  if (!entries.empty() || !late_.empty()) {
    if (!ledger_->Add(entries, late_)) {
      return;
    }
    late_.clear();
    for (auto& [policy, book] : books_) {
      for (const auto& [start, tally] : book.pending) {
        book.kept[start].Add(tally);  // until it is read back
      }
      book.pending.clear();
    }
  }
  const Result<std::vector<AuditEntry>> sums = ledger_->Read(Oldest());
  if (!sums) {
    return;
  }
  for (auto& [policy, book] : books_) {
    book.kept.clear();
  }
  for (const AuditEntry& entry : *sums) {
    books_[entry.policy].kept[entry.start] = entry.tally;
  }
}

// With the lock, after an answer.
std::optional<RecallAlarm> ScreenAudit::Watch(const std::string& policy, Book& book) {
  if (!book.bound) {
    return std::nullopt;
  }
  const RecallEstimate estimate = Sum(book);
  const bool below = estimate.recall.has_value() && estimate.high < *book.bound;
  const bool changed = below != book.alarmed;
  book.alarmed = below;
  if (ledger_ != nullptr) {
    const Result<bool> first = ledger_->SetAlarmed(policy, below);
    // Twice rather than not at all.
    return below && (first ? *first : changed)
               ? std::optional(RecallAlarm{policy, *book.bound, estimate})
               : std::nullopt;
  }
  return below && changed ? std::optional(RecallAlarm{policy, *book.bound, estimate})
                          : std::nullopt;
}

RecallEstimate ScreenAudit::Of(std::int64_t start, const AuditTally& tally) const {
  RecallEstimate estimate;
  estimate.from = Duration{start};
  estimate.until = estimate.from + settings_.window;
  estimate.screened = tally.screened;
  estimate.called_safe = tally.safe;
  estimate.called_violation = tally.violation;
  estimate.audited_safe = tally.audited_safe.count;
  estimate.misses = tally.audited_safe.violating;
  estimate.unanswered = tally.unanswered;
  estimate.effective_audits = EffectiveOf(tally.audited_safe);
  if (tally.audited_safe.count == 0) {
    return estimate;
  }
  const Rate missed = ViolatingOf(tally.audited_safe);
  // Flagged content that nobody audited counts as right.
  const Rate precision =
      tally.audited_violation.count > 0 ? ViolatingOf(tally.audited_violation) : Rate{1, 1, 1};
  const auto safe = static_cast<double>(tally.safe);
  const auto flagged = static_cast<double>(tally.violation);
  const double band = tally.band.violations + tally.open;
  const auto recall = [&](double miss_rate, double precise) {
    const double caught = band + flagged * precise;
    const double all = caught + safe * miss_rate;
    return all > 0 ? caught / all : 1;
  };
  if (band + flagged * precision.value + safe * missed.value > 0) {
    estimate.recall = recall(missed.value, precision.value);
    estimate.low = recall(missed.high, precision.low);
    estimate.high = recall(missed.low, precision.high);
  }
  return estimate;
}

ScreenAudit::Tallies ScreenAudit::All(const Book& book) const {
  Tallies all = book.kept;
  for (const auto& [start, tally] : book.pending) {
    all[start].Add(tally);
  }
  return all;
}

RecallEstimate ScreenAudit::Sum(const Book& book) const {
  const Tallies all = All(book);
  AuditTally sum;
  for (const auto& [start, tally] : all) {
    sum.Add(tally);
  }
  return Of(all.empty() ? 0 : all.begin()->first, sum);
}

std::vector<std::string> ScreenAudit::Policies() {
  const std::scoped_lock lock(mutex_);
  Sync(true);
  std::vector<std::string> policies;
  for (const auto& [policy, book] : books_) {
    policies.push_back(policy);
  }
  return policies;
}

std::vector<RecallEstimate> ScreenAudit::Windows(const std::string& policy) {
  const std::scoped_lock lock(mutex_);
  Sync(true);
  std::vector<RecallEstimate> estimates;
  const auto book = books_.find(policy);
  if (book != books_.end()) {
    for (const auto& [start, tally] : All(book->second)) {
      estimates.push_back(Of(start, tally));
    }
  }
  return estimates;
}

RecallEstimate ScreenAudit::Trailing(const std::string& policy) {
  const std::scoped_lock lock(mutex_);
  const auto book = books_.find(policy);
  if (book == books_.end()) {
    return {};
  }
  RecallEstimate estimate = Sum(book->second);
  estimate.until = clock_->Now();
  return estimate;
}

bool ScreenAudit::Alarmed(const std::string& policy) {
  const std::scoped_lock lock(mutex_);
  const auto book = books_.find(policy);
  return book != books_.end() && book->second.alarmed;
}

}  // namespace safeguard::moderation
