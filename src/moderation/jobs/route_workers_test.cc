// What routes put off: finished by the route's cascade, or kept for whoever has it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "moderation/jobs/test_workers.h"

namespace safeguard::moderation {
namespace {

using ::testing::HasSubstr;

// A route that answers what it is told to, and says what it was asked to finish.
class FakeCascade final : public Cascade {
 public:
  Result<std::shared_ptr<const PreparedPolicy>> Prepare(const Policy& policy,
                                                        std::span<const GoldenCase>) override {
    return std::make_shared<FakePrepared>(policy);
  }
  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>>,
                              std::span<const Content>) override {
    ADD_FAILURE() << "what was put off is finished, not begun again";
    return {};
  }
  std::vector<Verdict> DecideWithin(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                                    std::span<const Content> contents, Duration) override {
    return Decide(policies, contents);
  }
  Verdict Finish(const std::shared_ptr<const PreparedPolicy>&, const DeferredItem& item) override {
    asked.push_back(item);
    if (answers.empty()) {
      return Undetermined(item.policy, UndeterminedReason::kOverload, "no room");
    }
    Verdict verdict = answers.front();
    answers.erase(answers.begin());
    return verdict;
  }
  // Nobody asks for these here.
  [[nodiscard]] ScreenAudit& audit() override { std::abort(); }
  [[nodiscard]] Governor& governor() override { std::abort(); }
  [[nodiscard]] const RouteSettings& route() const override { std::abort(); }

  std::vector<DeferredItem> asked;
  std::vector<Verdict> answers;
};

class RouteWorkers : public Workers {
 protected:
  RouteWorkers() {
    DeferredItem item;
    item.key = "k1";
    item.route = "comments";
    item.content = UserMessage("bad");
    item.policy = {"spam", "3", "h"};
    item.provisional = Undetermined(item.policy, UndeterminedReason::kTimeout, "late");
    item.provisional.score = 0.5;
    item.reason = DeferReason::kLatency;
    item.gain = 2.5;
    QueuedWorkOptions options;
    options.now = [this] { return now; };
    options.route_file = "/r.yaml";
    options.channel_of = [](const PolicyReference& policy) {
      return policy.version == "3" ? Channel::kCanary : Channel::kDirect;
    };
    EXPECT_TRUE(QueuedWork(*queue, std::move(options))->Defer(item));
    id = queue->List({})->jobs.at(0).id;
  }
  std::unique_ptr<JobWorker> Worker(Judge* own) {
    WorkerOptions options = Options();
    options.setup = "the judge's";
    options.routes = [this](const Judgement& judgement) -> Result<RouteFinish> {
      if (judgement.route_file != "/r.yaml" || !route_there) {
        return Fail(ErrorCode::kNotFound, "there is no /r.yaml");
      }
      return RouteFinish{&cascade, source, "the route's"};
    };
    return JudgementWorker(*queue, log, own, source, options);
  }
  static Verdict Bad() {
    Verdict verdict;
    verdict.outcome = Outcome::kViolation;
    verdict.reason = UndeterminedReason::kNone;
    verdict.score = 0.9;
    verdict.decided_by = {"reasoner", "20b", "", {}};
    return verdict;
  }

  FakeCascade cascade;
  bool route_there = true;
  std::string id;
};

TEST_F(RouteWorkers, WhatARoutePutOffItsOwnReasonerFinishes) {
  cascade.answers = {Bad()};
  now += 90'000;
  EXPECT_EQ(Worker(&judge)->Work().value(), 1U);
  EXPECT_EQ(judge.calls, 0) << "the worker's judge is for what was submitted";
  ASSERT_EQ(cascade.asked.size(), 1U);
  EXPECT_EQ(cascade.asked[0].reason, DeferReason::kLatency);
  EXPECT_EQ(cascade.asked[0].provisional.score, 0.5);
  EXPECT_EQ(cascade.asked[0].gain, 2.5);
  EXPECT_EQ(cascade.asked[0].waited, std::chrono::seconds(90));
  const auto records = Recorded();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].outcome, Outcome::kViolation);
  EXPECT_EQ(records[0].channel, Channel::kCanary) << "the part in which its version judged";
  ASSERT_TRUE(records[0].provisional);
  EXPECT_EQ(records[0].provisional->reason, UndeterminedReason::kTimeout);
  EXPECT_TRUE(ChangeFrom(*records[0].provisional, records[0]).outcome);
  EXPECT_EQ(records[0].provenance.setup, "the route's") << "whoever judged, for the receipt";
  EXPECT_EQ(JobAt(id).state, JobState::kDone);
}

TEST_F(RouteWorkers, ABudgetWithoutRoomKeepsItWaitingHoweverOften) {
  const auto worker = Worker(nullptr);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(worker->Work().value(), 1U);
    EXPECT_EQ(worker->Work().value(), 0U) << "it is not due again at once";
    EXPECT_EQ(JobAt(id).attempts, 0);
    now = JobAt(id).due;
  }
  EXPECT_EQ(JobAt(id).problem, "not now: no room");
  cascade.answers = {Bad()};
  EXPECT_EQ(worker->Work().value(), 1U);
  EXPECT_EQ(JobAt(id).state, JobState::kDone);
}

TEST_F(RouteWorkers, WithoutItsRouteAJobWaitsForSomebodyWhoHasIt) {
  route_there = false;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Worker(&judge)->Work().value(), 1U);
    now = JobAt(id).due;
  }
  EXPECT_EQ(JobAt(id).state, JobState::kWaiting);
  EXPECT_THAT(JobAt(id).problem, HasSubstr("the route comments cannot be used: there is no"));
  EXPECT_EQ(judge.calls, 0);
  route_there = true;
  cascade.answers = {Bad()};
  EXPECT_EQ(Worker(&judge)->Work().value(), 1U);
  EXPECT_EQ(Recorded().size(), 1U);
}

TEST_F(RouteWorkers, WithoutAJudgeSubmittedJobsAreLeftToOthers) {
  cascade.answers = {Bad()};
  const std::string submitted = Put("bad");
  EXPECT_EQ(Worker(nullptr)->Work().value(), 2U);
  EXPECT_EQ(JobAt(id).state, JobState::kDone);
  EXPECT_EQ(JobAt(submitted).state, JobState::kWaiting);
  now = JobAt(submitted).due;
  EXPECT_EQ(Worker(&judge)->Work().value(), 1U);
  EXPECT_EQ(JobAt(submitted).state, JobState::kDone);
}

TEST_F(RouteWorkers, AFailureOfTheReasonerCountsAsAnAttempt) {
  const auto failed = [] {
    return Undetermined({}, UndeterminedReason::kModelUnavailable, "it is not there");
  };
  cascade.answers = {failed(), Bad()};
  const auto worker = Worker(nullptr);
  EXPECT_EQ(worker->Work().value(), 1U);
  EXPECT_EQ(JobAt(id).attempts, 1);
  EXPECT_TRUE(Recorded().empty()) << "no failure is a final verdict";
  now = JobAt(id).due;
  EXPECT_EQ(worker->Work().value(), 1U);
  EXPECT_EQ(Recorded().at(0).outcome, Outcome::kViolation);
}

}  // namespace
}  // namespace safeguard::moderation
