// Any bytes: the reader fails clearly or gives a policy whose parts are in place, and the lint
// ends.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "moderation/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace safeguard::moderation;  // NOLINT(google-build-using-namespace): one function
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const safeguard::Result<Policy> policy = ReadPolicy(bytes, "fuzz");
  if (!policy) {
    CHECK(!policy.error().message.empty());
    return 0;
  }
  for (const Rule& rule : policy->rules) {
    CHECK(rule.line >= 1);
    CHECK(policy->FindRule(rule.id) != nullptr);
  }
  for (const Finding& finding :
       LintPolicy(*policy, [](std::string_view text) { return text.size(); })) {
    CHECK(!finding.reason.empty() && !finding.mend.empty() && finding.line >= 0);
  }
  return 0;
}
