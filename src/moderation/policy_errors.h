// The errors among a policy's findings: with one, a version does not come to answer unless somebody
// insists.
#pragma once

#include <string>
#include <vector>

#include "moderation/policy.h"

namespace safeguard::moderation {

// In order, as LintPolicy() gives them.
std::vector<Finding> ErrorsOf(std::vector<Finding> findings);
// "the policy has 2 errors: line 3: ...; line 9: ...": the first of them. REQUIRES: there is one.
std::string ErrorsText(const std::vector<Finding>& errors);

}  // namespace safeguard::moderation
