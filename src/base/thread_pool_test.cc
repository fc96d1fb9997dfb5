#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace safeguard {
namespace {

TEST(ThreadPool, RunsEveryIndexExactlyOnce) {
  for (const std::size_t threads : {1U, 2U, 5U}) {
    ThreadPool pool(threads);
    for (const std::size_t count : {0U, 1U, 2U, 1000U}) {
      std::vector<std::atomic<int>> runs(count);
      pool.ParallelFor(count, [&](std::size_t i, std::size_t worker) {
        ASSERT_LT(worker, threads);
        ++runs[i];
      });
      for (const std::atomic<int>& run : runs) {
        ASSERT_EQ(run.load(), 1);
      }
    }
  }
}

// Jobs that follow one another at once: nobody takes an index of the wrong one.
TEST(ThreadPool, ManyShortJobsRunEachIndexOnce) {
  ThreadPool pool(4);
  for (std::size_t round = 0; round < 2000; ++round) {
    const std::size_t count = 2 + round % 7;
    std::vector<std::atomic<std::size_t>> runs(count);
    pool.ParallelFor(count, [&, round](std::size_t i, std::size_t) { runs[i] += round + 1; });
    for (const std::atomic<std::size_t>& run : runs) {
      ASSERT_EQ(run.load(), round + 1);
    }
  }
}

// What a job wrote is seen by the caller and by the next job, without locks of the caller's own.
TEST(ThreadPool, JobsSeeWhatJobsBeforeThemWrote) {
  ThreadPool pool(3);
  std::vector<std::size_t> numbers(50, 1);
  for (std::size_t round = 0; round < 20; ++round) {
    pool.ParallelFor(numbers.size(), [&](std::size_t i, std::size_t) { numbers[i] *= 2; });
    std::vector<std::size_t> turned(numbers.rbegin(), numbers.rend());
    pool.ParallelFor(numbers.size(), [&](std::size_t i, std::size_t) { numbers[i] = turned[i]; });
  }
  EXPECT_EQ(numbers, std::vector<std::size_t>(50, std::size_t{1} << 20));
}

TEST(ThreadPool, SleepersWakeForTheNextJob) {
  ThreadPool pool(3);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> total{0};
    pool.ParallelFor(100, [&](std::size_t, std::size_t) { ++total; });
    EXPECT_EQ(total.load(), 100);
  }
}

TEST(ThreadPool, CallersTakeTurns) {
  ThreadPool pool(3);
  std::atomic<int> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        pool.ParallelFor(10, [&](std::size_t, std::size_t) { ++total; });
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT_EQ(total.load(), 4 * 50 * 10);
}

}  // namespace
}  // namespace safeguard
