// TamperDetector: content that speaks to whoever judges it. Injections, verdicts and policies made
// up by the content, look-alikes of control tokens. It only points; the cascade then judges such
// content a second time, spotlighted and fenced, and checks the judge with a canary.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/content.h"
#include "moderation/verdict.h"

namespace safeguard::moderation {

struct TamperFinding {
  bool addresses_judge = false;
  // Stable names, the weightiest first: "override", "new_instructions", "role_change",
  // "verdict_demand", "fake_verdict", "fake_policy", "control_token", "fake_turn", "prompt_probe",
  // "output_command", "model_address", "wording", "too_long_to_inspect" (docs/lists.md says what
  // each is).
  std::vector<std::string> signs;
  std::vector<Evidence> evidence;  // where: at most 8 places, in order of the signs
  double strength = 0;             // 0..1; addresses_judge from kTamperStrength on
};

inline constexpr double kTamperStrength = 0.6;

class TamperDetector {
 public:
  virtual ~TamperDetector() = default;
  // Thread-safe; linear time.
  virtual TamperFinding Inspect(const Content& content) = 0;
};

// Fixed patterns of 16 languages over every canonical view, of the shapes of prompts, and a learned
// sense of how injections are worded. Messages
// of more than 16 MiB are not read: they count as addressing the judge. Fails on a processor
// without SSE4.2 (kUnavailable).
Result<std::unique_ptr<TamperDetector>> MakeTamperDetector();

}  // namespace safeguard::moderation
