// A labelled case of a policy's golden set: content, and what the policy's author says of it.
#pragma once

#include <string>
#include <vector>

#include "moderation/content.h"
#include "moderation/verdict.h"

namespace safeguard::moderation {

struct GoldenCase {
  Content content;
  Outcome expected = Outcome::kSafe;  // kViolation or kSafe
  std::vector<std::string> rule_ids;  // the rules that apply, where the author names them
  std::string label;                  // the raw label, e.g. "SP2"; may be empty
  std::vector<std::string> tags;      // "adversarial", "boundary", ...
};

}  // namespace safeguard::moderation
