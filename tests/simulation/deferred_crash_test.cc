// A cascade that leaves work for later, on a queue on the disk, with processes that are killed at
// every step: what was acknowledged as put off is finished by the route's reasoner and recorded
// once, with what was answered meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "moderation/cascade/route/test_parts.h"
#include "storage/test_jobs.h"

namespace safeguard::simulation {
namespace {

using moderation::DeferredItem;
using moderation::JobState;
using moderation::Outcome;
using moderation::route::TestHouse;
using storage::Die;
using storage::KilledIn;
using storage::OpenJobs;
using storage::Shared;
using storage::TestFolder;
using At = std::function<void(const std::string&)>;

// The queue as a cascade sees it, dying before or after it has taken something in.
class DyingQueue final : public moderation::DeferredWork {
 public:
  DyingQueue(std::unique_ptr<moderation::JobQueue> queue, const Shared& shared, At at)
      : queue_(std::move(queue)),
        work_(moderation::QueuedWork(*queue_, {.now = [&shared] { return shared->now.load(); },
                                               .route_file = "route.yaml"})),
        at_(std::move(at)) {}

  Status Defer(const DeferredItem& item) override {
    at_("before it is put off");
    Status deferred = work_->Defer(item);
    at_("after it is put off");
    return deferred;
  }
  std::size_t Backlog() override { return work_->Backlog(); }

 private:
  std::unique_ptr<moderation::JobQueue> queue_;
  std::unique_ptr<moderation::DeferredWork> work_;
  At at_;
};

// A route whose reasoner takes longer than an answer may: what the screen is unsure of is put off.
class House : public TestHouse {
 public:
  House() {
    settings.name = "comments";
    settings.governor.latency_p99 = std::chrono::milliseconds(200);
    reasoners[0]->takes = std::chrono::seconds(2);
  }
  moderation::Cascade& OpenOn(std::shared_ptr<moderation::DeferredWork> work) {
    moderation::CascadeParts parts;
    parts.screen = screen;
    parts.reasoners.assign(reasoners.begin(), reasoners.end());
    parts.deferred = std::move(work);
    parts.clock = clock;
    parts.random = moderation::SeededRandom(1);
    parts.calls = calls;
    cascade = MakeCascade(settings, std::move(parts));
    prepared = *cascade->Prepare(policy, {});
    return *cascade;
  }
};

// Judges `texts`; whatever is answered is written down first, as a client would have it.
void Answer(const TestFolder& folder, const Shared& shared, const std::vector<std::string>& texts,
            const At& at) {
  House house;
  house.OpenOn(std::make_shared<DyingQueue>(OpenJobs(folder.path()), shared, at));
  for (const std::string& text : texts) {
    const moderation::Verdict verdict = house.Judge(text);
    EXPECT_NE(verdict.outcome, Outcome::kSafe) << "the screen was not sure";
    if (verdict.provisional) {
      std::ofstream(folder.Path("answered"), std::ios::app) << text << std::endl;
    }
    at("answered");
  }
}

// Works until nothing is due.
void Finish(const TestFolder& folder, const Shared& shared, const At& at) {
  House house;
  moderation::Cascade& cascade = house.OpenOn(nullptr);
  const auto queue = OpenJobs(folder.path());
  const auto log = storage::OpenVerdictLog(folder.path(), {.create = true});
  ASSERT_TRUE(log);
  const auto random = moderation::SeededRandom(1);
  moderation::WorkerOptions options;
  options.now = [&] { return shared->now.load(); };
  options.random = random.get();
  options.batch = 2;
  options.on_event = [&](const moderation::JobEvent& event) { at(ToString(event.step)); };
  options.routes = [&](const moderation::Judgement& judgement) -> Result<moderation::RouteFinish> {
    EXPECT_EQ(judgement.route, "comments");
    EXPECT_EQ(judgement.route_file, "route.yaml");
    at("judging");
    ++shared->judged;
    return moderation::RouteFinish{&cascade,
                                   [&](const moderation::JudgedPolicy&) { return house.prepared; }};
  };
  const auto worker = moderation::JudgementWorker(*queue, **log, nullptr, {}, options);
  for (std::size_t worked = 1; worked > 0;) {
    const auto result = worker->Work();
    ASSERT_TRUE(result) << Describe(result.error());
    worked = *result;
  }
}

std::vector<std::string> Answered(const TestFolder& folder) {
  std::vector<std::string> lines;
  std::ifstream in(folder.Path("answered"));
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

// Content hash -> its records.
std::map<std::string, std::vector<moderation::VerdictRecord>> Recorded(const TestFolder& folder) {
  std::map<std::string, std::vector<moderation::VerdictRecord>> records;
  const auto log = storage::OpenVerdictLog(folder.path(), {.create = true}).value();
  moderation::VerdictPage page = log->Scan({.limit = 1000}).value();
  for (moderation::VerdictRecord& record : page.records) {
    records[record.content_hash].push_back(std::move(record));
  }
  return records;
}

class KilledRoute : public ::testing::TestWithParam<const char*> {};

TEST_P(KilledRoute, LosesNothingThatWasPutOff) {
  const TestFolder folder;
  const Shared shared;
  const std::vector<std::string> texts = {"0.50 bad", "0.45 fine", "0.55 bad too"};
  int left = 2;  // the second time, so that something is behind it and something before
  const bool killed = KilledIn([&] {
    const At at = [&](const std::string& now) {
      if (now == GetParam() && --left == 0) {
        Die();
      }
    };
    Answer(folder, shared, texts, at);
    Finish(folder, shared, at);
  });
  ASSERT_TRUE(killed) << "no such step";
  shared->now += 61'000;  // the dead worker's leases end
  // Whoever was not answered asks again; whoever was waits.
  const std::vector<std::string> before = Answered(folder);
  std::vector<std::string> again;
  for (const std::string& text : texts) {
    if (std::ranges::find(before, text) == before.end()) {
      again.push_back(text);
    }
  }
  Answer(folder, shared, again, [](const std::string&) {});
  Finish(folder, shared, [](const std::string&) {});

  const auto records = Recorded(folder);
  for (const std::string& text : texts) {
    const auto found = records.find(ContentHash(moderation::UserMessage(text)));
    ASSERT_NE(found, records.end()) << text << " was lost";
    ASSERT_EQ(found->second.size(), 1U) << text << " is there twice";
    const moderation::VerdictRecord& record = found->second[0];
    EXPECT_EQ(record.outcome,
              text.find("bad") != std::string::npos ? Outcome::kViolation : Outcome::kSafe);
    EXPECT_EQ(record.layer, "reasoner");
    ASSERT_TRUE(record.provisional) << "what was answered meanwhile goes with it";
    EXPECT_EQ(record.provisional->outcome, Outcome::kUndetermined);
    EXPECT_EQ(record.provisional->reason, moderation::UndeterminedReason::kTimeout);
  }
  const auto counts = OpenJobs(folder.path())->Counts("", shared->now);
  EXPECT_EQ(counts->done, texts.size()) << "one job each, however often it was asked";
  EXPECT_EQ(counts->waiting + counts->leased + counts->dead, 0U);
}

INSTANTIATE_TEST_SUITE_P(AtEveryStep, KilledRoute,
                         ::testing::Values("before it is put off", "after it is put off",
                                           "answered", "taken", "judging", "judged", "saved",
                                           "recorded", "finished"),
                         [](const auto& named) {
                           std::string name = named.param;
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

// Answering and finishing processes side by side, killed at moments that nobody chose.
TEST(KilledRoutes, EverythingThatWasPutOffIsFinishedOnce) {
  constexpr int kRounds = 20;
  const TestFolder folder;
  const Shared shared;
  std::mt19937 random(20261128);
  int kills = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> texts;
    for (int i = 0; i < 10; ++i) {
      texts.push_back("0.5 bad " + std::to_string(round) + "." + std::to_string(i));
    }
    std::vector<pid_t> children;
    for (const bool answers : {true, false}) {
      children.push_back(::fork());
      if (children.back() == 0) {
        if (answers) {
          Answer(folder, shared, texts, [](const std::string&) {});
        } else {
          Finish(folder, shared, [](const std::string&) {});
        }
        ::_exit(0);
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    for (const pid_t child : children) {
      ::kill(child, SIGKILL);
      int status = 0;
      ::waitpid(child, &status, 0);
      kills += WIFSIGNALED(status) ? 1 : 0;
    }
    shared->now += 60'001;
  }
  EXPECT_GT(kills, kRounds / 4) << "they had ended before";
  Finish(folder, shared, [](const std::string&) {});
  const auto records = Recorded(folder);
  const std::vector<std::string> answered = Answered(folder);
  EXPECT_GT(answered.size(), std::size_t{kRounds});
  const auto dead = OpenJobs(folder.path())->Counts("", shared->now)->dead;
  std::size_t missing = 0;
  for (const std::string& text : answered) {
    const auto found = records.find(ContentHash(moderation::UserMessage(text)));
    missing += found == records.end() ? 1 : 0;
    EXPECT_TRUE(found == records.end() || found->second.size() == 1U) << text;
  }
  EXPECT_LE(missing, dead) << "one that killed five workers in a row is a dead letter, not lost";
}

}  // namespace
}  // namespace safeguard::simulation
