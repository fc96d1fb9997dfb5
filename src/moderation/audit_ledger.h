// AuditLedger: where the audits of a route's screen add up over processes and restarts. One process
// screens and counts, another finishes later what was drawn, a third looks: all see the same sums.
// Implemented on a store; the domain keeps them in memory without one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace safeguard::moderation {

enum class ScreenSide { kSafe, kViolation, kBand };

// Weighted draws of one side.
struct AuditDraws {
  double weight = 0;
  double squares = 0;     // of the weights
  double violations = 0;  // weight of those
  std::size_t count = 0;
  std::size_t violating = 0;

  void Add(double w, bool violation);
  void Add(const AuditDraws& other);
};

// What was seen of one policy in one window of time.
struct AuditTally {
  std::size_t screened = 0;
  std::size_t safe = 0;
  std::size_t violation = 0;
  std::size_t unanswered = 0;
  double open = 0;  // violations expected among the band that nobody judged
  AuditDraws audited_safe;
  AuditDraws audited_violation;
  AuditDraws band;

  void Add(const AuditTally& other);
  // One audit with its answer; `violation` empty: without.
  void Add(ScreenSide side, double w, std::optional<bool> answer);
};

struct AuditEntry {
  std::string policy;
  std::int64_t start = 0;  // of the window: microseconds since 1970 UTC
  AuditTally tally;
};

// An audit that was finished later than its content was screened.
struct LateAudit {
  std::string key;  // what makes two of them the same
  std::string policy;
  std::int64_t start = 0;  // of the window in which it was screened
  ScreenSide side = ScreenSide::kSafe;
  double weight = 1;
  std::optional<bool> violation;  // empty: nobody decided
};

// Of one route. Thread-safe, and any number of processes may share one.
class AuditLedger {
 public:
  virtual ~AuditLedger() = default;
  // All of it or nothing. A late audit whose key is there already counts once: an answer takes the
  // place of none, the first answer stays.
  virtual Status Add(std::span<const AuditEntry> entries, std::span<const LateAudit> late) = 0;
  // The sums of every window that starts at `oldest` or later, late audits included, by policy and
  // start.
  virtual Result<std::vector<AuditEntry>> Read(std::int64_t oldest) = 0;
  // Whether this changed it: of several processes that see a fall, one raises the alarm.
  virtual Result<bool> SetAlarmed(const std::string& policy, bool alarmed) = 0;
};

}  // namespace safeguard::moderation
