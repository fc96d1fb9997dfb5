// Processes that are killed at every step of a job's way: no job is lost, no verdict is recorded
// twice, and what is told twice is told under the same id.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "storage/test_jobs.h"

namespace safeguard::storage {
namespace {

using moderation::JobState;
using moderation::NewJob;
using ::testing::HasSubstr;

struct Step {
  const char* name;
  bool judged_again;     // the verdict was nowhere kept yet
  bool delivered_again;  // the receiver had it, and it was not acknowledged yet
};

class Killed : public ::testing::TestWithParam<Step> {
 protected:
  TestFolder folder;
  Shared shared;
};

TEST_P(Killed, LosesNothingAndRepeatsNothingUnseen) {
  const Step step = GetParam();
  const NewJob job = JudgementOf("text", "the key");
  const std::string at = step.name;
  const bool killed = KilledIn([&] {
    const auto queue = OpenJobs(folder.path());
    if (at == "before enqueue") {
      Die();
    }
    ASSERT_TRUE(queue->Enqueue(std::span(&job, 1), 1'000'000));
    if (at == "after enqueue") {
      Die();
    }
    WorkAll(folder.path(), shared, [&](const std::string& now) {
      if (now == at) {
        Die();
      }
    });
  });
  ASSERT_TRUE(killed) << "no such step";

  // Whoever was not answered asks again with the same key, and the work goes on elsewhere once the
  // dead worker's lease has ended.
  const auto queue = OpenJobs(folder.path());
  const auto again = queue->Enqueue(std::span(&job, 1), shared->now).value();
  EXPECT_EQ(again[0].is_new, at == "before enqueue");
  shared->now += 30'000;
  WorkAll(folder.path(), shared, [](const std::string&) {});
  shared->now += 31'000;
  WorkAll(folder.path(), shared, [](const std::string&) {});

  EXPECT_EQ(queue->Counts("", shared->now)->done, 2U) << "the judgement and its notice";
  EXPECT_EQ(queue->Counts("", shared->now)->waiting, 0U);
  EXPECT_EQ(shared->judged, step.judged_again ? 2 : 1);
  const auto log = OpenVerdictLog(folder.path(), {}).value();
  const auto records = log->Scan({})->records;
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].provisional->outcome, moderation::Outcome::kSafe);
  const auto received = FileReceiver::Received(folder.path() + "/received");
  ASSERT_EQ(received.size(), step.delivered_again ? 2U : 1U);
  for (const auto& [id, body] : received) {
    EXPECT_EQ(id, "msg_" + again[0].id + ".final");
    EXPECT_EQ(body, received[0].second);
    std::ostringstream score;
    score << "\"score\":" << *records[0].score;
    EXPECT_THAT(body, HasSubstr(score.str().substr(0, 12))) << "told is what was recorded";
  }
}

INSTANTIATE_TEST_SUITE_P(
    AtEveryStep, Killed,
    ::testing::Values(Step{"before enqueue", false, false}, Step{"after enqueue", false, false},
                      Step{"taken judge", false, false}, Step{"judging", false, false},
                      Step{"judged judge", true, false}, Step{"saved judge", false, false},
                      Step{"recorded judge", false, false}, Step{"finished judge", false, false},
                      Step{"taken notify", false, false}, Step{"sending", false, false},
                      Step{"delivered", false, true}, Step{"sent notify", false, true},
                      Step{"acknowledged notify", false, false}),
    [](const auto& named) {
      std::string name = named.param.name;
      std::ranges::replace(name, ' ', '_');
      return name;
    });

// Several workers, each killed at moments that nobody chose, many times over: soon enough that most
// are still at work on a fast machine.
TEST(KilledAtRandom, EveryJobIsFinishedRecordedOnceAndTold) {
  constexpr int kJobs = 30;
  constexpr int kRounds = 25;
  const TestFolder folder;
  const Shared shared;
  std::mt19937 random(20261128);
  std::set<std::string> acknowledged;
  int kills = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto queue = OpenJobs(folder.path());
    for (int i = 0; i < kJobs / kRounds + 1; ++i) {
      const NewJob job = JudgementOf("text " + std::to_string(acknowledged.size()), "");
      acknowledged.insert(queue->Enqueue(std::span(&job, 1), shared->now)->front().id);
    }
    std::vector<pid_t> workers;
    for (int w = 0; w < 2; ++w) {
      workers.push_back(::fork());
      if (workers.back() == 0) {
        WorkAll(folder.path(), shared, [](const std::string&) {});
        ::_exit(0);
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 5'000));
    for (const pid_t worker : workers) {
      ::kill(worker, SIGKILL);
      int status = 0;
      ::waitpid(worker, &status, 0);
      kills += WIFSIGNALED(status) ? 1 : 0;
    }
    shared->now += 60'001;  // their leases end
  }
  EXPECT_GT(kills, kRounds / 2) << "they had ended before";
  WorkAll(folder.path(), shared, [](const std::string&) {});

  const auto queue = OpenJobs(folder.path());
  std::map<std::string, int> states;
  for (const std::string& id : acknowledged) {
    const auto job = queue->Find(id);
    ASSERT_TRUE(job) << "lost";
    // One that killed five workers in a row is given up, not lost.
    EXPECT_TRUE(job->state == JobState::kDone || job->state == JobState::kDead);
    ++states[ToString(job->state)];
  }
  EXPECT_GT(states["done"], kJobs / 2);
  std::map<std::string, int> recorded;
  const auto log = OpenVerdictLog(folder.path(), {}).value();
  const moderation::VerdictPage page = log->Scan({}).value();
  for (const auto& record : page.records) {
    ++recorded[record.key.substr(0, record.key.find('/'))];
  }
  std::map<std::string, std::set<std::string>> told;
  for (const auto& [id, body] : FileReceiver::Received(folder.path() + "/received")) {
    told[id].insert(body);
  }
  for (const std::string& id : acknowledged) {
    if (queue->Find(id)->state == JobState::kDone) {
      EXPECT_EQ(recorded[id], 1) << id;
      EXPECT_EQ(told["msg_" + id + ".final"].size(), 1U) << "told, always the same";
    }
  }
}

// Jobs come from one process and are taken by others, all at once.
TEST(JobProcesses, DoEachJobOnce) {
  constexpr int kJobs = 60;
  const TestFolder folder;
  const Shared shared;
  std::vector<pid_t> workers;
  for (int w = 0; w < 3; ++w) {
    workers.push_back(::fork());
    if (workers.back() == 0) {
      const auto queue = OpenJobs(folder.path());  // the first ones make the database together
      while (queue != nullptr && queue->Counts("", 2'000'000)->done < 2 * kJobs) {
        WorkAll(folder.path(), shared, [](const std::string&) {});
      }
      ::_exit(::testing::Test::HasFailure() ? 1 : 0);
    }
  }
  const auto queue = OpenJobs(folder.path());
  for (int i = 0; i < kJobs; ++i) {
    const NewJob job = JudgementOf("text " + std::to_string(i), "key " + std::to_string(i));
    ASSERT_TRUE(queue->Enqueue(std::span(&job, 1), shared->now));
  }
  for (const pid_t worker : workers) {
    int status = 0;
    ::waitpid(worker, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(shared->judged, kJobs);
  EXPECT_EQ(FileReceiver::Received(folder.path() + "/received").size(), std::size_t{kJobs});
  EXPECT_EQ(OpenVerdictLog(folder.path(), {}).value()->Count({}).value(), std::uint64_t{kJobs});
}

}  // namespace
}  // namespace safeguard::storage
