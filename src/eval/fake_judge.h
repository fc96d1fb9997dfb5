// A judge for tests: learns nothing but which texts it was shown, and answers by a function.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "moderation/judge.h"

namespace safeguard::eval {

inline moderation::Policy FakePolicy() {
  moderation::Policy policy;
  policy.id = "spam";
  policy.name = "Spam policy";
  policy.version = "3";
  policy.hash = std::string(64, 'a');
  return policy;
}

class FakePrepared final : public moderation::PreparedPolicy {
 public:
  FakePrepared(moderation::Policy policy, std::set<std::string> seen)
      : policy_(std::move(policy)), seen_(std::move(seen)) {}
  [[nodiscard]] const moderation::Policy& policy() const override { return policy_; }
  [[nodiscard]] const std::set<std::string>& seen() const { return seen_; }

 private:
  moderation::Policy policy_;
  std::set<std::string> seen_;  // texts of the golden cases
};

class FakeJudge final : public moderation::Judge {
 public:
  using Answer =
      std::function<moderation::Verdict(const FakePrepared&, const moderation::Content&)>;
  explicit FakeJudge(Answer answer) : answer_(std::move(answer)) {}

  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override {
    ++prepared;
    std::set<std::string> seen;
    for (const moderation::GoldenCase& each : golden) {
      seen.insert(each.content.messages.front().text);
    }
    return std::make_shared<FakePrepared>(policy, std::move(seen));
  }

  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override {
    batches.push_back(contents.size());
    std::vector<moderation::Verdict> verdicts;
    for (const moderation::Content& content : contents) {
      for (const auto& policy : policies) {
        verdicts.push_back(answer_(dynamic_cast<const FakePrepared&>(*policy), content));
      }
    }
    verdicts.resize(verdicts.size() - std::min(verdicts.size(), drop));
    return verdicts;
  }

  std::size_t prepared = 0;
  std::size_t drop = 0;  // verdicts left out at the end of each batch
  std::vector<std::size_t> batches;

 private:
  Answer answer_;
};

inline moderation::Verdict FakeVerdict(moderation::Outcome outcome, double score) {
  moderation::Verdict verdict;
  verdict.outcome = outcome;
  verdict.reason = outcome == moderation::Outcome::kUndetermined
                       ? moderation::UndeterminedReason::kUncertain
                       : moderation::UndeterminedReason::kNone;
  verdict.score = score;
  verdict.decided_by = {.layer = "screen", .model = "fake", .model_hash = "f00d"};
  verdict.timings_ms["total"] = 2;
  return verdict;
}

}  // namespace safeguard::eval
