#include "moderation/screen_audit.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace safeguard::moderation {
namespace {

constexpr double kZ = 2.2414;  // two-sided 97.5 %

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

// Weighted draws of one side.
struct Draws {
  double weight = 0;
  double squares = 0;
  double violations = 0;  // weight of those
  std::size_t count = 0;
  std::size_t violating = 0;

  void Add(double w, bool violation) {
    weight += w;
    squares += w * w;
    violations += violation ? w : 0;
    ++count;
    violating += violation ? 1 : 0;
  }
  void Add(const Draws& other) {
    weight += other.weight;
    squares += other.squares;
    violations += other.violations;
    count += other.count;
    violating += other.violating;
  }
  [[nodiscard]] double Effective() const { return squares > 0 ? weight * weight / squares : 0; }
  [[nodiscard]] Rate Violating() const {
    return WilsonRate(weight > 0 ? violations / weight : 0, Effective());
  }
};

}  // namespace

struct ScreenAudit::Window {
  Duration from{};
  std::size_t screened = 0;
  std::size_t safe = 0;
  std::size_t violation = 0;
  std::size_t unanswered = 0;
  double open = 0;  // violations expected among the band that nobody judged
  Draws audited_safe;
  Draws audited_violation;
  Draws band;
};

ScreenAudit::ScreenAudit(const AuditSettings& settings, std::shared_ptr<const Clock> clock,
                         std::function<void(const RecallAlarm&)> on_alarm)
    : settings_(settings), clock_(std::move(clock)), on_alarm_(std::move(on_alarm)) {
  CHECK(clock_ != nullptr && settings_.window > Duration{0} && settings_.windows > 0);
}

ScreenAudit::~ScreenAudit() = default;

void ScreenAudit::SetBound(const std::string& policy, std::optional<double> bound) {
  const std::scoped_lock lock(mutex_);
  books_[policy].bound = bound;
}

ScreenAudit::Window& ScreenAudit::Now(Book& book) {
  const std::int64_t number = clock_->Now() / settings_.window;
  const auto oldest = number - static_cast<std::int64_t>(settings_.windows) + 1;
  std::erase_if(book.windows, [&](const auto& item) { return item.first < oldest; });
  Window& window = book.windows[number];
  window.from = number * settings_.window;
  return window;
}

void ScreenAudit::Screened(const std::string& policy, ScreenSide side) {
  const std::scoped_lock lock(mutex_);
  Window& window = Now(books_[policy]);
  ++window.screened;
  window.safe += side == ScreenSide::kSafe ? 1 : 0;
  window.violation += side == ScreenSide::kViolation ? 1 : 0;
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
    Window& window = Now(book);
    if (!violation) {
      ++window.unanswered;
      return;
    }
    Draws& draws = side == ScreenSide::kSafe        ? window.audited_safe
                   : side == ScreenSide::kViolation ? window.audited_violation
                                                    : window.band;
    draws.Add(weight, *violation);
    if (book.bound) {
      const RecallEstimate estimate = Of(Sum(book));
      const bool below = estimate.recall.has_value() && estimate.high < *book.bound;
      if (below && !book.alarmed) {
        alarm = RecallAlarm{policy, *book.bound, estimate};
      }
      book.alarmed = below;
    }
  }
  if (alarm && on_alarm_) {
    on_alarm_(*alarm);
  }
}

RecallEstimate ScreenAudit::Of(const Window& window) const {
  RecallEstimate estimate;
  estimate.from = window.from;
  estimate.until = window.from + settings_.window;
  estimate.screened = window.screened;
  estimate.called_safe = window.safe;
  estimate.called_violation = window.violation;
  estimate.audited_safe = window.audited_safe.count;
  estimate.misses = window.audited_safe.violating;
  estimate.unanswered = window.unanswered;
  estimate.effective_audits = window.audited_safe.Effective();
  if (window.audited_safe.count == 0) {
    return estimate;
  }
  const Rate missed = window.audited_safe.Violating();
  // Flagged content that nobody audited counts as right.
  const Rate precision =
      window.audited_violation.count > 0 ? window.audited_violation.Violating() : Rate{1, 1, 1};
  const auto safe = static_cast<double>(window.safe);
  const auto flagged = static_cast<double>(window.violation);
  const double band = window.band.violations + window.open;
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

ScreenAudit::Window ScreenAudit::Sum(const Book& book) const {
  Window sum;
  bool first = true;
  for (const auto& [number, window] : book.windows) {
    sum.from = first ? window.from : sum.from;
    first = false;
    sum.screened += window.screened;
    sum.safe += window.safe;
    sum.violation += window.violation;
    sum.unanswered += window.unanswered;
    sum.open += window.open;
    sum.audited_safe.Add(window.audited_safe);
    sum.audited_violation.Add(window.audited_violation);
    sum.band.Add(window.band);
  }
  return sum;
}

std::vector<std::string> ScreenAudit::Policies() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> policies;
  for (const auto& [policy, book] : books_) {
    policies.push_back(policy);
  }
  return policies;
}

std::vector<RecallEstimate> ScreenAudit::Windows(const std::string& policy) {
  const std::scoped_lock lock(mutex_);
  std::vector<RecallEstimate> estimates;
  const auto book = books_.find(policy);
  if (book != books_.end()) {
    for (const auto& [number, window] : book->second.windows) {
      estimates.push_back(Of(window));
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
  RecallEstimate estimate = Of(Sum(book->second));
  estimate.until = clock_->Now();
  return estimate;
}

bool ScreenAudit::Alarmed(const std::string& policy) {
  const std::scoped_lock lock(mutex_);
  const auto book = books_.find(policy);
  return book != books_.end() && book->second.alarmed;
}

}  // namespace safeguard::moderation
