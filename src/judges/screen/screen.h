// Screen: scores texts under prepared policies. The embedding screen (embedding_screen.h) needs no
// training; a policy-conditioned cross-encoder can take its place here without touching callers.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "moderation/golden.h"
#include "moderation/judge.h"
#include "moderation/policy.h"

namespace safeguard::judges {

// A policy made ready for one Screen. Immutable, shareable between threads.
class ScreenPolicy {
 public:
  virtual ~ScreenPolicy() = default;
  [[nodiscard]] virtual const moderation::Policy& policy() const = 0;
};

struct ScreenScore {
  // Whether the text held anything to score. Never read the rest, and never call it safe, when not.
  bool read = false;
  double probability = 0;  // of a violation, calibrated as well as the policy allows, 0..1
  // The rules, by index into Policy::rules, that stand nearest to what gave the probability; absent
  // where the policy has none on that side.
  std::optional<std::size_t> violating_rule;
  std::optional<std::size_t> safe_rule;
  // The piece of the text that weighs most: half-open byte range.
  std::size_t begin = 0;
  std::size_t end = 0;
};

class Screen {
 public:
  virtual ~Screen() = default;

  // Reads the policy, and learns from its labelled examples and `golden` where there are any.
  // Deterministic: the same policy, cases and model give the same scores.
  virtual Result<std::shared_ptr<const ScreenPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) = 0;

  // scores[t * policies.size() + p]. Every byte of every text is read, however long. A text's score
  // does not depend on the others. Nothing at all once `stop` says so, which is asked every
  // fraction of a second. Thread-safe. REQUIRES: policies prepared by this screen; valid UTF-8.
  virtual std::vector<ScreenScore> Score(std::span<const ScreenPolicy* const> policies,
                                         std::span<const std::string_view> texts,
                                         const moderation::StopSignal& stop) = 0;

  [[nodiscard]] virtual std::string model_name() const = 0;
  [[nodiscard]] virtual std::string model_hash() const = 0;  // SHA-256 of the weights
  // The threads that Score works with, for a caller's own work between calls.
  [[nodiscard]] virtual ThreadPool& pool() = 0;
  // How it judges, for rationales: "by similarity of meaning".
  [[nodiscard]] virtual std::string method() const = 0;
};

}  // namespace safeguard::judges
