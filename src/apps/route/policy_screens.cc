#include "apps/route/policy_screens.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"

namespace safeguard::apps {
namespace {

using moderation::Judge;
using moderation::PreparedPolicy;
using moderation::Verdict;
using Prepared = std::shared_ptr<const PreparedPolicy>;

class ScreenedPolicy final : public PreparedPolicy {
 public:
  ScreenedPolicy(Judge* screen, Prepared own) : judge(screen), prepared(std::move(own)) {}
  [[nodiscard]] const moderation::Policy& policy() const override { return prepared->policy(); }

  Judge* judge;
  Prepared prepared;
};

class Screens final : public Judge {
 public:
  Screens(std::unique_ptr<Judge> other, std::map<std::string, std::shared_ptr<Judge>> own)
      : other_(std::move(other)), own_(std::move(own)) {
    CHECK(other_ != nullptr);
  }

  Result<Prepared> Prepare(const moderation::Policy& policy,
                           std::span<const moderation::GoldenCase> golden) override {
    const auto own = own_.find(policy.id);
    Judge* judge = own == own_.end() ? other_.get() : own->second.get();
    Result<Prepared> prepared = judge->Prepare(policy, golden);
    if (!prepared) {
      return prepared;
    }
    return std::make_shared<ScreenedPolicy>(judge, std::move(*prepared));
  }

  // Each judge sees all contents under all of its policies at once.
  std::vector<Verdict> Decide(std::span<const Prepared> policies,
                              std::span<const moderation::Content> contents) override {
    std::map<Judge*, std::vector<std::size_t>> places;
    for (std::size_t p = 0; p < policies.size(); ++p) {
      const auto* screened = dynamic_cast<const ScreenedPolicy*>(policies[p].get());
      CHECK(screened != nullptr);  // of another judge
      places[screened->judge].push_back(p);
    }
    std::vector<Verdict> verdicts(policies.size() * contents.size());
    for (const auto& [judge, of] : places) {
      std::vector<Prepared> some;
      for (const std::size_t p : of) {
        some.push_back(static_cast<const ScreenedPolicy&>(*policies[p]).prepared);
      }
      std::vector<Verdict> answers = judge->Decide(some, contents);
      if (answers.size() != some.size() * contents.size()) {
        return {};  // whoever asked tells a wrong number of verdicts
      }
      for (std::size_t i = 0; i < answers.size(); ++i) {
        verdicts[i / of.size() * policies.size() + of[i % of.size()]] = std::move(answers[i]);
      }
    }
    return verdicts;
  }

  [[nodiscard]] std::vector<std::pair<std::string, double>> Counters() const override {
    auto counters = other_->Counters();
    for (const auto& [policy, judge] : own_) {
      for (auto& [name, count] : judge->Counters()) {
        counters.emplace_back(policy + "_" + name, count);
      }
    }
    return counters;
  }

 private:
  std::unique_ptr<Judge> other_;
  std::map<std::string, std::shared_ptr<Judge>> own_;
};

}  // namespace

std::unique_ptr<Judge> PolicyScreens(std::unique_ptr<Judge> other,
                                     std::map<std::string, std::shared_ptr<Judge>> own) {
  return std::make_unique<Screens>(std::move(other), std::move(own));
}

}  // namespace safeguard::apps
