// A route as tests have it: a real cascade over two fake judges, whose calls run where they are
// made.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
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

// A clock that judges move.
class TestRouteClock final : public moderation::Clock {
 public:
  [[nodiscard]] moderation::Duration Now() const override {
    return std::chrono::microseconds(now_.load());
  }
  void Advance(moderation::Duration by) { now_.fetch_add(by.count()); }

 private:
  std::atomic<std::int64_t> now_ = 0;
};

// Calls that are made where they are asked for, and are late by that clock.
class CallsInPlace final : public moderation::TimedCalls {
 public:
  explicit CallsInPlace(std::shared_ptr<TestRouteClock> clock) : clock_(std::move(clock)) {}
  End RunWithin(moderation::Duration limit, std::function<void()> work) override {
    const moderation::Duration begin = clock_->Now();
    work();
    return clock_->Now() - begin <= limit ? End::kDone : End::kLate;
  }

 private:
  std::shared_ptr<TestRouteClock> clock_;
};

// As FakeJudge, and its verdicts are the reasoner's; it sees clearly.
class FakeReasoner final : public moderation::Judge {
 public:
  explicit FakeReasoner(std::shared_ptr<TestRouteClock> clock) : clock_(std::move(clock)) {
    judge.sees_clearly.store(true);
  }
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
      clock_->Advance(takes.load());
    }
    return verdicts;
  }
  FakeJudge judge;
  std::atomic<moderation::Duration> takes{moderation::Duration{0}};  // of one verdict

 private:
  std::shared_ptr<TestRouteClock> clock_;
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

// What the screen calls "unclear" its reasoner decides; where that takes longer than the route's
// time, and there is a queue, it is put off.
class TestRoute {
 public:
  TestRoute(moderation::RouteSettings settings, std::vector<std::string> policies,
            const TestRouteParts& parts)
      : screen(std::make_shared<FakeJudge>()), reasoner(std::make_shared<FakeReasoner>(clock)) {
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
        JudgingParts{*cascade, *shelf, parts.log, parts.metrics, parts.now, cascade.get()},
        JudgingOptions());
    served = std::make_unique<ServedRoute>(ServedRoute{settings.name, *judging, *shelf, *cascade,
                                                       std::move(policies), finisher.get(),
                                                       "/routes/" + settings.name + ".yaml"});
  }

  std::shared_ptr<TestRouteClock> clock = std::make_shared<TestRouteClock>();
  std::shared_ptr<FakeJudge> screen;
  std::shared_ptr<FakeReasoner> reasoner;
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
    made.clock = clock;
    made.random = moderation::SeededRandom(1);
    made.calls = std::make_shared<CallsInPlace>(clock);
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
