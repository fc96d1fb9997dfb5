// TamperDetector: content that speaks to whoever judges it. Injections, verdicts and policies made
// up by the content, look-alikes of control tokens. It only points; the cascade then judges such
// content a second time, spotlighted and fenced, and checks the judge with a canary.
#pragma once

#include <string>
#include <vector>

#include "moderation/content.h"
#include "moderation/verdict.h"

namespace safeguard::moderation {

struct TamperFinding {
  bool addresses_judge = false;
  std::vector<std::string>
      signs;  // stable names: "injection", "fake_verdict", "control_token", ...
  std::vector<Evidence> evidence;  // where
};

class TamperDetector {
 public:
  virtual ~TamperDetector() = default;
  // Thread-safe; linear time.
  virtual TamperFinding Inspect(const Content& content) = 0;
};

}  // namespace safeguard::moderation
