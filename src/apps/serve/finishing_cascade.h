// The cascade that finishes in a server what its route put off: when the server ends, what has not
// been begun waits for the next start.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "moderation/cascade.h"

namespace safeguard::apps {

// The cascade given must outlive it. Thread-safe.
class FinishingCascade final : public moderation::Cascade {
 public:
  using Policies = std::span<const std::shared_ptr<const moderation::PreparedPolicy>>;

  explicit FinishingCascade(moderation::Cascade& cascade) : cascade_(cascade) {}

  // From now on nothing is begun.
  void Stop() { stopped_.store(true); }

  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override {
    return cascade_.Prepare(policy, golden);
  }
  std::vector<moderation::Verdict> Decide(Policies policies,
                                          std::span<const moderation::Content> contents) override {
    return cascade_.Decide(policies, contents);
  }
  std::vector<moderation::Verdict> DecideWithin(Policies policies,
                                                std::span<const moderation::Content> contents,
                                                moderation::Duration within) override {
    return cascade_.DecideWithin(policies, contents, within);
  }
  moderation::Verdict Finish(const std::shared_ptr<const moderation::PreparedPolicy>& policy,
                             const moderation::DeferredItem& item) override {
    return stopped_.load()
               ? moderation::Undetermined(item.policy, moderation::UndeterminedReason::kOverload,
                                          "the server ends; the next start goes on")
               : cascade_.Finish(policy, item);
  }
  [[nodiscard]] std::vector<std::pair<std::string, double>> Counters() const override {
    return cascade_.Counters();
  }
  [[nodiscard]] moderation::ScreenAudit& audit() override { return cascade_.audit(); }
  [[nodiscard]] moderation::Governor& governor() override { return cascade_.governor(); }
  [[nodiscard]] const moderation::RouteSettings& route() const override { return cascade_.route(); }

 private:
  moderation::Cascade& cascade_;
  std::atomic<bool> stopped_{false};
};

}  // namespace safeguard::apps
