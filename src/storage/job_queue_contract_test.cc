// What every JobQueue promises. A new implementation is added at the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <thread>

#include "moderation/job_queue.h"
#include "storage/stores.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

using moderation::Enqueued;
using moderation::Job;
using moderation::JobPage;
using moderation::JobQuery;
using moderation::JobQueue;
using moderation::JobState;
using moderation::Lease;
using moderation::NewJob;
using moderation::QueueLimits;
using moderation::Spent;
using moderation::TakeRequest;
using moderation::TimeMs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Kind {
  const char* name;
  std::function<std::unique_ptr<JobQueue>(const std::string& folder, const QueueLimits& limits)>
      open;
};

NewJob Work(const std::string& payload, const std::string& key = "", double priority = 0) {
  NewJob job{.kind = "judge", .payload = payload, .key = key};
  job.priority = priority;
  return job;
}

class JobQueueContract : public ::testing::TestWithParam<Kind> {
 protected:
  void Open(const QueueLimits& limits) { queue = GetParam().open(folder.Path("more"), limits); }
  std::string Put(const NewJob& job, TimeMs now = 1000) {
    const auto put = queue->Enqueue(std::span(&job, 1), now);
    EXPECT_TRUE(put) << Describe(put.error());
    return put ? put->front().id : "";
  }
  std::vector<Lease> Take(TimeMs now, std::size_t count = 10, TimeMs lease_ms = 100) {
    auto taken = queue->Take({{"judge"}, count, lease_ms, "me"}, now);
    EXPECT_TRUE(taken) << Describe(taken.error());
    return taken ? *taken : std::vector<Lease>{};
  }
  std::vector<std::string> Payloads(const std::vector<Lease>& leases) {
    std::vector<std::string> payloads;
    for (const Lease& lease : leases) {
      payloads.push_back(lease.job.what.payload);
    }
    return payloads;
  }
  JobState StateOf(const std::string& id) { return queue->Find(id).value().state; }

  TestFolder folder;
  std::unique_ptr<JobQueue> queue = GetParam().open(folder.path(), QueueLimits{});
};

TEST_P(JobQueueContract, GivesBackWhatWasPutIn) {
  NewJob job{.kind = "notify-2.x",
             .payload = std::string("b\0ytes \xff", 8),
             .key = "k",
             .fingerprint = "f",
             .parent = "p",
             .priority = 0.1 + 0.2,
             .not_before = 5000,
             .deadline = 9000,
             .attempts_max = 3};
  const std::string id = Put(job, 4000);
  const Job read = queue->Find(id).value();
  EXPECT_EQ(read.id, id);
  EXPECT_EQ(read.what.kind, job.kind);
  EXPECT_EQ(read.what.payload, job.payload);
  EXPECT_EQ(read.what.key, "k");
  EXPECT_EQ(read.what.fingerprint, "f");
  EXPECT_EQ(read.what.parent, "p");
  EXPECT_EQ(read.what.priority, 0.1 + 0.2) << "exactly";
  EXPECT_EQ(read.what.not_before, 5000);
  EXPECT_EQ(read.what.deadline, 9000);
  EXPECT_EQ(read.what.attempts_max, 3);
  EXPECT_EQ(read.state, JobState::kWaiting);
  EXPECT_EQ(read.attempts, 0);
  EXPECT_EQ(read.due, 5000);
  EXPECT_EQ(read.created, 4000);
  EXPECT_EQ(queue->Find("none").error().code, ErrorCode::kNotFound);
}

TEST_P(JobQueueContract, TheSameKeyIsTheSameJob) {
  NewJob job = Work("one", "key");
  job.fingerprint = "content 1";
  const std::string id = Put(job);
  job.payload = "other bytes, same meaning";
  const auto again = queue->Enqueue(std::span(&job, 1), 2000).value();
  EXPECT_EQ(again[0].id, id);
  EXPECT_FALSE(again[0].is_new);
  EXPECT_EQ(queue->Find(id)->what.payload, "one") << "nothing is changed";
  job.fingerprint = "content 2";
  const auto other = queue->Enqueue(std::span(&job, 1), 2000);
  EXPECT_EQ(other.error().code, ErrorCode::kInvalidInput);
  NewJob other_kind = job;
  other_kind.kind = "notify";
  EXPECT_NE(Put(other_kind), id) << "a key is of its kind";
  EXPECT_NE(Put(Work("a")), Put(Work("a"))) << "no key: always new";
  // Also within one call, and when it is done.
  const std::vector<NewJob> twice = {Work("x", "twin"), Work("x", "twin")};
  const auto both = queue->Enqueue(twice, 1000).value();
  EXPECT_EQ(both[0].id, both[1].id);
  EXPECT_TRUE(both[0].is_new);
  EXPECT_FALSE(both[1].is_new);
  for (const Lease& lease : Take(5000)) {
    ASSERT_TRUE(queue->Complete(lease, "", {}, 5000));
  }
  EXPECT_EQ(Put(Work("x", "twin")), both[0].id);
}

TEST_P(JobQueueContract, AllOfACallOrNothing) {
  std::vector<NewJob> jobs = {Work("good"), Work("bad")};
  jobs[1].kind = "No Such Kind";
  EXPECT_EQ(queue->Enqueue(jobs, 1000).error().code, ErrorCode::kInvalidInput);
  EXPECT_TRUE(Take(2000).empty());
  for (const auto& spoil : std::vector<std::function<void(NewJob&)>>{
           [](NewJob& j) { j.kind.clear(); }, [](NewJob& j) { j.attempts_max = 0; },
           [](NewJob& j) { j.priority = std::numeric_limits<double>::infinity(); },
           [](NewJob& j) { j.not_before = -1; }, [](NewJob& j) { j.key.resize(257, 'k'); },
           [](NewJob& j) { j.payload.resize(moderation::kJobPayloadBytesMax + 1); }}) {
    NewJob job = Work("x");
    spoil(job);
    EXPECT_FALSE(queue->Enqueue(std::span(&job, 1), 1000));
  }
}

TEST_P(JobQueueContract, HandsOutByPriorityThenByTime) {
  Put(Work("low", "", -1));
  Put(Work("late"), 2000);
  NewJob soon = Work("soon");
  soon.not_before = 1500;
  Put(soon);
  Put(Work("first"));
  Put(Work("urgent", "", 7.5));
  NewJob later = Work("not yet", "", 100);
  later.not_before = 9000;
  Put(later);
  NewJob other = Work("of others");
  other.kind = "notify";
  Put(other);
  EXPECT_THAT(Payloads(Take(3000, 2)), ElementsAre("urgent", "late"))
      << "late waits from 0 on, as first does, and was put in before it";
  EXPECT_THAT(Payloads(Take(3000, 10)), ElementsAre("first", "soon", "low"));
  EXPECT_THAT(Payloads(Take(3000)), ElementsAre());
  EXPECT_FALSE(queue->Take({{}, 1, 1, ""}, 1));
  EXPECT_FALSE(queue->Take({{"judge"}, 0, 1, ""}, 1));
  EXPECT_FALSE(queue->Take({{"judge"}, 1, 0, ""}, 1));
}

TEST_P(JobQueueContract, ALeaseThatRunsOutGivesTheJobToAnother) {
  const std::string id = Put(Work("x"));
  const std::vector<Lease> first = Take(2000);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].job.attempts, 1);
  EXPECT_EQ(queue->Find(id)->worker, "me");
  EXPECT_TRUE(Take(2099).empty()) << "it is held";
  ASSERT_TRUE(queue->Extend(first[0], 3000));
  EXPECT_TRUE(Take(2999).empty()) << "it was held longer";
  const std::vector<Lease> second = Take(3000);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].job.attempts, 2);
  // The first holder can do nothing any more.
  EXPECT_EQ(queue->Complete(first[0], "stale", {}, 3001).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(queue->Extend(first[0], 9000));
  EXPECT_FALSE(queue->Save(first[0], "stale"));
  EXPECT_FALSE(queue->Retry(first[0], 1, "stale", 3001));
  EXPECT_FALSE(queue->Release(first[0], 3001, "stale", 3001));
  EXPECT_FALSE(queue->Bury(first[0], "stale", {}, 3001));
  const Job held = queue->Find(id).value();
  EXPECT_EQ(held.state, JobState::kLeased);
  EXPECT_EQ(held.progress, "");
  ASSERT_TRUE(queue->Complete(second[0], "fresh", {}, 3002));
  EXPECT_EQ(queue->Find(id)->result, "fresh");
  EXPECT_FALSE(queue->Complete(second[0], "twice", {}, 3003)) << "done is done";
}

TEST_P(JobQueueContract, AnEndedLeaseStillCountsWhileNobodyTookTheJob) {
  Put(Work("x"));
  const Lease lease = Take(2000).at(0);
  EXPECT_TRUE(queue->Complete(lease, "late but done", {}, 9000));
}

TEST_P(JobQueueContract, ProgressOutlivesTheWorkerAndEndsWithTheJob) {
  const std::string id = Put(Work("what somebody wrote"));
  ASSERT_TRUE(queue->Save(Take(2000).at(0), "half way"));
  const Lease next = Take(2100).at(0);
  EXPECT_EQ(next.job.progress, "half way");
  ASSERT_TRUE(queue->Complete(next, "result", {}, 2200));
  const Job done = queue->Find(id).value();
  EXPECT_EQ(done.state, JobState::kDone);
  EXPECT_EQ(done.result, "result");
  EXPECT_EQ(done.what.payload, "") << "nobody needs it any more";
  EXPECT_EQ(done.progress, "");
  EXPECT_EQ(done.changed, 2200);
}

TEST_P(JobQueueContract, RetriesWaitAndSpentJobsAreHandedOutForBurying) {
  NewJob job = Work("x");
  job.attempts_max = 2;
  const std::string id = Put(job);
  ASSERT_TRUE(queue->Retry(Take(2000).at(0), 5000, "no luck", 2001));
  EXPECT_EQ(queue->Find(id)->problem, "no luck");
  EXPECT_TRUE(Take(4999).empty());
  const Lease last = Take(5000).at(0);
  EXPECT_EQ(last.spent, Spent::kNo);
  EXPECT_EQ(last.job.attempts, 2);
  // Its worker dies: the job is not worked on again, and not lost.
  const Lease spent = Take(5100).at(0);
  EXPECT_EQ(spent.spent, Spent::kAttempts);
  EXPECT_EQ(spent.job.attempts, 2);
  EXPECT_EQ(Take(5200).at(0).spent, Spent::kAttempts) << "the gravedigger died too";
  const NewJob tell = Work("tell somebody", "told");
  ASSERT_TRUE(queue->Bury(Take(5300).at(0), "given up", std::span(&tell, 1), 5300));
  EXPECT_EQ(StateOf(id), JobState::kDead);
  EXPECT_EQ(queue->Find(id)->problem, "given up");
  EXPECT_EQ(queue->Find(id)->what.payload, "x") << "it may be redriven";
  EXPECT_THAT(Payloads(Take(5400)), ElementsAre("tell somebody"));
}

TEST_P(JobQueueContract, NothingIsWorkedOnPastItsDeadline) {
  NewJob job = Work("x");
  job.deadline = 3000;
  job.not_before = 50'000;
  const std::string id = Put(job);
  EXPECT_TRUE(Take(2999).empty());
  const Lease lease = Take(3000).at(0);
  EXPECT_EQ(lease.spent, Spent::kDeadline);
  EXPECT_EQ(lease.job.attempts, 0);
  ASSERT_TRUE(queue->Bury(lease, "too late", {}, 3000));
  // A retry waits no longer than the deadline either.
  job.not_before = 0;
  Put(job);
  ASSERT_TRUE(queue->Retry(Take(2000).at(0), 50'000, "again", 2000));
  const Lease late = Take(3000).at(0);
  EXPECT_EQ(late.spent, Spent::kDeadline);
  ASSERT_TRUE(queue->Bury(late, "too late", {}, 3000));
  ASSERT_TRUE(queue->Redrive(id, 7000));
  const Lease again = Take(7000, 1).at(0);
  EXPECT_EQ(again.job.id, id);
  EXPECT_EQ(again.spent, Spent::kNo) << "a redriven job has all the time";
}

TEST_P(JobQueueContract, WhatIsReleasedWasNeverBegun) {
  NewJob job = Work("x");
  job.attempts_max = 1;
  Put(job);
  ASSERT_TRUE(queue->Release(Take(2000).at(0), 2010, "no room", 2005));
  EXPECT_TRUE(Take(2009).empty()) << "not before it is due again";
  const Lease lease = Take(2010).at(0);
  EXPECT_EQ(lease.job.attempts, 1);
  EXPECT_EQ(lease.job.problem, "no room");
  EXPECT_EQ(lease.spent, Spent::kNo);
  ASSERT_TRUE(queue->Release(lease, 2020, "", 2011));
  EXPECT_EQ(Take(2020).at(0).job.problem, "no room") << "what was said before still holds";
}

TEST_P(JobQueueContract, AReleasedJobIsNotHeldBeyondItsDeadline) {
  NewJob job = Work("x");
  job.deadline = 5000;
  Put(job);
  ASSERT_TRUE(queue->Release(Take(2000).at(0), 9000, "later", 2001));
  EXPECT_EQ(Take(5001).at(0).spent, Spent::kDeadline);
}

TEST_P(JobQueueContract, FollowUpsComeWithTheCompletionOrNotAtAll) {
  const std::string id = Put(Work("x"));
  const Lease lease = Take(2000).at(0);
  std::vector<NewJob> follow_ups = {Work("one", "f1"), Work("two", "f2")};
  follow_ups[1].kind = "";
  EXPECT_FALSE(queue->Complete(lease, "r", follow_ups, 2001));
  EXPECT_EQ(StateOf(id), JobState::kLeased);
  follow_ups[1].kind = "judge";
  follow_ups[1].parent = id;
  ASSERT_TRUE(queue->Complete(lease, "r", follow_ups, 2001));
  EXPECT_THAT(Payloads(Take(2002)), ElementsAre("one", "two"));
  EXPECT_EQ(queue->List({.parent = id})->jobs.size(), 1U);
}

TEST_P(JobQueueContract, DeadOnesAreRedrivenOrDiscarded) {
  NewJob job = Work("x");
  job.attempts_max = 1;
  const std::string id = Put(job);
  EXPECT_EQ(queue->Redrive(id, 1).error().code, ErrorCode::kInvalidInput) << "it is not dead";
  EXPECT_EQ(queue->Discard(id).error().code, ErrorCode::kInvalidInput);
  ASSERT_TRUE(queue->Bury(Take(2000).at(0), "broken", {}, 2000));
  EXPECT_TRUE(Take(900'000).empty());
  ASSERT_TRUE(queue->Redrive(id, 3000));
  const Lease again = Take(3000).at(0);
  EXPECT_EQ(again.job.attempts, 1);
  EXPECT_EQ(again.job.what.payload, "x");
  ASSERT_TRUE(queue->Bury(again, "again", {}, 3000));
  ASSERT_TRUE(queue->Discard(id));
  EXPECT_EQ(queue->Find(id).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(queue->Redrive("none", 1));
  EXPECT_FALSE(queue->Discard("none"));
}

TEST_P(JobQueueContract, WhatIsCalledOffIsDoneAndItsWorkerHasLostIt) {
  const std::string waiting = Put(Work("waits"));
  const std::string worked_on = Put(Work("is worked on"), 2000);
  const std::string finished = Put(Work("is done"), 3000);
  ASSERT_TRUE(queue->CallOff(waiting, "r1", "nobody wants it", 4000));
  const std::vector<Lease> leases = Take(5000);
  ASSERT_EQ(leases.size(), 2U) << "what was called off is not handed out";
  ASSERT_TRUE(queue->Save(leases[0], "half"));
  ASSERT_TRUE(queue->CallOff(worked_on, "r2", "nor this", 5001));
  EXPECT_EQ(queue->Save(leases[0], "more").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(queue->Extend(leases[0], 9000).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(queue->Complete(leases[0], "figures", {}, 5002).error().code, ErrorCode::kNotFound);
  const Job job = queue->Find(worked_on).value();
  EXPECT_TRUE(WasCalledOff(job));
  EXPECT_EQ(job.problem, "nor this");
  EXPECT_EQ(job.result, "r2");
  EXPECT_EQ(job.what.payload + job.progress, "") << "what people wrote is gone";
  EXPECT_EQ(job.changed, 5001);

  ASSERT_TRUE(queue->Complete(leases[1], "figures", {}, 5003));
  EXPECT_EQ(queue->CallOff(finished, "", "too late", 6000).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(queue->CallOff(worked_on, "", "again", 6000).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(queue->CallOff(Put(Work("x")), "", "", 6000).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(queue->CallOff("none", "", "why", 6000).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(queue->Find(finished)->result, "figures");
  EXPECT_EQ(queue->List({.state = JobState::kDone, .called_off = true})->jobs.size(), 2U);
  EXPECT_EQ(queue->List({.state = JobState::kDone, .called_off = false})->jobs.size(), 1U);
  EXPECT_EQ(queue->Counts("", 6000)->done, 3U);
}

TEST_P(JobQueueContract, IsBoundedAndSaysSo) {
  Open({.jobs_max = 3, .bytes_max = 100});
  Put(Work("a"));
  const std::vector<NewJob> many = {Work("b"), Work("c"), Work("d")};
  const auto refused = queue->Enqueue(many, 1000);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_THAT(refused.error().message, HasSubstr("the queue is full: 3 jobs"));
  EXPECT_EQ(queue->Counts("", 1000)->waiting, 1U) << "all or nothing";
  Put(Work("b", "key"));
  Put(Work("c"));
  EXPECT_FALSE(queue->Enqueue(std::span(many).first(1), 1000));
  Put(Work("b", "key"));  // it is there already
  // Follow-ups of what was taken in are seen through; done ones do not count, dead ones do.
  const std::vector<Lease> leases = Take(2000);
  ASSERT_TRUE(queue->Complete(leases[0], "", many, 2000));
  EXPECT_FALSE(queue->Enqueue(std::span(many).first(1), 1000));
  ASSERT_TRUE(queue->Complete(leases[1], "", {}, 2000));
  ASSERT_TRUE(queue->Bury(leases[2], "x", {}, 2000));
  for (const Lease& lease : Take(2000, 1)) {
    ASSERT_TRUE(queue->Complete(lease, "", {}, 2000));
  }
  const auto dead = queue->Enqueue(std::span(many).first(1), 2000);
  EXPECT_THAT(Describe(dead.error()), HasSubstr("the 1 dead ones (safeguard jobs dead)"));
  ASSERT_TRUE(queue->Discard(leases[2].job.id));
  Put(Work("room again"));
  ASSERT_EQ(Take(3000).size(), 3U);
  for (const Lease& lease : Take(3100)) {
    ASSERT_TRUE(queue->Complete(lease, "", {}, 3100));
  }
  const NewJob large = Work(std::string(101, 'x'));
  EXPECT_THAT(queue->Enqueue(std::span(&large, 1), 1).error().message, HasSubstr("100 bytes"));
}

TEST_P(JobQueueContract, KeepsDoneAndDeadOnesForAWhile) {
  Open({.done_kept_ms = 1000, .dead_kept_ms = 5000});
  for (int i = 0; i < 6; ++i) {
    Put(Work(std::to_string(i), "key " + std::to_string(i)));
  }
  const std::vector<Lease> leases = Take(2000);
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(i < 3 ? queue->Complete(leases[i], "", {}, 2000)
                      : queue->Bury(leases[i], "x", {}, 2000));
  }
  EXPECT_EQ(queue->Prune(100, 2999).value(), 0U);
  EXPECT_EQ(queue->Prune(2, 3000).value(), 2U);
  EXPECT_EQ(queue->Prune(100, 3000).value(), 1U);
  EXPECT_EQ(queue->Prune(100, 7000).value(), 2U);
  EXPECT_EQ(queue->Counts("", 9000)->leased, 1U) << "what is not finished stays";
  const NewJob again = Work("0", "key 0");
  EXPECT_TRUE(queue->Enqueue(std::span(&again, 1), 9000)->front().is_new);
  Open({.done_kept_ms = 0, .dead_kept_ms = 0});
  EXPECT_EQ(queue->Prune(100, 1'000'000'000).value(), 0U);
}

TEST_P(JobQueueContract, ListsInPagesAndCounts) {
  std::vector<std::string> ids;
  for (int i = 0; i < 7; ++i) {
    NewJob job = Work(std::to_string(i));
    job.not_before = i == 6 ? 8000 : 0;
    ids.push_back(Put(job));
  }
  NewJob other = Work("n");
  other.kind = "notify";
  Put(other);
  JobQuery query{.kind = "judge", .limit = 3};
  std::vector<std::string> seen;
  for (JobPage page{.jobs = {}, .next = 0, .end = false}; !page.end; query.after = page.next) {
    page = queue->List(query).value();
    EXPECT_LE(page.jobs.size(), 3U);
    for (const Job& job : page.jobs) {
      EXPECT_EQ(job.what.payload, "") << "a list is short";
      seen.push_back(job.id);
    }
  }
  EXPECT_EQ(seen, ids);
  const std::vector<Lease> leases = Take(2000, 4, 1000);
  ASSERT_TRUE(queue->Complete(leases[0], "", {}, 2000));
  ASSERT_TRUE(queue->Bury(leases[1], "x", {}, 2000));
  const auto counts = queue->Counts("judge", 2500).value();
  EXPECT_EQ(counts.waiting, 3U);
  EXPECT_EQ(counts.due, 2U);
  EXPECT_EQ(counts.leased, 2U);
  EXPECT_EQ(counts.done, 1U);
  EXPECT_EQ(counts.dead, 1U);
  EXPECT_EQ(counts.next, 3000) << "when the first lease ends";
  EXPECT_EQ(queue->Counts("judge", 3000)->due, 4U) << "leases that ended are due";
  EXPECT_EQ(queue->Counts("", 2500)->waiting, 4U);
  EXPECT_EQ(queue->List({.state = JobState::kDead})->jobs.at(0).id, leases[1].job.id);
  EXPECT_FALSE(queue->List({.limit = 0}));
  EXPECT_FALSE(queue->List({.limit = 100'000}));
}

TEST_P(JobQueueContract, LongProblemsAreCutBetweenCharacters) {
  const std::string id = Put(Work("x"));
  std::string problem(1999, 'a');
  problem += "\xC3\xA9 and more";
  ASSERT_TRUE(queue->Bury(Take(2000).at(0), problem, {}, 2000));
  EXPECT_EQ(queue->Find(id)->problem, std::string(1999, 'a'));
}

TEST_P(JobQueueContract, ThreadsDoEachJobOnce) {
  constexpr int kProducers = 3;
  constexpr int kJobs = 40;
  std::vector<std::thread> threads;
  for (int p = 0; p < kProducers; ++p) {
    threads.emplace_back([&, p] {
      for (int i = 0; i < kJobs; ++i) {
        const NewJob job = Work(std::to_string(p * kJobs + i));
        EXPECT_TRUE(queue->Enqueue(std::span(&job, 1), 1000));
      }
    });
  }
  std::mutex mutex;
  std::multiset<std::string> done;
  for (int w = 0; w < 3; ++w) {
    threads.emplace_back([&] {
      while (true) {
        const auto leases = queue->Take({{"judge"}, 3, 1'000'000, "w"}, 2000);
        ASSERT_TRUE(leases) << Describe(leases.error());
        for (const Lease& lease : *leases) {
          EXPECT_TRUE(queue->Complete(lease, "", {}, 2000));
        }
        const std::lock_guard lock(mutex);
        for (const Lease& lease : *leases) {
          done.insert(lease.job.what.payload);
        }
        if (done.size() >= static_cast<std::size_t>(kProducers * kJobs)) {
          return;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(done.size(), static_cast<std::size_t>(kProducers * kJobs));
  EXPECT_EQ(std::set<std::string>(done.begin(), done.end()).size(), done.size());
  EXPECT_EQ(queue->Counts("", 2000)->done, done.size());
}

INSTANTIATE_TEST_SUITE_P(
    Queues, JobQueueContract,
    ::testing::Values(Kind{"Memory",
                           [](const std::string&, const QueueLimits& limits) {
                             return moderation::MemoryJobQueue(limits);
                           }},
                      Kind{"Sqlite",
                           [](const std::string& folder, const QueueLimits& limits) {
                             auto opened = OpenJobQueue(folder, limits, {.create = true});
                             EXPECT_TRUE(opened) << Describe(opened.error());
                             return opened ? std::move(*opened) : nullptr;
                           }}),
    [](const auto& named) { return named.param.name; });

}  // namespace
}  // namespace safeguard::storage
