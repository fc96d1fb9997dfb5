// One budget over several processes: together they keep the cap, whoever dies in it.
#include "storage/shared_bucket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <new>

#include "moderation/governor.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

using moderation::Duration;
using moderation::EffortGrant;
using moderation::EffortPurpose;
using moderation::Governor;
using moderation::GovernorSettings;
using moderation::SharedBucket;

constexpr double kRate = 1000;  // tokens a second
constexpr double kCost = 50;
constexpr Duration kStep = std::chrono::milliseconds(10);

// What the processes see of one another besides the bucket: a clock that the test turns.
struct Stage {
  std::atomic<std::int64_t> now;
  std::atomic<int> step;
  std::atomic<bool> end;
  std::array<std::atomic<int>, 4> reached;
  std::array<std::atomic<double>, 4> spent;
};

struct SharedStage {
  SharedStage()
      : memory(::mmap(nullptr, sizeof(Stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0)),
        stage(*new(memory) Stage{}) {}
  ~SharedStage() { ::munmap(memory, sizeof(Stage)); }
  SharedStage(const SharedStage&) = delete;
  SharedStage& operator=(const SharedStage&) = delete;
  void* memory;
  Stage& stage;
};

class StageClock final : public moderation::Clock {
 public:
  explicit StageClock(const Stage& stage) : stage_(stage) {}
  [[nodiscard]] Duration Now() const override { return Duration{stage_.now.load()}; }

 private:
  const Stage& stage_;
};

SharedBucketOptions On(const Stage& stage) {
  // However busy the machine is: what is tested is the sum, not the waiting.
  return {.wait = std::chrono::milliseconds(2000),
          .now = [&stage] { return Duration{stage.now.load()}; }};
}

// A process with a governor of its own: `rate` cases a second until the end.
void Serve(const std::string& folder, Stage& stage, std::size_t me, double rate) {
  auto opened = OpenSharedBucket(folder, "comments", On(stage));
  if (!opened) {
    ::_exit(1);
  }
  GovernorSettings settings;
  settings.budget.tokens_per_second = kRate;
  Governor governor(settings, nullptr, std::make_shared<StageClock>(stage), false,
                    std::shared_ptr<SharedBucket>(std::move(*opened)));
  const auto random = moderation::SeededRandom(me + 1);
  double due = 0;
  for (int done = 0; !stage.end.load();) {
    const int step = stage.step.load();
    if (step == done) {
      ::sched_yield();
      continue;
    }
    for (due += rate * 0.01; due >= 1; due -= 1) {
      const EffortGrant grant = governor.Ask(
          {.purpose = EffortPurpose::kDecide, .probability = random->Uniform(), .cost = kCost}, 0);
      if (grant.answer == EffortGrant::Answer::kGranted) {
        const double tokens = kCost * (0.5 + random->Uniform());
        governor.Settle(grant, 0, tokens, Duration{-1});
        stage.spent[me].store(stage.spent[me].load() + tokens);
      }
    }
    done = step;
    stage.reached[me].store(step);
  }
}

class SharedBuckets : public ::testing::Test {
 protected:
  void Start(std::size_t me, double rate) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Serve(folder.path(), shared.stage, me, rate);
      ::_exit(0);
    }
    children[me] = child;
    shared.stage.reached[me].store(shared.stage.step.load());
  }
  void Kill(std::size_t me) {
    ::kill(children[me], SIGKILL);
    ::waitpid(children[me], nullptr, 0);
    children[me] = 0;
  }
  // All that live go through `seconds`; what they spend meanwhile.
  double Run(double seconds) {
    const double before = Spent();
    for (int i = 0; i < static_cast<int>(seconds * 100); ++i) {
      shared.stage.now.fetch_add(kStep.count());
      const int step = ++shared.stage.step;
      for (std::size_t p = 0; p < children.size(); ++p) {
        while (children[p] != 0 && shared.stage.reached[p].load() < step) {
          if (::waitpid(children[p], nullptr, WNOHANG) == children[p]) {
            children[p] = 0;
            ADD_FAILURE() << "process " << p << " has ended";
          }
          ::sched_yield();
        }
      }
    }
    return Spent() - before;
  }
  double Spent() {
    double all = 0;
    for (const auto& one : shared.stage.spent) {
      all += one.load();
    }
    return all;
  }
  void TearDown() override {
    shared.stage.end.store(true);
    for (const pid_t child : children) {
      if (child != 0) {
        ::waitpid(child, nullptr, 0);
      }
    }
  }

  TestFolder folder;
  SharedStage shared;
  std::array<pid_t, 4> children{};
};

TEST_F(SharedBuckets, TwoProcessesTogetherKeepTheCap) {
  Start(0, 60);  // three times the budget
  Start(1, 20);  // all of it
  Run(30);       // until the first burst is spent
  const double first = shared.stage.spent[0].load();
  const double spent = Run(60);
  EXPECT_LE(spent, 60 * kRate * 1.02);
  EXPECT_GE(spent, 60 * kRate * 0.98);
  const double part = (shared.stage.spent[0].load() - first) / spent;
  EXPECT_NEAR(part, 0.75, 0.1) << "each has its part by what it asks for";
}

TEST_F(SharedBuckets, AStepOfLoadAndAKilledProcessKeepItToo) {
  Start(0, 10);
  Run(20);
  Start(1, 100);  // a second process comes with ten times that
  Run(20);
  EXPECT_LE(Run(30), 30 * kRate * 1.02);
  Kill(1);
  Start(2, 100);
  EXPECT_LE(Run(30), 30 * kRate * 1.02);
  EXPECT_LE(Spent(), (100 * kRate + 10 * kRate) * 1.02) << "and one burst in all: none for a start";
}

TEST_F(SharedBuckets, WhoeverIsKilledAtAnyMomentLeavesNoMoreThanThereWas) {
  shared.stage.now.store(1'000'000);
  const auto survivor = OpenSharedBucket(folder.path(), "comments", On(shared.stage)).value();
  const SharedBucket::Mine look{0, 100, 100, 10, 0, 0};
  double held = survivor->Exchange(look)->level;
  EXPECT_EQ(held, 1000) << "full at first";
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto mine = OpenSharedBucket(folder.path(), "comments", On(shared.stage)).value();
      for (;;) {
        mine->Exchange({0.001, 100, 100, 10, 0, 0});
      }
    }
    ::usleep(2000);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const auto seen = survivor->Exchange(look);
    ASSERT_TRUE(seen) << "its lock went with it";
    EXPECT_LE(seen->level, held);
    held = seen->level;
  }
}

TEST_F(SharedBuckets, WithoutTheOthersNothingIsGrantedAndNothingIsForgotten) {
  auto opened =
      OpenSharedBucket(folder.path(), "comments",
                       {.wait = std::chrono::milliseconds(1), .now = On(shared.stage).now});
  ASSERT_TRUE(opened);
  moderation::ComputeBudget budget;
  budget.tokens_per_second = kRate;
  moderation::TokenBudget tokens(budget, std::make_shared<StageClock>(shared.stage),
                                 std::shared_ptr<SharedBucket>(std::move(*opened)));
  EXPECT_EQ(tokens.Fill(), 1);
  // Somebody holds the lock and is stopped in it.
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    file = entry.path();
  }
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  tokens.Take(500);
  EXPECT_LE(tokens.Fill(), 0) << "the stricter wins";
  ::close(fd);
  EXPECT_NEAR(tokens.Fill(), 0.95, 1e-9) << "what was taken meanwhile is told";
}

TEST_F(SharedBuckets, TheStricterOfTwoSettingsHolds) {
  const auto one = OpenSharedBucket(folder.path(), "comments", On(shared.stage)).value();
  const auto two = OpenSharedBucket(folder.path(), "comments", On(shared.stage)).value();
  one->Exchange({0, 100, 100, 10, 7, 0});
  const auto seen = two->Exchange({0, 1000, 1000, 10, 3, 0});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->rate, 100);
  EXPECT_EQ(seen->demand, 7);
  EXPECT_EQ(seen->level, 1000);
}

TEST_F(SharedBuckets, AStartIsNoNewBurstAndAStrangeFileIsAnEmptyBucket) {
  const SharedBucket::Mine all{1000, 100, 100, 10, 0, 0};
  OpenSharedBucket(folder.path(), "comments", On(shared.stage)).value()->Exchange(all);
  const SharedBucket::Mine look{0, 100, 100, 10, 0, 0};
  const auto level = [&] {
    return OpenSharedBucket(folder.path(), "comments", On(shared.stage))
        .value()
        ->Exchange(look)
        ->level;
  };
  EXPECT_EQ(level(), 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    std::ofstream(entry.path()) << "something else";
  }
  const auto anew = OpenSharedBucket(folder.path(), "comments", On(shared.stage)).value();
  EXPECT_EQ(anew->Exchange(look)->level, 0);
  shared.stage.now.fetch_add(1'000'000);
  EXPECT_NEAR(anew->Exchange(look)->level, 100, 1e-9);
}

}  // namespace
}  // namespace safeguard::storage
