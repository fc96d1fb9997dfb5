// Full disks and locked databases: a clear error, and nothing that was acknowledged is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cstdio>

#include "moderation/memory_store.h"
#include "storage/sqlite/connection.h"
#include "storage/test_jobs.h"

namespace safeguard::storage {
namespace {

using moderation::JobQueue;
using moderation::NewJob;
using ::testing::HasSubstr;

// Puts jobs in until it cannot, and writes the ids of those that were acknowledged to standard
// output; 42 when the error is clear and reading goes on.
int FillUp(JobQueue& queue, std::vector<std::string>* ids) {
  for (int i = 0; i < 2000; ++i) {
    const NewJob job = JudgementOf(std::string(20'000, 'b') + std::to_string(i), "");
    const auto put = queue.Enqueue(std::span(&job, 1), 1);
    if (!put) {
      const std::string text = Describe(put.error());
      const bool clear = text.find("the disk is full") != std::string::npos &&
                         put.error().code == ErrorCode::kUnavailable;
      const auto counts = queue.Counts("", 1);
      return clear && counts && counts->waiting == static_cast<std::size_t>(i)
                 ? 42
                 : (std::fprintf(stderr, "%s\n", text.c_str()), 1);
    }
    if (ids != nullptr) {
      ids->push_back(put->front().id);
    }
  }
  return 0;
}

TEST(JobFaults, ALimitOnFilesLosesNothingThatWasAcknowledged) {
  const TestFolder folder;
  const Shared shared;
  const std::string list = folder.Path("ids");
  const pid_t child = ::fork();
  if (child == 0) {
    const auto queue = OpenJobs(folder.path());
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{300'000, 300'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::vector<std::string> ids;
    const int told = FillUp(*queue, &ids);
    // The workers' calls fail as clearly, and no job changes.
    const auto taken = queue->Take({{moderation::kJudgeJob}, 1, 1000, "w"}, 2);
    std::ofstream out(list);
    for (const std::string& id : ids) {
      out << id << "\n";
    }
    out.close();
    ::_exit(told == 42 && (taken || taken.error().code == ErrorCode::kUnavailable) ? 42 : told);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 42);
  const auto queue = OpenJobs(folder.path());
  std::ifstream in(list);
  std::size_t count = 0;
  for (std::string id; std::getline(in, id); ++count) {
    EXPECT_TRUE(queue->Find(id)) << "acknowledged and lost";
  }
  EXPECT_GT(count, 3U);
  WorkAll(folder.path(), shared, [](const std::string&) {});
  EXPECT_EQ(queue->Counts("", shared->now)->done, 2 * count) << "with room again all is finished";
}

TEST(JobFaults, FullDisk) {
  const TestFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {  // a small disk of its own, gone with the process
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", folder.path().c_str(), "tmpfs", 0, "size=400k") != 0) {
      ::_exit(77);
    }
    ::_exit(FillUp(*OpenJobs(folder.path()), nullptr));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == 77) {
    GTEST_SKIP() << "no permission to mount a small disk";
  }
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST(JobFaults, ALockedDatabaseIsToldAndTheWorkGoesOnLater) {
  const TestFolder folder;
  const auto queue = OpenJobQueue(folder.path(), {},
                                  {.create = true, .busy_timeout = std::chrono::milliseconds{20}})
                         .value();
  const NewJob job = JudgementOf("text", "key");
  ASSERT_TRUE(queue->Enqueue(std::span(&job, 1), 1));
  const moderation::Lease lease = queue->Take({{"judge"}, 1, 1000, "w"}, 1).value().at(0);
  auto other = Connection::Open(folder.Path("jobs.db"), {});
  ASSERT_TRUE((*other)->Write([&]() -> Status {
    const NewJob more = JudgementOf("more", "");
    const auto put = queue->Enqueue(std::span(&more, 1), 1);
    for (const Status& status : {put ? Status{} : Status(std::unexpected(put.error())),
                                 queue->Save(lease, "progress"), queue->Complete(lease, "", {}, 1),
                                 queue->Retry(lease, 1, "", 1), queue->Extend(lease, 5)}) {
      if (status) {
        ADD_FAILURE() << "it was locked";
        continue;
      }
      EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
      EXPECT_THAT(status.error().message, HasSubstr("locked by another process"));
    }
    EXPECT_TRUE(queue->Find(lease.job.id)) << "readers do not wait for writers";
    return {};
  }));
  EXPECT_TRUE(queue->Complete(lease, "", {}, 1));
}

TEST(JobFaults, AWorkerWhoseLogIsLockedGivesItsJobsBack) {
  const TestFolder folder;
  const Shared shared;
  const auto queue = OpenJobs(folder.path());
  const auto log = OpenVerdictLog(folder.path(), {true, std::chrono::milliseconds{20}}).value();
  const NewJob job = JudgementOf("text", "");
  const std::string id = queue->Enqueue(std::span(&job, 1), 1)->front().id;
  const auto random = moderation::SeededRandom(1);
  moderation::WorkerOptions options;
  options.now = [] { return moderation::TimeMs{1000}; };
  options.random = random.get();
  CountingJudge judge(shared, [] {});
  const auto worker = moderation::JudgementWorker(
      *queue, *log, &judge,
      [](const auto&) { return std::shared_ptr<const moderation::PreparedPolicy>(); }, options);
  auto other = Connection::Open(folder.Path("verdicts.db"), {});
  ASSERT_TRUE((*other)->Write([&]() -> Status {
    EXPECT_THAT(worker->Work().error().message, HasSubstr("verdicts.db is locked"));
    return {};
  }));
  EXPECT_EQ(queue->Find(id)->attempts, 0);
  EXPECT_EQ(worker->Work().value(), 1U);
  EXPECT_EQ(shared->judged, 1) << "the verdict was kept";
  EXPECT_EQ(log->Count({}).value(), 1U);
}

}  // namespace
}  // namespace safeguard::storage
