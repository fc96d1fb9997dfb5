// A judge that somebody else owns, where one is wanted to own: several tenants share one model.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "moderation/judge.h"

namespace safeguard::apps {

// A judge given by reference must outlive it.
class SharedJudge final : public moderation::Judge {
 public:
  using Policies = std::span<const std::shared_ptr<const moderation::PreparedPolicy>>;

  explicit SharedJudge(moderation::Judge& judge) : judge_(judge) {}
  // One of its owners.
  explicit SharedJudge(std::shared_ptr<moderation::Judge> judge)
      : owned_(std::move(judge)), judge_(*owned_) {}

  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override {
    return judge_.Prepare(policy, golden);
  }
  Result<std::shared_ptr<const moderation::PreparedPolicy>> PrepareFor(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden,
      const std::string& owner) override {
    return judge_.PrepareFor(policy, golden, owner);
  }
  std::vector<moderation::Verdict> Decide(Policies policies,
                                          std::span<const moderation::Content> contents) override {
    return judge_.Decide(policies, contents);
  }
  std::vector<moderation::Verdict> DecideUntil(Policies policies,
                                               std::span<const moderation::Content> contents,
                                               const moderation::StopSignal& stop) override {
    return judge_.DecideUntil(policies, contents, stop);
  }
  std::vector<moderation::Verdict> DecideInPassing(Policies policies,
                                                   std::span<const moderation::Content> contents,
                                                   const moderation::StopSignal& stop) override {
    return judge_.DecideInPassing(policies, contents, stop);
  }
  std::vector<moderation::Verdict> DecideSample(Policies policies,
                                                std::span<const moderation::Content> contents,
                                                std::uint64_t sample) override {
    return judge_.DecideSample(policies, contents, sample);
  }
  std::vector<moderation::Verdict> DecideAloud(Policies policies,
                                               const moderation::Content& content,
                                               const moderation::Onlooker& onlooker) override {
    return judge_.DecideAloud(policies, content, onlooker);
  }
  [[nodiscard]] std::vector<std::pair<std::string, double>> Counters() const override {
    return judge_.Counters();
  }

 private:
  std::shared_ptr<moderation::Judge> owned_;  // null: somebody else's
  moderation::Judge& judge_;
};

}  // namespace safeguard::apps
