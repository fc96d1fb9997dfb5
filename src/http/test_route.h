// A route as tests have it: a real cascade over two fake judges, whose calls run where they are
// made.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "http/served_route.h"
#include "http/test_parts.h"
#include "moderation/cascade.h"
#include "moderation/judgement_job.h"

namespace safeguard::http {

// Calls that never run on: they end before the caller goes on.
class CallsInPlace final : public moderation::TimedCalls {
 public:
  End RunWithin(moderation::Duration limit, std::function<void()> work) override {
    if (limit <= moderation::Duration{0} || late.load()) {
      return End::kLate;
    }
    work();
    return End::kDone;
  }
  std::atomic<bool> late = false;  // nothing is begun, as if it had taken too long
};

class StandingClock final : public moderation::Clock {
 public:
  [[nodiscard]] moderation::Duration Now() const override { return std::chrono::hours(1); }
};

// As FakeJudge, and its verdicts are the reasoner's; it sees clearly.
class FakeReasoner final : public moderation::Judge {
 public:
  FakeReasoner() { judge.sees_clearly.store(true); }
  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override {
    return judge.Prepare(policy, golden);
  }
  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override {
    std::vector<moderation::Verdict> verdicts = judge.Decide(policies, contents);
    for (moderation::Verdict& verdict : verdicts) {
      verdict.decided_by.layer = "reasoner";
    }
    return verdicts;
  }
  FakeJudge judge;
};

// What the test service around it has.
struct TestRouteParts {
  std::span<const ShippedPolicy> shipped;
  moderation::PolicyStore* store = nullptr;
  moderation::VerdictLog* log = nullptr;
  moderation::JobQueue* queue = nullptr;  // null: nothing can be put off
  Metrics& metrics;
  std::function<moderation::TimeMs()> now;
};

// What the screen calls "unclear" its reasoner decides; with `calls->late` nothing does, and where
// there is a queue it is put off.
class TestRoute {
 public:
  TestRoute(moderation::RouteSettings settings, std::vector<std::string> policies,
            const TestRouteParts& parts)
      : screen(std::make_shared<FakeJudge>()),
        reasoner(std::make_shared<FakeReasoner>()),
        calls(std::make_shared<CallsInPlace>()) {
    if (settings.reasoners.empty()) {
      settings.reasoners.push_back({.name = "low"});
    }
    cascade = MakeCascade(settings, PartsOf(parts, settings.name));
    finisher = MakeCascade(
        settings, PartsOf({.shipped = {}, .metrics = parts.metrics, .now = {}}, settings.name));
    const GoldenReader golden = [](std::string_view, const std::string&) {
      return std::vector<moderation::GoldenCase>();
    };
    shelf = std::make_unique<PolicyShelf>(*cascade, parts.shipped, parts.store, golden);
    judging = std::make_unique<Judging>(
        JudgingParts{*cascade, *shelf, parts.log, parts.metrics, parts.now}, JudgingOptions());
    served = std::make_unique<ServedRoute>(ServedRoute{settings.name, *judging, *shelf, *cascade,
                                                       std::move(policies), finisher.get(),
                                                       "/routes/" + settings.name + ".yaml"});
  }

  std::shared_ptr<FakeJudge> screen;
  std::shared_ptr<FakeReasoner> reasoner;
  std::shared_ptr<CallsInPlace> calls;
  std::unique_ptr<moderation::Cascade> cascade;
  std::unique_ptr<moderation::Cascade> finisher;
  std::unique_ptr<PolicyShelf> shelf;
  std::unique_ptr<Judging> judging;
  std::unique_ptr<ServedRoute> served;

 private:
  moderation::CascadeParts PartsOf(const TestRouteParts& parts, const std::string& name) const {
    moderation::CascadeParts made;
    made.screen = screen;
    made.reasoners = {reasoner};
    made.clock = std::make_shared<StandingClock>();
    made.random = moderation::SeededRandom(1);
    made.calls = calls;
    if (parts.queue != nullptr) {
      moderation::QueuedWorkOptions options;
      options.now = parts.now;
      options.route_file = "/routes/" + name + ".yaml";
      made.deferred = moderation::QueuedWork(*parts.queue, std::move(options));
    }
    return made;
  }
};

}  // namespace safeguard::http
