// Judge: anything that turns policies and contents into verdicts. Implemented in judges/ on top of
// something that can judge, and by fakes in tests.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "moderation/content.h"
#include "moderation/golden.h"
#include "moderation/policy.h"
#include "moderation/verdict.h"

namespace safeguard::moderation {

// A policy made ready for one judge: whatever it computes once per policy. Immutable, shareable
// between threads, and valid only with the judge that prepared it.
class PreparedPolicy {
 public:
  virtual ~PreparedPolicy() = default;
  [[nodiscard]] virtual const Policy& policy() const = 0;
};

class Judge {
 public:
  virtual ~Judge() = default;

  // Reads the policy once. `golden` are labelled cases that the judge may learn from (empty is
  // fine). Fails when the policy cannot be used at all; a policy without rules prepares, and every
  // verdict under it is undetermined.
  virtual Result<std::shared_ptr<const PreparedPolicy>> Prepare(
      const Policy& policy, std::span<const GoldenCase> golden) = 0;

  // One verdict for each (content, policy), content-major: verdicts[c * policies.size() + p].
  // Never fails as a whole: what cannot be judged is an undetermined verdict. Thread-safe.
  virtual std::vector<Verdict> Decide(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies,
      std::span<const Content> contents) = 0;

  // Decide as another draw: where the judge samples, `sample` above 0 gives it other random
  // numbers. A judge that does not sample answers as Decide does.
  virtual std::vector<Verdict> DecideSample(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies,
      std::span<const Content> contents, std::uint64_t /*sample*/) {
    return Decide(policies, contents);
  }

  // What the judge counts, since its start, by name: for reports. Thread-safe.
  [[nodiscard]] virtual std::vector<std::pair<std::string, double>> Counters() const { return {}; }
};

}  // namespace safeguard::moderation
