#include "moderation/follow_up.h"

#include "moderation/list_layer.h"

namespace safeguard::moderation {

const char* ToString(DeferReason reason) {
  switch (reason) {
    case DeferReason::kBudget:
      return "budget";
    case DeferReason::kLatency:
      return "latency";
    case DeferReason::kAudit:
      return "audit";
    case DeferReason::kAsked:
      return "asked";
  }
  return "budget";
}

const char* ToString(ListEffect effect) {
  switch (effect) {
    case ListEffect::kViolation:
      return "violation";
    case ListEffect::kSafe:
      return "safe";
    case ListEffect::kSuspect:
      return "suspect";
  }
  return "suspect";
}

}  // namespace safeguard::moderation
