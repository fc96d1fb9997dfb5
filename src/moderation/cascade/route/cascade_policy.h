// A policy made ready for every layer of a cascade.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "moderation/judge.h"
#include "moderation/route.h"

namespace safeguard::moderation::route {

class CascadePolicy final : public PreparedPolicy {
 public:
  CascadePolicy(Policy policy, RoutePolicy settings, std::span<const GoldenCase> golden);

  [[nodiscard]] const Policy& policy() const override { return policy_; }
  [[nodiscard]] const RoutePolicy& settings() const { return settings_; }
  // In which the policy was proven: primary language tags; empty: not stated.
  [[nodiscard]] const std::vector<std::string>& languages() const { return languages_; }

  std::shared_ptr<const PreparedPolicy> screen;
  std::vector<std::shared_ptr<const PreparedPolicy>> reasoners;

  // Short texts that violate the policy: of its golden set and its own examples.
  [[nodiscard]] const std::vector<std::string>& known_violations() const {
    return known_violations_;
  }
  // The one that a reasoner was seen to flag by itself; empty until one was.
  [[nodiscard]] std::optional<std::string> Canary(std::size_t rung) const;
  void KeepCanary(std::size_t rung, std::string text) const;

 private:
  Policy policy_;
  RoutePolicy settings_;
  std::vector<std::string> languages_;
  std::vector<std::string> known_violations_;
  mutable std::mutex mutex_;
  mutable std::map<std::size_t, std::string> canaries_;  // by rung
};

// "pt-BR" is "pt"; lower case.
std::string PrimaryLanguage(const std::string& tag);

}  // namespace safeguard::moderation::route
