#include "moderation/cascade.h"

#include "moderation/cascade/route/request.h"

namespace safeguard::moderation {
namespace route {

namespace {

class RouteCascade final : public Cascade {
 public:
  RouteCascade(RouteSettings settings, CascadeParts parts)
      : core_(std::move(settings), std::move(parts)) {}

  Result<std::shared_ptr<const PreparedPolicy>> Prepare(
      const Policy& policy, std::span<const GoldenCase> golden) override {
    auto prepared =
        std::make_shared<CascadePolicy>(policy, PolicySettings(core_.route, policy.id), golden);
    Result<std::shared_ptr<const PreparedPolicy>> screen =
        core_.parts.screen->Prepare(policy, golden);
    if (!screen) {
      return std::unexpected(screen.error());
    }
    prepared->screen = std::move(*screen);
    for (const std::shared_ptr<Judge>& reasoner : core_.parts.reasoners) {
      Result<std::shared_ptr<const PreparedPolicy>> one = reasoner->Prepare(policy, golden);
      if (!one) {
        return std::unexpected(one.error());
      }
      prepared->reasoners.push_back(std::move(*one));
    }
    core_.audit.SetBound(policy.id, prepared->settings().recall_bound);
    return prepared;
  }

  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override {
    return Request(core_, policies, contents).Run();
  }

  std::vector<Verdict> DecideInPassing(
      std::span<const std::shared_ptr<const PreparedPolicy>> policies,
      std::span<const Content> contents, const StopSignal&) override {
    return Request(core_, policies, contents).RunInPassing();
  }

  std::vector<Verdict> DecideWithin(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                                    std::span<const Content> contents, Duration within) override {
    return Request(core_, policies, contents, within).Run();
  }

  Verdict Finish(const std::shared_ptr<const PreparedPolicy>& policy,
                 const DeferredItem& item) override {
    return Request(core_, std::span(&policy, 1), std::span(&item.content, 1)).RunDeferred(item);
  }

  [[nodiscard]] std::vector<std::pair<std::string, double>> Counters() const override;

  [[nodiscard]] ScreenAudit& audit() override { return core_.audit; }
  [[nodiscard]] Governor& governor() override { return *core_.governor; }
  [[nodiscard]] const RouteSettings& route() const override { return core_.route; }

 private:
  mutable Core core_;
};

std::vector<std::pair<std::string, double>> RouteCascade::Counters() const {
  std::vector<std::pair<std::string, double>> counters;
  {
    const std::scoped_lock lock(core_.mutex);
    counters.assign(core_.counts.begin(), core_.counts.end());
  }
  for (auto& [name, count] : core_.governor->Counters()) {
    counters.emplace_back("governor_" + name, count);
  }
  for (const std::string& policy : core_.audit.Policies()) {
    const RecallEstimate estimate = core_.audit.Trailing(policy);
    if (estimate.recall) {
      counters.emplace_back("screen_recall_" + policy, *estimate.recall);
      counters.emplace_back("screen_recall_low_" + policy, estimate.low);
      counters.emplace_back("screen_recall_high_" + policy, estimate.high);
      counters.emplace_back("screen_recall_alarm_" + policy, core_.audit.Alarmed(policy) ? 1 : 0);
    }
  }
  const auto add = [&](const std::string& prefix, const Judge& judge) {
    for (auto& [name, count] : judge.Counters()) {
      counters.emplace_back(prefix + name, count);
    }
  };
  add("screen_", *core_.parts.screen);
  for (std::size_t r = 0; r < core_.parts.reasoners.size(); ++r) {
    add(core_.route.reasoners[r].name + "_", *core_.parts.reasoners[r]);
  }
  return counters;
}

}  // namespace
}  // namespace route

std::unique_ptr<Cascade> MakeCascade(RouteSettings route, CascadeParts parts) {
  return std::make_unique<route::RouteCascade>(std::move(route), std::move(parts));
}

}  // namespace safeguard::moderation
