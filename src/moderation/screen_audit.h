// ScreenAudit: how good the screen is on live traffic, measured by reasoners on random shares of
// what it decided, and an alarm when it gets worse than declared.
//
// Per policy and window of time the screen's verdicts fall into three strata: called safe, called a
// violation, left undetermined (the band). Audited members carry the inverse of their chance to be
// drawn as weight (Horvitz and Thompson 1952), so that the estimate stays unbiased while the share
// that is audited changes with the load. Recall is that of the screen as first layer: the share of
// violations that it does not call safe, as the reasoner sees violations. Its interval comes from
// score intervals (Wilson 1927) of the miss rate among the safe and of the precision among the
// flagged, on effective sample sizes (Kish 1965), each at 97.5 %, so that the whole holds at 95 %.
//
// With an AuditLedger the sums are those of all processes that share it; an audit that is finished
// later counts in the window in which its content was screened. Without one they are of this object
// alone. What a ledger cannot take now is kept and handed over with the next.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "moderation/audit_ledger.h"
#include "moderation/clock.h"
#include "moderation/route.h"

namespace safeguard::moderation {

struct RecallEstimate {
  Duration from{};  // of the clock
  Duration until{};
  std::size_t screened = 0;
  std::size_t called_safe = 0;
  std::size_t called_violation = 0;
  std::size_t audited_safe = 0;  // with an answer
  std::size_t misses = 0;        // of those, violations
  std::size_t unanswered = 0;    // drawn, but no reasoner decided
  double effective_audits = 0;   // of the safe side
  std::optional<double> recall;  // empty: nothing audited, or no violations seen
  double low = 0;                // 95 %
  double high = 1;
};

struct RecallAlarm {
  std::string policy;
  double bound = 0;
  RecallEstimate estimate;  // trailing
};

class ScreenAudit {
 public:
  // `clock`: of a ledger's windows, so since 1970 UTC where there is one. `on_alarm`: called when
  // the trailing interval comes to lie below the policy's bound, once until it has touched the
  // bound again. From the thread that brought the last audit. May be empty.
  ScreenAudit(const AuditSettings& settings, std::shared_ptr<const Clock> clock,
              std::function<void(const RecallAlarm&)> on_alarm,
              std::shared_ptr<AuditLedger> ledger = nullptr);

  // Hands over to the ledger what it has not got yet.
  ~ScreenAudit();
  ScreenAudit(const ScreenAudit&) = delete;
  ScreenAudit& operator=(const ScreenAudit&) = delete;

  // The least recall that may be; none: no alarm.
  void SetBound(const std::string& policy, std::optional<double> bound);
  // Every verdict of the screen.
  void Screened(const std::string& policy, ScreenSide side);
  // A reasoner's answer. `weight`: 1 / the chance to be asked. No answer: `violation` is empty.
  void Audited(const std::string& policy, ScreenSide side, double weight,
               std::optional<bool> violation);
  // The same for what was screened `waited` ago, by this process or another; `key` makes two of
  // them the same, for work that may be done twice.
  void AuditedLate(const std::string& key, const std::string& policy, ScreenSide side,
                   double weight, std::optional<bool> violation, Duration waited);
  // A case of the band that was not asked: `probability` of a violation.
  void LeftOpen(const std::string& policy, double probability);

  [[nodiscard]] std::vector<std::string> Policies();
  // Newest last; at most settings.windows.
  [[nodiscard]] std::vector<RecallEstimate> Windows(const std::string& policy);
  [[nodiscard]] RecallEstimate Trailing(const std::string& policy);
  [[nodiscard]] bool Alarmed(const std::string& policy);

 private:
  using Tallies = std::map<std::int64_t, AuditTally>;  // by start, microseconds of the clock
  struct Book {
    std::optional<double> bound;
    bool alarmed = false;
    Tallies kept;     // as the ledger said last
    Tallies pending;  // not handed over; without a ledger all there is
  };
  [[nodiscard]] std::int64_t StartOf(Duration moment) const;
  [[nodiscard]] std::int64_t Oldest() const;
  AuditTally& Now(Book& book);
  void Forget(Book& book) const;
  [[nodiscard]] RecallEstimate Of(std::int64_t start, const AuditTally& tally) const;
  [[nodiscard]] Tallies All(const Book& book) const;
  [[nodiscard]] RecallEstimate Sum(const Book& book) const;
  void Sync(bool at_once);
  std::optional<RecallAlarm> Watch(const std::string& policy, Book& book);

  AuditSettings settings_;
  std::shared_ptr<const Clock> clock_;
  std::function<void(const RecallAlarm&)> on_alarm_;
  std::shared_ptr<AuditLedger> ledger_;  // may be null
  std::mutex mutex_;
  std::map<std::string, Book> books_;
  std::vector<LateAudit> late_;  // not handed over
  std::optional<Duration> synced_;
};

}  // namespace safeguard::moderation
