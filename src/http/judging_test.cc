// Judging together what arrives together, answering in time, recording what was said.
#include "http/judging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using moderation::Channel;
using moderation::UndeterminedReason;

class JudgingTest : public ::testing::Test {
 protected:
  struct Started {
    std::future<Result<JudgeAnswer>> answer;
    bool taken = false;
  };

  Started Submit(const std::string& text, std::vector<std::string> policies = {"hate"},
                 std::chrono::milliseconds time = std::chrono::seconds(60)) {
    JudgeJob job;
    job.policies = std::move(policies);
    job.contents.push_back(moderation::UserMessage(text));
    job.deadline = std::chrono::steady_clock::now() + time;
    auto promise = std::make_shared<std::promise<Result<JudgeAnswer>>>();
    Started outcome{promise->get_future(), false};
    outcome.taken = parts.judging->Submit(
        std::move(job), [promise](Result<JudgeAnswer> answer) { promise->set_value(answer); });
    return outcome;
  }

  std::uint64_t Recorded(const moderation::VerdictQuery& query = {}) {
    return *parts.log->Count(query);
  }
  // Until the judge has been entered so many times.
  void AwaitEntered(int times) {
    while (parts.judge.entered.load() < times) {
      std::this_thread::yield();
    }
  }

  TestService parts{{.judging = {.queue_contents_max = 8}}};
};

TEST_F(JudgingTest, RequestsThatWaitAreJudgedInOneCall) {
  std::unique_lock gate(parts.judge.gate);
  Started first = Submit("the first keeps the judge busy");
  AwaitEntered(1);
  std::vector<Started> others;
  for (const char* text : {"a bad one", "a fine one", "another bad one"}) {
    others.push_back(Submit(text));
  }
  Started elsewhere = Submit("a bad one", {"hate", "violence"});
  gate.unlock();
  EXPECT_EQ(others[0].answer.get()->verdicts.at(0).outcome, moderation::Outcome::kViolation);
  EXPECT_EQ(others[1].answer.get()->verdicts.at(0).outcome, moderation::Outcome::kSafe);
  EXPECT_EQ(others[2].answer.get()->verdicts.at(0).outcome, moderation::Outcome::kViolation);
  EXPECT_EQ(elsewhere.answer.get()->verdicts.size(), 2U);
  EXPECT_EQ(parts.judge.calls.load(), 3) << "the first, the three, the one with other policies";
  EXPECT_EQ(Recorded(), 6U);
}

TEST_F(JudgingTest, AFullQueueRefusesInsteadOfGrowing) {
  std::unique_lock gate(parts.judge.gate);
  std::vector<Started> taken;
  taken.push_back(Submit("busy"));
  AwaitEntered(1);
  for (int i = 0; i < 8; ++i) {
    taken.push_back(Submit("waits"));
    EXPECT_TRUE(taken.back().taken);
  }
  EXPECT_FALSE(Submit("one too many").taken);
  EXPECT_EQ(parts.judging->waiting(), 8U);
  gate.unlock();
  for (Started& outcome : taken) {
    EXPECT_TRUE(outcome.answer.get());
  }
}

TEST_F(JudgingTest, WhenTheTimeIsUpTheAnswerIsUndeterminedAndTheVerdictIsStillRecorded) {
  std::unique_lock gate(parts.judge.gate);
  // Until one has begun before its time was up: the others are dropped.
  Result<JudgeAnswer> answer;
  do {
    answer = Submit("a bad one", {"hate"}, std::chrono::milliseconds(50)).answer.get();
  } while (parts.judge.entered.load() == 0);
  EXPECT_EQ(answer->verdicts.at(0).outcome, moderation::Outcome::kUndetermined);
  EXPECT_EQ(answer->verdicts.at(0).reason, UndeterminedReason::kTimeout);
  EXPECT_EQ(answer->verdicts.at(0).policy.hash, parts.shelf->FindShipped("hate")->policy.hash)
      << "which version it was is known, whoever was late";
  gate.unlock();
  while (parts.judge.calls.load() == 0) {
    std::this_thread::yield();
  }
  parts.judging->Stop();
  const auto page = parts.log->Scan({});
  ASSERT_EQ(page->records.size(), 1U);
  EXPECT_EQ(page->records[0].outcome, moderation::Outcome::kViolation);
  ASSERT_TRUE(page->records[0].provisional) << "what was answered first stands beside it";
  EXPECT_EQ(page->records[0].provisional->reason, UndeterminedReason::kTimeout);
}

TEST_F(JudgingTest, ADeadlineIsKeptWhateverElseIsAwaitedOrWasAnswered) {
  EXPECT_TRUE(Submit("answered, and forgotten").answer.get());
  std::unique_lock gate(parts.judge.gate);
  Started patient = Submit("busy");
  AwaitEntered(2);
  Started hurried = Submit("waits", {"hate"}, std::chrono::milliseconds(20));
  Started unhurried = Submit("waits too");
  EXPECT_EQ(hurried.answer.get()->verdicts.at(0).reason, UndeterminedReason::kTimeout);
  gate.unlock();
  EXPECT_EQ(patient.answer.get()->verdicts.at(0).outcome, moderation::Outcome::kSafe);
  EXPECT_EQ(unhurried.answer.get()->verdicts.at(0).outcome, moderation::Outcome::kSafe);
}

TEST_F(JudgingTest, WhatDoesNotFitIntoOneCallKeepsItsPlace) {
  parts.judging->SetQueueMax(1000);
  std::unique_lock gate(parts.judge.gate);
  std::vector<Started> started;
  started.push_back(Submit("busy"));
  AwaitEntered(1);
  for (int i = 0; i < 200; ++i) {
    started.push_back(Submit(i % 3 == 0 ? "a bad one" : "a fine one",
                             i % 2 == 0 ? std::vector<std::string>{"hate"}
                                        : std::vector<std::string>{"hate", "violence"}));
  }
  gate.unlock();
  for (int i = 0; i < 200; ++i) {
    const Result<JudgeAnswer> answer = started[static_cast<std::size_t>(i) + 1].answer.get();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->verdicts.size(), i % 2 == 0 ? 1U : 2U);
    EXPECT_EQ(answer->verdicts[0].outcome,
              i % 3 == 0 ? moderation::Outcome::kViolation : moderation::Outcome::kSafe);
  }
  EXPECT_EQ(parts.judging->waiting(), 0U);
  EXPECT_EQ(parts.judge.calls.load(), 5) << "the first; two of 64 and 36 each";
}

TEST_F(JudgingTest, WhatNobodyLookedAtIsCountedAsUnscanned) {
  std::unique_lock gate(parts.judge.gate);
  Started busy = Submit("busy");
  AwaitEntered(1);
  Started late = Submit("waits", {"hate"}, std::chrono::milliseconds(1));
  EXPECT_EQ(late.answer.get()->verdicts.at(0).reason, UndeterminedReason::kTimeout);
  gate.unlock();
  EXPECT_TRUE(busy.answer.get());
  parts.judging->Stop();
  EXPECT_EQ(parts.judge.calls.load(), 1) << "nobody waits for it any more";
  EXPECT_THAT(parts.metrics.Text(), ::testing::HasSubstr("safety_unscanned_total 1"));
}

TEST_F(JudgingTest, AShortContentDoesNotWaitBehindALongOne) {
  parts.judge.slow_bytes = 40'000;  // from which on the gate is waited for
  std::unique_lock gate(parts.judge.gate);
  Started heavy = Submit(std::string(40'000, 'x'));
  AwaitEntered(1);
  EXPECT_EQ(Submit("a bad one").answer.get()->verdicts.at(0).outcome,
            moderation::Outcome::kViolation);
  gate.unlock();
  EXPECT_EQ(heavy.answer.get()->verdicts.at(0).outcome, moderation::Outcome::kSafe);
}

TEST_F(JudgingTest, ALongContentWhoseTimeIsUpGivesWayToTheNext) {
  parts.judge.slow_bytes = 40'000;
  std::unique_lock gate(parts.judge.gate);
  Started late;
  do {  // until one has begun before its time was up
    late = Submit(std::string(40'000, 'x'), {"hate"}, std::chrono::milliseconds(50));
    EXPECT_EQ(late.answer.get()->verdicts.at(0).reason, UndeterminedReason::kTimeout);
  } while (parts.judge.entered.load() == 0);
  Started next = Submit(std::string(39'000, 'x') + " bad");  // long, and judged at once
  EXPECT_EQ(next.answer.get()->verdicts.at(0).outcome, moderation::Outcome::kViolation);
  EXPECT_EQ(parts.judge.stopped.load(), 1);
  gate.unlock();
  parts.judging->Stop();
  const auto page = parts.log->Scan({});
  ASSERT_EQ(page->records.size(), 2U) << "what was not decided is kept as that";
  EXPECT_EQ(page->records[0].outcome, moderation::Outcome::kUndetermined);
  EXPECT_EQ(page->records[0].reason, UndeterminedReason::kTimeout);
}

TEST_F(JudgingTest, APolicyThatNobodyHasIsAnError) {
  const Result<JudgeAnswer> answer = Submit("a", {"hats"}).answer.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Recorded(), 0U);
}

TEST_F(JudgingTest, AnswersByTheActiveVersionAndRecordsShadows) {
  const auto publish = [&](const char* text) {
    return parts.store->Publish("spam", {text, ""}, {"maria", "", 1})->version.number;
  };
  const int first = publish("# Spam\n\n## Violates\n- S1 Bad.\n");
  const int second = publish("# Spam\n\n## Violates\n- S1 Bad, or worse.\n");
  EXPECT_FALSE(Submit("a", {"spam"}).answer.get()) << "nothing is active yet";
  ASSERT_TRUE(parts.store->Move("spam", first, moderation::VersionState::kActive, 0, {"m", "", 2}));
  ASSERT_TRUE(
      parts.store->Move("spam", second, moderation::VersionState::kShadow, 0, {"m", "", 3}));
  const Result<JudgeAnswer> answer = Submit("a bad one", {"spam"}).answer.get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->verdicts.at(0).policy.version, "1");
  EXPECT_EQ(answer->channels.at(0), Channel::kActive);
  EXPECT_EQ(Submit("x", {"spam@2"}).answer.get()->channels.at(0), Channel::kDirect);
  parts.judging->Stop();
  EXPECT_EQ(Recorded({.channel = Channel::kShadow}), 1U);
  EXPECT_EQ(Recorded({.channel = Channel::kActive}), 1U);
}

TEST_F(JudgingTest, InPassingNothingIsKeptButWhatIsNotSafe) {
  using State = moderation::VersionState;
  for (const auto& [text, state] :
       {std::pair("# Spam\n\n## Violates\n- S1 Bad.\n", State::kActive),
        std::pair("# Spam\n\n## Violates\n- S1 Bad, or worse.\n", State::kShadow)}) {
    const int number = parts.store->Publish("spam", {text, ""}, {"m", "", 1})->version.number;
    ASSERT_TRUE(parts.store->Move("spam", number, state, 0, {"m", "", 2}));
  }
  std::unique_lock gate(parts.judge.gate);
  Started busy = Submit("keeps the judge busy", {"spam"});
  AwaitEntered(1);
  const auto window = [&](const std::string& text) {
    JudgeJob job;
    job.policies = {"spam"};
    job.contents.push_back(moderation::Completion(text));
    job.in_passing = true;
    job.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    auto promise = std::make_shared<std::promise<Result<JudgeAnswer>>>();
    EXPECT_TRUE(parts.judging->Submit(
        std::move(job), [promise](Result<JudgeAnswer> answer) { promise->set_value(answer); }));
    return promise->get_future();
  };
  auto fine = window("a fine window");
  Started whole = Submit("a fine whole", {"spam"});
  auto bad = window("a bad window");
  gate.unlock();
  EXPECT_EQ(fine.get()->verdicts.at(0).outcome, moderation::Outcome::kSafe);
  EXPECT_EQ(bad.get()->verdicts.at(0).outcome, moderation::Outcome::kViolation);
  EXPECT_TRUE(whole.answer.get());
  parts.judging->Stop();
  EXPECT_EQ(parts.judge.in_passing.load(), 2) << "what is whole is not among them";
  EXPECT_EQ(Recorded({.channel = Channel::kActive}), 3U)
      << "two wholes, and the window that breaks a rule";
  EXPECT_EQ(Recorded({.channel = Channel::kShadow}), 2U) << "of wholes";
}

TEST_F(JudgingTest, EverythingTakenIsAnsweredWhenItStops) {
  std::vector<Started> taken;
  for (int i = 0; i < 8; ++i) {
    taken.push_back(Submit("text " + std::to_string(i)));
  }
  parts.judging->Stop();
  for (Started& outcome : taken) {
    if (outcome.taken) {
      EXPECT_TRUE(outcome.answer.get());
    }
  }
  EXPECT_FALSE(Submit("after the end").taken);
}

TEST_F(JudgingTest, ManyThreadsGetTheirOwnVerdicts) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const bool bad = (t + i) % 2 == 0;
        Started outcome = Submit(bad ? "bad" : "fine");
        if (outcome.taken) {
          const bool said =
              outcome.answer.get()->verdicts.at(0).outcome == moderation::Outcome::kViolation;
          wrong += said == bad ? 0 : 1;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace safeguard::http
