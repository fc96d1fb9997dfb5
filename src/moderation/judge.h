// Judge: anything that turns policies and contents into verdicts. Implemented in judges/ on top of
// something that can judge, and by fakes in tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
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

// Who looks on while a judge thinks about one content.
struct Onlooker {
  static constexpr std::size_t kEveryPolicy = static_cast<std::size_t>(-1);

  // Whole characters of the reasoning under policies[policy], as they come, in order; kEveryPolicy
  // where one reasoning is about all of them. Called on a thread of the judge, before Decide's own
  // answer: must not block and not call the judge. Together they are Verdict::reasoning.
  std::function<void(std::size_t policy, std::string_view text)> on_reasoning{};
  // Nobody waits any more: what is not decided yet is undetermined, soon.
  std::stop_token stop{};
};

// Whether there is no more time, or nobody who wants to know. Asked often, from any thread.
using StopSignal = std::function<bool()>;

class Judge {
 public:
  virtual ~Judge() = default;

  // Reads the policy once. `golden` are labelled cases that the judge may learn from (empty is
  // fine). Fails when the policy cannot be used at all; a policy without rules prepares, and every
  // verdict under it is undetermined.
  virtual Result<std::shared_ptr<const PreparedPolicy>> Prepare(
      const Policy& policy, std::span<const GoldenCase> golden) = 0;

  // Prepare, for a policy that only `owner` may use: nothing that the judge keeps of it serves, or
  // by being there tells anything to, another owner's. Empty: it is everybody's.
  virtual Result<std::shared_ptr<const PreparedPolicy>> PrepareFor(
      const Policy& policy, std::span<const GoldenCase> golden, const std::string& /*owner*/) {
    return Prepare(policy, golden);
  }

  // One verdict for each (content, policy), content-major: verdicts[c * policies.size() + p].
  // Never fails as a whole: what cannot be judged is an undetermined verdict. Thread-safe.
  virtual std::vector<Verdict> Decide(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies,
      std::span<const Content> contents) = 0;

  // Decide, until `stop` says so: what is not decided then is undetermined (kTimeout). Asked
  // between the steps of one content too, so that a long one cannot hold a judge. A judge that
  // cannot stop answers as Decide does.
  virtual std::vector<Verdict> DecideUntil(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies,
      std::span<const Content> contents, const StopSignal& /*stop*/) {
    return Decide(policies, contents);
  }

  // DecideUntil, of something in passing: a window of a stream, which is judged again as part of a
  // whole. A judge that does more about a content than judge it (puts it off, audits itself with
  // it, files it for people) does none of that here.
  virtual std::vector<Verdict> DecideInPassing(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies,
      std::span<const Content> contents, const StopSignal& stop) {
    return DecideUntil(policies, contents, stop);
  }

  // Decide as another draw: where the judge samples, `sample` above 0 gives it other random
  // numbers. A judge that does not sample answers as Decide does.
  virtual std::vector<Verdict> DecideSample(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies,
      std::span<const Content> contents, std::uint64_t /*sample*/) {
    return Decide(policies, contents);
  }

  // Decide of one content while somebody looks on. A judge that does not think answers as Decide
  // does.
  virtual std::vector<Verdict> DecideAloud(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies, const Content& content,
      const Onlooker& /*onlooker*/) {
    return Decide(policies, std::span(&content, 1));
  }

  // What the judge counts, since its start, by name: for reports. Thread-safe.
  [[nodiscard]] virtual std::vector<std::pair<std::string, double>> Counters() const { return {}; }
};

}  // namespace safeguard::moderation
