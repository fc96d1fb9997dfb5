#include "moderation/cascade/route/cascade_policy.h"

#include <algorithm>

namespace safeguard::moderation::route {
namespace {

constexpr std::size_t kCanaryBytesMax = 1000;
constexpr std::size_t kCanariesMax = 4;

}  // namespace

std::string PrimaryLanguage(const std::string& tag) {
  std::string primary = tag.substr(0, tag.find_first_of("-_"));
  for (char& c : primary) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return primary;
}

CascadePolicy::CascadePolicy(Policy policy, RoutePolicy settings,
                             std::span<const GoldenCase> golden)
    : policy_(std::move(policy)), settings_(std::move(settings)) {
  for (const std::string& tag :
       settings_.languages.empty() ? policy_.languages : settings_.languages) {
    languages_.push_back(PrimaryLanguage(tag));
  }
  const auto keep = [this](const std::string& text) {
    if (known_violations_.size() < kCanariesMax && !text.empty() &&
        text.size() <= kCanaryBytesMax) {
      known_violations_.push_back(text);
    }
  };
  for (const Example& example : policy_.examples) {
    if (example.side == Side::kViolating) {
      keep(example.text);
    }
  }
  for (const GoldenCase& each : golden) {
    if (each.expected == Outcome::kViolation && each.content.messages.size() == 1) {
      keep(each.content.messages.front().text);
    }
  }
}

std::optional<std::string> CascadePolicy::Canary(std::size_t rung) const {
  const std::scoped_lock lock(mutex_);
  const auto found = canaries_.find(rung);
  return found == canaries_.end() ? std::nullopt : std::optional(found->second);
}

void CascadePolicy::KeepCanary(std::size_t rung, std::string text) const {
  const std::scoped_lock lock(mutex_);
  canaries_[rung] = std::move(text);
}

}  // namespace safeguard::moderation::route
