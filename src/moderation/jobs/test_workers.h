// What the tests of the workers share: a queue in memory, a judge and a receiver that do as they
// are told.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "moderation/job_workers.h"
#include "moderation/memory_store.h"

namespace safeguard::moderation {

class FakePrepared final : public PreparedPolicy {
 public:
  explicit FakePrepared(Policy policy) : policy_(std::move(policy)) {}
  [[nodiscard]] const Policy& policy() const override { return policy_; }

 private:
  Policy policy_;
};

// Calls "bad" a violation; "broken" fails as often as it is told to.
class FakeJudge final : public Judge {
 public:
  Result<std::shared_ptr<const PreparedPolicy>> Prepare(const Policy& policy,
                                                        std::span<const GoldenCase>) override {
    return std::make_shared<FakePrepared>(policy);
  }
  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override {
    ++calls;
    if (meanwhile) {
      meanwhile();
    }
    std::vector<Verdict> verdicts;
    for (const Content& content : contents) {
      for (std::size_t p = 0; p < policies.size(); ++p) {
        const std::string& text = content.messages[0].text;
        if (text == "broken" && failures > 0) {
          verdicts.push_back(Undetermined({}, UndeterminedReason::kOverload, "too much to do"));
          continue;
        }
        if (text == "refused") {
          verdicts.push_back(Undetermined({}, UndeterminedReason::kRefusal, "would not"));
          continue;
        }
        Verdict verdict;
        verdict.outcome = text == "bad" ? Outcome::kViolation : Outcome::kSafe;
        verdict.reason = UndeterminedReason::kNone;
        verdict.score = text == "bad" ? 0.875 : 0.125;
        verdict.decided_by = {"reasoner", "fake", "mh", {}};
        verdicts.push_back(verdict);
        ++judged;
      }
    }
    failures -= failures > 0 ? 1 : 0;
    return verdicts;
  }

  int calls = 0;
  int judged = 0;
  int failures = 0;
  std::function<void()> meanwhile;
};

class FakeSender final : public MessageSender {
 public:
  SendOutcome Send(const OutgoingMessage& message) override {
    sent.push_back(message);
    const SendOutcome outcome = next.empty() ? SendOutcome{SendEnd::kDelivered, "", {}} : next[0];
    if (!next.empty()) {
      next.erase(next.begin());
    }
    return outcome;
  }
  std::vector<OutgoingMessage> sent;
  std::vector<SendOutcome> next;
};

// A log that cannot be written for a while.
class FailingLog final : public VerdictLog {
 public:
  Status Append(std::span<const VerdictRecord> records) override {
    return full ? Status(Fail(ErrorCode::kUnavailable, "the disk is full")) : log->Append(records);
  }
  Result<VerdictPage> Scan(const VerdictQuery& query) override { return log->Scan(query); }
  Result<std::uint64_t> Count(const VerdictQuery& query) override { return log->Count(query); }

  bool full = false;
  std::unique_ptr<VerdictLog> log = MemoryVerdictLog();
};

class Workers : public ::testing::Test {
 protected:
  WorkerOptions Options() {
    WorkerOptions options;
    options.now = [this] { return now; };
    options.random = random.get();
    options.on_event = [this](const JobEvent& event) { steps.push_back(ToString(event.step)); };
    options.lease_ms = 600'000;
    return options;
  }
  std::string Put(const std::string& text, int attempts = 5) {
    Judgement judgement;
    judgement.content = UserMessage(text);
    judgement.policies = {
        {{"spam", "3", "h"}, "", Channel::kActive, {Outcome::kSafe, {}, 0.25, {}, "screen"}}};
    judgement.webhook = "https://example.com/";
    NewJob job = JobOf(judgement).value();
    job.attempts_max = attempts;
    return queue->Enqueue(std::span(&job, 1), now)->front().id;
  }
  Job JobAt(const std::string& id) { return queue->Find(id).value(); }
  std::vector<VerdictRecord> Recorded() { return log.Scan({})->records; }
  std::size_t Judged() {
    const auto worked = judging->Work();
    EXPECT_TRUE(worked) << Describe(worked.error());
    return worked.value_or(0);
  }

  TimeMs now = 1'000'000;
  std::vector<std::string> steps;
  std::unique_ptr<RandomSource> random = SeededRandom(1);
  std::unique_ptr<JobQueue> queue = MemoryJobQueue({});
  FailingLog log;
  FakeJudge judge;
  FakeSender sender;
  std::map<std::string, std::shared_ptr<const PreparedPolicy>> policies = {
      {"spam", std::make_shared<FakePrepared>(Policy{})}};
  PolicySource source =
      [this](const JudgedPolicy& policy) -> Result<std::shared_ptr<const PreparedPolicy>> {
    const auto at = policies.find(policy.policy.id);
    return at == policies.end() ? Result<std::shared_ptr<const PreparedPolicy>>(
                                      Fail(ErrorCode::kNotFound, "there is no such policy"))
                                : at->second;
  };
  std::unique_ptr<JobWorker> judging = JudgementWorker(*queue, log, &judge, source, Options());
  std::unique_ptr<JobWorker> telling = NoticeWorker(*queue, sender, Options());
};

}  // namespace safeguard::moderation
