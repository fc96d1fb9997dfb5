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

#include "moderation/clock.h"
#include "moderation/route.h"

namespace safeguard::moderation {

enum class ScreenSide { kSafe, kViolation, kBand };

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
  // `on_alarm`: called when the trailing interval comes to lie below the policy's bound, once until
  // it has touched the bound again. From the thread that brought the last audit. May be empty.
  ScreenAudit(const AuditSettings& settings, std::shared_ptr<const Clock> clock,
              std::function<void(const RecallAlarm&)> on_alarm);

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
  // A case of the band that was not asked: `probability` of a violation.
  void LeftOpen(const std::string& policy, double probability);

  [[nodiscard]] std::vector<std::string> Policies();
  // Newest last; at most settings.windows.
  [[nodiscard]] std::vector<RecallEstimate> Windows(const std::string& policy);
  [[nodiscard]] RecallEstimate Trailing(const std::string& policy);
  [[nodiscard]] bool Alarmed(const std::string& policy);

 private:
  struct Window;
  struct Book {
    std::optional<double> bound;
    bool alarmed = false;
    std::map<std::int64_t, Window> windows;  // by number
  };
  Window& Now(Book& book);
  [[nodiscard]] RecallEstimate Of(const Window& window) const;
  [[nodiscard]] Window Sum(const Book& book) const;

  AuditSettings settings_;
  std::shared_ptr<const Clock> clock_;
  std::function<void(const RecallAlarm&)> on_alarm_;
  std::mutex mutex_;
  std::map<std::string, Book> books_;
};

}  // namespace safeguard::moderation
