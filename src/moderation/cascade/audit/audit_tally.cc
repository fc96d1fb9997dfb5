#include "moderation/audit_ledger.h"

namespace safeguard::moderation {

void AuditDraws::Add(double w, bool violation) {
  weight += w;
  squares += w * w;
  violations += violation ? w : 0;
  ++count;
  violating += violation ? 1 : 0;
}

void AuditDraws::Add(const AuditDraws& other) {
  weight += other.weight;
  squares += other.squares;
  violations += other.violations;
  count += other.count;
  violating += other.violating;
}

void AuditTally::Add(const AuditTally& other) {
  screened += other.screened;
  safe += other.safe;
  violation += other.violation;
  unanswered += other.unanswered;
  open += other.open;
  audited_safe.Add(other.audited_safe);
  audited_violation.Add(other.audited_violation);
  band.Add(other.band);
}

void AuditTally::Add(ScreenSide side, double w, std::optional<bool> answer) {
  if (!answer) {
    ++unanswered;
    return;
  }
  AuditDraws& draws = side == ScreenSide::kSafe        ? audited_safe
                      : side == ScreenSide::kViolation ? audited_violation
                                                       : band;
  draws.Add(w, *answer);
}

}  // namespace safeguard::moderation
