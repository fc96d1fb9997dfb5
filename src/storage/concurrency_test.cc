// Changes seen by running readers, in threads and in other processes, and changes that are killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "moderation/live_policies.h"
#include "moderation/memory_store.h"
#include "storage/stores.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

using moderation::LivePolicies;
using moderation::PolicyStore;
using moderation::VersionState;

// What a writer tells and readers check, across processes. Steps are numbered; step s makes
// active[s] the answer. Before a switch begins `begun` is s, after it returned `done` is s.
struct Ledger {
  static constexpr int kSteps = 30;
  std::atomic<int> begun;
  std::atomic<int> done;
  std::atomic<bool> stop;
  std::atomic<std::int64_t> requests;
  std::atomic<int> wrong;
  std::array<std::atomic<int>, kSteps + 2> active;
};

std::unique_ptr<PolicyStore> Open(const std::string& folder) {
  auto opened = OpenPolicyStore(folder, {.create = true});
  return opened ? std::move(*opened) : nullptr;
}

// Shared by the child processes.
struct SharedLedger {
  SharedLedger()
      : memory(::mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0)),
        ledger(*new(memory) Ledger{}) {}
  ~SharedLedger() { ::munmap(memory, sizeof(Ledger)); }
  SharedLedger(const SharedLedger&) = delete;
  SharedLedger& operator=(const SharedLedger&) = delete;
  void* memory;
  Ledger& ledger;
};

// The fake judge: it reads the whole text of the version that it was given, and answers with the
// number that the text says. A half version would show as a number that is not its own.
int Judge(const moderation::LiveVersion& version) {
  const std::string& text = version.policy.rules.at(0).text;
  return std::stoi(text.substr(text.rfind(' ') + 1));
}

// Requests until the writer stops: the version that answers must have been active at some instant
// of the request, that is in a step between `done` before it and `begun` after it.
void Request(LivePolicies& live, Ledger& ledger) {
  while (!ledger.stop) {
    const int first = ledger.done;
    const auto snapshot = live.Current();
    const auto resolved =
        snapshot ? (*snapshot)->Resolve("spam", "key") : std::unexpected(snapshot.error());
    if (!resolved) {
      ++ledger.wrong;
      continue;
    }
    const int answer = Judge(*resolved->version);
    const int last = ledger.begun;
    bool was_active = std::to_string(answer) == resolved->version->policy.version;
    bool found = false;
    for (int step = first; step <= last; ++step) {
      found = found || ledger.active[static_cast<std::size_t>(step)] == answer;
    }
    was_active = was_active && found;
    ledger.wrong += was_active ? 0 : 1;
    ++ledger.requests;
  }
}

// Publishes, promotes and rolls back; after each switch asks at once whether it is seen.
void Switch(PolicyStore& store, Ledger& ledger) {
  LivePolicies live(store);
  std::vector<int> stack = {1};
  int published = 1;
  std::mt19937 random(7);
  for (int step = 1; step <= Ledger::kSteps; ++step) {
    // Readers are at work all the time, else nothing is tested.
    for (const std::int64_t seen = ledger.requests; ledger.requests <= seen && ledger.wrong == 0;) {
      std::this_thread::yield();
    }
    const bool rolls_back = stack.size() > 1 && random() % 3 == 0;
    if (rolls_back) {
      stack.pop_back();
    } else {
      ++published;
      (void)store.Publish("spam", {PolicyText("number " + std::to_string(published)), ""},
                          By("ada"));
      stack.push_back(published);
    }
    ledger.active[static_cast<std::size_t>(step)] = stack.back();
    ledger.begun = step;
    const auto moved = rolls_back
                           ? store.Rollback("spam", By("ada"))
                           : store.Move("spam", published, VersionState::kActive, 0, By("ada"));
    ledger.wrong += moved ? 0 : 1;
    ledger.done = step;
    const auto seen = live.Current().value()->Resolve("spam", "key");
    ledger.wrong += seen && Judge(*seen->version) == stack.back() ? 0 : 1;
  }
  ledger.stop = true;
}

void Begin(PolicyStore& store, Ledger& ledger) {
  ASSERT_TRUE(store.Publish("spam", {PolicyText("number 1"), ""}, By("ada")));
  ASSERT_TRUE(store.Move("spam", 1, VersionState::kActive, 0, By("ada")));
  ledger.active[0] = 1;
}

void RunThreads(PolicyStore& store) {
  const SharedLedger shared;
  Begin(store, shared.ledger);
  LivePolicies live(store);
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] { Request(live, shared.ledger); });
  }
  Switch(store, shared.ledger);
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_EQ(shared.ledger.wrong, 0);
  EXPECT_GT(shared.ledger.requests, Ledger::kSteps);
}

TEST(Concurrency, ThreadsSeeEachSwitchAtOnceInMemory) {
  RunThreads(*moderation::MemoryPolicyStore());
}

TEST(Concurrency, ThreadsSeeEachSwitchAtOnceOnTheDisk) {
  const TestFolder folder;
  RunThreads(*Open(folder.path()));
}

TEST(Concurrency, ProcessesSeeEachSwitchAtOnce) {
  const TestFolder folder;
  const SharedLedger shared;
  Begin(*Open(folder.path()), shared.ledger);
  std::vector<pid_t> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(::fork());
    if (readers.back() == 0) {
      const auto store = Open(folder.path());
      LivePolicies live(*store);
      Request(live, shared.ledger);
      ::_exit(0);
    }
  }
  Switch(*Open(folder.path()), shared.ledger);
  for (const pid_t reader : readers) {
    int status = 0;
    ::waitpid(reader, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(shared.ledger.wrong, 0);
  EXPECT_GT(shared.ledger.requests, Ledger::kSteps);
}

TEST(Concurrency, ManyProcessesPublishWithoutLosingAny) {
  const TestFolder folder;
  constexpr int kWriters = 4;
  constexpr int kEach = 8;
  std::vector<pid_t> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.push_back(::fork());
    if (writers.back() == 0) {
      const auto store = Open(folder.path());  // the first ones make the database together
      int failed = store == nullptr ? 1 : 0;
      for (int i = 0; i < kEach && failed == 0; ++i) {
        const std::string text = "writer " + std::to_string(w) + " text " + std::to_string(i);
        failed = store->Publish("spam", {PolicyText(text), ""}, By("ada")) ? 0 : 1;
      }
      ::_exit(failed);
    }
  }
  for (const pid_t writer : writers) {
    int status = 0;
    ::waitpid(writer, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const auto store = Open(folder.path());
  EXPECT_EQ(store->Versions("spam")->size(), static_cast<std::size_t>(kWriters * kEach));
}

// A child publishes and promotes in a circle and is killed at a random moment; what is left must be
// whole: numbers without gaps, bytes that fit their hashes, one active version, and a history that
// leads to exactly this state.
TEST(Concurrency, AKillLeavesNeverHalfAVersion) {
  std::mt19937 random(20261128);
  const TestFolder folder;
  Ledger unused{};
  Begin(*Open(folder.path()), unused);
  std::size_t versions_before = 1;
  int killed_at_work = 0;
  for (int round = 0; round < 25; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto store = Open(folder.path());
      for (int i = 0;; ++i) {
        const std::string text = std::to_string(round) + " " + std::to_string(i);
        const auto published = store->Publish(
            "spam", {PolicyText(text + std::string(50'000, 'x')), "{}\n" + text}, By("ada"));
        if (published) {
          (void)store->Move("spam", published->version.number, VersionState::kActive, 0, By("ada"));
        }
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(1000 + random() % 12'000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const auto store = Open(folder.path());
    ASSERT_NE(store, nullptr);
    const auto versions = store->Versions("spam").value();
    killed_at_work += versions.size() > versions_before ? 1 : 0;
    int active = 0;
    for (std::size_t v = versions_before - 1; v < versions.size(); ++v) {
      ASSERT_EQ(versions[v].number, static_cast<int>(v) + 1);
      ASSERT_TRUE(store->Read("spam", versions[v].number)) << "bytes fit the hash";
    }
    for (const auto& version : versions) {
      active += version.state == VersionState::kActive ? 1 : 0;
    }
    ASSERT_EQ(active, 1);
    versions_before = versions.size();
  }
  EXPECT_GT(killed_at_work, 5) << "the kills came before any work";
  const auto store = Open(folder.path());
  std::size_t published = 0;
  int last_active = 0;
  const auto events = store->History("spam", 0, 1'000'000).value();
  for (const auto& event : events) {
    published += event.kind == moderation::EventKind::kPublish ? 1 : 0;
    last_active = event.kind == moderation::EventKind::kMove ? event.number : last_active;
  }
  EXPECT_EQ(published, versions_before);
  EXPECT_EQ(store->Find("spam", "active")->number, last_active);
}

}  // namespace
}  // namespace safeguard::storage
