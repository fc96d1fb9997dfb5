// The workers on a queue in memory, with a judge and a receiver that do as they are told.
#include "moderation/job_workers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "moderation/jobs/test_workers.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(Workers, AJudgementIsFinishedRecordedAndTold) {
  const std::string id = Put("bad");
  EXPECT_EQ(Judged(), 1U);
  EXPECT_THAT(steps, ElementsAre("taken", "judged", "saved", "recorded", "finished"));
  EXPECT_EQ(JobAt(id).state, JobState::kDone);
  const auto records = Recorded();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].outcome, Outcome::kViolation);
  EXPECT_EQ(records[0].policy.version, "3");
  EXPECT_EQ(records[0].channel, Channel::kActive);
  EXPECT_EQ(records[0].key, id + "/0");
  EXPECT_EQ(records[0].provisional->outcome, Outcome::kSafe);
  EXPECT_FALSE(records[0].content) << "kept only where asked";
  EXPECT_EQ(Judged(), 0U);
  steps.clear();
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_THAT(steps, ElementsAre("taken", "sent", "acknowledged"));
  ASSERT_EQ(sender.sent.size(), 1U);
  EXPECT_EQ(sender.sent[0].url, "https://example.com/");
  EXPECT_EQ(sender.sent[0].id, "msg_" + id + ".final");
  EXPECT_THAT(sender.sent[0].body, HasSubstr("\"outcome\":\"violation\""));
  EXPECT_EQ(telling->Work().value(), 0U);
}

TEST_F(Workers, ContentsUnderTheSamePoliciesAreJudgedTogether) {
  for (int i = 0; i < 5; ++i) {
    Put("text " + std::to_string(i));
  }
  EXPECT_EQ(Judged(), 5U);
  EXPECT_EQ(judge.calls, 1);
  EXPECT_EQ(Recorded().size(), 5U);
}

TEST_F(Workers, WhatMayPassIsTriedAgainAndWhatIsSettledIsNot) {
  judge.failures = 2;
  const std::string broken = Put("broken");
  const std::string refused = Put("refused");
  EXPECT_EQ(Judged(), 2U);
  EXPECT_EQ(JobAt(refused).state, JobState::kDone) << "a refusal is an answer";
  EXPECT_EQ(Recorded().at(0).outcome, Outcome::kUndetermined) << "and never safe";
  EXPECT_EQ(JobAt(broken).state, JobState::kWaiting);
  EXPECT_THAT(JobAt(broken).problem, HasSubstr("overload: too much to do"));
  EXPECT_GE(JobAt(broken).due, now + 2500);
  EXPECT_LE(JobAt(broken).due, now + 5000);
  EXPECT_EQ(Judged(), 0U) << "not yet";
  now = JobAt(broken).due;
  EXPECT_EQ(Judged(), 1U);
  now = JobAt(broken).due;
  EXPECT_EQ(Judged(), 1U);
  EXPECT_EQ(JobAt(broken).state, JobState::kDone);
}

TEST_F(Workers, TheLastFailureBuriesAndTellsAndARedriveBeginsAgain) {
  judge.failures = 2;
  const std::string id = Put("broken", 2);
  EXPECT_EQ(Judged(), 1U);
  now = JobAt(id).due;
  EXPECT_EQ(Judged(), 1U);
  EXPECT_EQ(JobAt(id).state, JobState::kDead);
  EXPECT_TRUE(Recorded().empty()) << "nothing was decided";
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_THAT(sender.sent.at(0).body, HasSubstr("verdict.abandoned"));
  ASSERT_TRUE(queue->Redrive(id, now));
  EXPECT_EQ(Judged(), 1U);
  EXPECT_EQ(JobAt(id).state, JobState::kDone);
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_THAT(sender.sent.at(1).body, HasSubstr("verdict.final"));
  EXPECT_NE(sender.sent[0].id, sender.sent[1].id);
}

TEST_F(Workers, AWorkerThatDiedAfterSavingIsNotJudgedAgain) {
  const std::string id = Put("bad");
  log.full = true;
  EXPECT_EQ(judging->Work().error().message, "the disk is full");
  EXPECT_EQ(steps.back(), "released");
  EXPECT_EQ(JobAt(id).state, JobState::kWaiting);
  EXPECT_EQ(JobAt(id).attempts, 0) << "the log's trouble is not the job's";
  log.full = false;
  EXPECT_EQ(Judged(), 1U);
  EXPECT_EQ(judge.judged, 1) << "the verdict was kept";
  EXPECT_EQ(Recorded().size(), 1U);
}

TEST_F(Workers, ALostLeaseChangesNothing) {
  const std::string id = Put("bad");
  judge.meanwhile = [&] {
    now += 700'000;  // the lease runs out, and another worker is faster
    judge.meanwhile = {};
    EXPECT_EQ(JudgementWorker(*queue, log, &judge, source, Options())->Work().value(), 1U);
  };
  EXPECT_EQ(Judged(), 1U);
  EXPECT_EQ(Recorded().size(), 1U);
  EXPECT_EQ(queue->List({.kind = kNotifyJob})->jobs.size(), 1U);
}

TEST_F(Workers, LeasesAreKeptWhileTheJudgeThinks) {
  Put("bad");
  std::atomic<TimeMs> clock = 1'000'000;
  WorkerOptions options = Options();
  options.now = [&] { return clock.load(); };
  options.lease_ms = 30;
  judge.meanwhile = [&] {
    clock += 25;
    while (queue->List({})->jobs.at(0).due < clock + 30) {
      std::this_thread::yield();
    }
    clock += 25;
    EXPECT_EQ(queue->Counts(kJudgeJob, clock)->due, 0U) << "it would have run out";
  };
  EXPECT_EQ(JudgementWorker(*queue, log, &judge, source, options)->Work().value(), 1U);
  EXPECT_EQ(Recorded().size(), 1U);
}

TEST_F(Workers, APolicyThatIsNowhereIsADeadLetterUntilItIsThere) {
  policies.clear();
  const std::string id = Put("bad");
  EXPECT_EQ(Judged(), 1U);
  EXPECT_EQ(JobAt(id).state, JobState::kDead);
  EXPECT_THAT(JobAt(id).problem, HasSubstr("the policy spam cannot be used"));
  policies["spam"] = std::make_shared<FakePrepared>(Policy{});
  ASSERT_TRUE(queue->Redrive(id, now));
  EXPECT_EQ(Judged(), 1U);
  EXPECT_EQ(JobAt(id).state, JobState::kDone);
}

TEST_F(Workers, ADeadlineAndUnreadablePayloadsAreBuried) {
  NewJob nonsense{.kind = kJudgeJob, .payload = "nonsense"};
  const std::string bad = queue->Enqueue(std::span(&nonsense, 1), now)->front().id;
  nonsense.kind = kNotifyJob;
  const std::string note = queue->Enqueue(std::span(&nonsense, 1), now)->front().id;
  EXPECT_EQ(Judged(), 1U);
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_EQ(JobAt(bad).state, JobState::kDead);
  EXPECT_EQ(JobAt(note).state, JobState::kDead);
  EXPECT_TRUE(sender.sent.empty());
}

TEST_F(Workers, NoticesAreTriedAgainWithGrowingPauses) {
  Put("bad");
  EXPECT_EQ(Judged(), 1U);
  const std::string id = queue->List({.kind = kNotifyJob})->jobs.at(0).id;
  sender.next.assign(20, {SendEnd::kRetry, "status 500", {}});
  TimeMs pause = 0;
  TimeMs shortest = 2500;
  for (int attempt = 1; attempt < 12; ++attempt) {
    EXPECT_EQ(telling->Work().value(), 1U);
    pause = JobAt(id).due - now;
    EXPECT_GE(pause, shortest) << attempt;
    EXPECT_LE(pause, TimeMs{12} * 3600 * 1000);
    shortest = std::min<TimeMs>(shortest * 3, TimeMs{6} * 3600 * 1000);
    now = JobAt(id).due;
  }
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_EQ(JobAt(id).state, JobState::kDead) << "after twelve";
  EXPECT_EQ(JobAt(id).problem, "status 500");
  ASSERT_EQ(sender.sent.size(), 12U);
  for (const OutgoingMessage& message : sender.sent) {
    EXPECT_EQ(message.id, sender.sent[0].id);
    EXPECT_EQ(message.body, sender.sent[0].body);
  }
  sender.next.clear();
  ASSERT_TRUE(queue->Redrive(id, now));
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_EQ(JobAt(id).state, JobState::kDone);
}

TEST_F(Workers, TheReceiversWishToWaitIsRespectedWithinADay) {
  Put("bad");
  EXPECT_EQ(Judged(), 1U);
  const std::string id = queue->List({.kind = kNotifyJob})->jobs.at(0).id;
  sender.next = {{SendEnd::kRetry, "status 429", 3'600'000},
                 {SendEnd::kRetry, "status 503", 1},
                 {SendEnd::kRetry, "status 503", 999'999'999'999},
                 {SendEnd::kHopeless, "status 410", {}}};
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_EQ(JobAt(id).due, now + 3'600'000);
  now = JobAt(id).due;
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_GE(JobAt(id).due, now + 7500) << "never sooner than our own pause";
  now = JobAt(id).due;
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_EQ(JobAt(id).due, now + 24 * 3'600'000);
  now = JobAt(id).due;
  EXPECT_EQ(telling->Work().value(), 1U);
  EXPECT_EQ(JobAt(id).state, JobState::kDead);
}

TEST_F(Workers, TheCascadesDeferredWorkIsAJob) {
  const auto work = QueuedWork(*queue, {.now = [this] { return now; },
                                        .text_of = [](const PolicyReference&) { return "# P\n"; },
                                        .webhook = "https://example.com/",
                                        .deadline_ms = 5000});
  DeferredItem item;
  item.key = "k1";
  item.route = "comments";
  item.content = UserMessage("bad");
  item.policy = {"spam", "3", "h"};
  item.provisional = Undetermined(item.policy, UndeterminedReason::kUncertain, "unsure");
  item.reason = DeferReason::kAudit;
  item.gain = 2.5;
  item.audit_weight = 20;
  ASSERT_TRUE(work->Defer(item));
  ASSERT_TRUE(work->Defer(item)) << "the same key is the same item";
  EXPECT_EQ(work->Backlog(), 1U);
  const Job job = JobAt(queue->List({})->jobs.at(0).id);
  EXPECT_EQ(job.what.priority, 2.5);
  EXPECT_EQ(job.what.deadline, now + 5000);
  const Judgement judgement = JudgementFromJson(job.what.payload).value();
  EXPECT_EQ(judgement.why, "audit");
  EXPECT_EQ(judgement.route, "comments");
  EXPECT_EQ(judgement.audit_weight, 20);
  EXPECT_EQ(judgement.policies[0].text, "# P\n");
  EXPECT_EQ(judgement.policies[0].provisional.outcome, Outcome::kUndetermined);
  double audited = 0;
  WorkerOptions options = Options();
  options.on_final = [&](const Judgement& done, const std::vector<VerdictRecord>& records) {
    audited += records.at(0).outcome == Outcome::kViolation ? done.audit_weight : 0;
  };
  EXPECT_EQ(JudgementWorker(*queue, log, &judge, source, options)->Work().value(), 1U);
  EXPECT_EQ(audited, 20) << "whoever counts audits hears of it";
  EXPECT_EQ(work->Backlog(), 0U);
  item.content = UserMessage("another");
  EXPECT_FALSE(work->Defer(item)) << "not the same, and not silently lost";
}

}  // namespace
}  // namespace safeguard::moderation
