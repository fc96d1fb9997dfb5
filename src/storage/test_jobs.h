// What the tests of jobs on the disk share: work, a judge and a receiver whose memory outlives the
// process that is killed.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "moderation/job_workers.h"
#include "storage/stores.h"
#include "storage/test_stores.h"

namespace safeguard::storage {

// In memory that child processes share.
struct SharedCounts {
  std::atomic<int> judged{0};
  std::atomic<std::int64_t> now{1'000'000};
};

class Shared {
 public:
  Shared()
      : memory_(::mmap(nullptr, sizeof(SharedCounts), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
        counts_(*new(memory_) SharedCounts{}) {}
  ~Shared() { ::munmap(memory_, sizeof(SharedCounts)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  SharedCounts* operator->() const { return &counts_; }

 private:
  void* memory_;
  SharedCounts& counts_;
};

[[noreturn]] inline void Die() {
  ::kill(::getpid(), SIGKILL);
  ::pause();
  ::_exit(1);
}

// Runs `body` in a child; true when it was killed, false when it ended well.
inline bool KilledIn(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the child failed";
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

class CountingJudge final : public moderation::Judge {
 public:
  CountingJudge(const Shared& shared, std::function<void()> within)
      : shared_(shared), within_(std::move(within)) {}
  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy&, std::span<const moderation::GoldenCase>) override {
    return Fail(ErrorCode::kInvalidInput, "not asked here");
  }
  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override {
    within_();
    std::vector<moderation::Verdict> verdicts;
    for (std::size_t i = 0; i < policies.size() * contents.size(); ++i) {
      moderation::Verdict verdict;
      verdict.outcome = moderation::Outcome::kViolation;
      verdict.reason = moderation::UndeterminedReason::kNone;
      // Another score each time: what is told must be what was recorded.
      verdict.score = 1.0 / (2 + shared_->judged++);
      verdict.decided_by = {"reasoner", "fake", "", {}};
      verdicts.push_back(verdict);
    }
    return verdicts;
  }

 private:
  const Shared& shared_;
  std::function<void()> within_;
};

// Writes each message that it gets as a line of a file, in one write.
class FileReceiver final : public moderation::MessageSender {
 public:
  FileReceiver(std::string path, std::function<void()> before, std::function<void()> after)
      : path_(std::move(path)), before_(std::move(before)), after_(std::move(after)) {}

  moderation::SendOutcome Send(const moderation::OutgoingMessage& message) override {
    before_();
    const std::string line = message.id + " " + message.body + "\n";
    const int fd = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    EXPECT_EQ(::write(fd, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    ::close(fd);
    after_();
    return {moderation::SendEnd::kDelivered, "", {}};
  }

  // (id, body) of all that came.
  static std::vector<std::pair<std::string, std::string>> Received(const std::string& path) {
    std::vector<std::pair<std::string, std::string>> received;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      received.emplace_back(line.substr(0, line.find(' ')), line.substr(line.find(' ') + 1));
    }
    return received;
  }

 private:
  std::string path_;
  std::function<void()> before_;
  std::function<void()> after_;
};

inline std::unique_ptr<moderation::JobQueue> OpenJobs(const std::string& folder,
                                                      const moderation::QueueLimits& limits = {}) {
  auto opened = OpenJobQueue(folder, limits, {.create = true});
  EXPECT_TRUE(opened) << Describe(opened.error());
  return opened ? std::move(*opened) : nullptr;
}

// Judged under one policy, told to one webhook.
inline moderation::NewJob JudgementOf(const std::string& text, const std::string& key) {
  moderation::Judgement judgement;
  judgement.content = moderation::UserMessage(text);
  judgement.policies = {{{"spam", "1", "h"},
                         "",
                         moderation::Channel::kDirect,
                         {moderation::Outcome::kSafe, {}, 0.25, {}, "screen"}}};
  judgement.webhook = "https://example.com/";
  moderation::NewJob job = JobOf(judgement).value();
  job.key = key;
  return job;
}

// Works until nothing is due. `at` is told of everything that happens: "judging", "sending" and
// "delivered" besides the workers' own steps.
inline void WorkAll(const std::string& folder, const Shared& shared,
                    const std::function<void(const std::string&)>& at) {
  const auto queue = OpenJobs(folder);
  const auto log = OpenVerdictLog(folder, {.create = true});
  ASSERT_TRUE(log);
  const auto random = moderation::SeededRandom(1);
  moderation::WorkerOptions options;
  options.now = [&] { return shared->now.load(); };
  options.random = random.get();
  options.on_event = [&](const moderation::JobEvent& event) {
    at(std::string(ToString(event.step)) + " " + event.job->what.kind);
  };
  options.lease_ms = 60'000;
  options.batch = 2;
  CountingJudge judge(shared, [&] { at("judging"); });
  FileReceiver receiver(folder + "/received", [&] { at("sending"); }, [&] { at("delivered"); });
  const auto judging = moderation::JudgementWorker(
      *queue, **log, &judge,
      [](const moderation::JudgedPolicy&) {
        return std::shared_ptr<const moderation::PreparedPolicy>();
      },
      options);
  const auto telling = moderation::NoticeWorker(*queue, receiver, options);
  for (std::size_t worked = 1; worked > 0;) {
    const auto judged = judging->Work();
    ASSERT_TRUE(judged) << Describe(judged.error());
    const auto told = telling->Work();
    ASSERT_TRUE(told) << Describe(told.error());
    worked = *judged + *told;
  }
}

}  // namespace safeguard::storage
