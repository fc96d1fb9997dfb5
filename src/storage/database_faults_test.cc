// What goes wrong with files: each fault is one clear error, and nothing is half done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/policy_schema.h"
#include "storage/sqlite/verdict_schema.h"
#include "storage/stores.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

namespace fs = std::filesystem;
using moderation::PolicyStore;
using moderation::VersionState;
using ::testing::HasSubstr;

class DatabaseFaults : public ::testing::Test {
 protected:
  std::unique_ptr<PolicyStore> Open(bool create = true) {
    auto opened = OpenPolicyStore(folder.path(), {create, std::chrono::milliseconds{50}});
    error = opened ? Error{} : opened.error();
    return opened ? std::move(*opened) : nullptr;
  }
  void Fill(int versions) {
    const auto store = Open();
    ASSERT_NE(store, nullptr);
    for (int i = 0; i < versions; ++i) {
      ASSERT_TRUE(store->Publish(
          "spam", {PolicyText(std::string(3000, 'a') + std::to_string(i)), ""}, By("ada")));
    }
  }

  TestFolder folder;
  std::string file = folder.Path("policies.db");
  Error error;
};

TEST_F(DatabaseFaults, NothingThere) {
  EXPECT_EQ(Open(false), nullptr);
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.hint, HasSubstr("SAFEGUARD_DATA"));
}

TEST_F(DatabaseFaults, FilesAreForTheirOwnerAlone) {
  Fill(1);
  ASSERT_TRUE(OpenVerdictLog(folder.path(), {.create = true}));
  for (const char* name : {"policies.db", "verdicts.db"}) {
    EXPECT_EQ(fs::status(folder.Path(name)).permissions(), fs::perms(0600)) << name;
  }
}

TEST_F(DatabaseFaults, NotADatabase) {
  std::ofstream(file) << std::string(5000, 'x');
  EXPECT_EQ(Open(), nullptr);
  EXPECT_EQ(error.code, ErrorCode::kCorruptFile);
  EXPECT_THAT(error.message, HasSubstr("is not a database"));
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_EQ(Open(), nullptr);
  EXPECT_THAT(error.message, HasSubstr("is not a file"));
}

TEST_F(DatabaseFaults, AnotherProgramsDatabaseIsLeftAlone) {
  {
    auto other = Connection::Open(file, {.create = true});
    ASSERT_TRUE(other);
    ASSERT_TRUE((*other)->Execute("CREATE TABLE theirs (x)"));
  }
  std::ostringstream before;
  before << std::ifstream(file, std::ios::binary).rdbuf();
  EXPECT_EQ(Open(), nullptr);
  EXPECT_EQ(error.code, ErrorCode::kCorruptFile);
  EXPECT_THAT(error.message, HasSubstr("not one of safeguard's policy stores"));
  std::ostringstream after;
  after << std::ifstream(file, std::ios::binary).rdbuf();
  EXPECT_EQ(before.str(), after.str());
  ASSERT_TRUE(fs::remove(file));
  Fill(1);
  fs::rename(file, folder.Path("verdicts.db"));
  EXPECT_THAT(OpenVerdictLog(folder.path(), {}).error().message, HasSubstr("verdict logs"));
}

TEST_F(DatabaseFaults, NewerAndOlderSchemas) {
  Fill(1);
  {
    auto connection = Connection::Open(file, {});
    ASSERT_TRUE((*connection)->Execute("PRAGMA user_version = 99"));
  }
  EXPECT_EQ(Open(), nullptr);
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("schema 99"));

  const char* const steps[] = {"CREATE TABLE one (x); INSERT INTO one VALUES (7)",
                               "ALTER TABLE one ADD COLUMN y DEFAULT 8", "CREATE TABLE broken ("};
  const std::string path = folder.Path("steps.db");
  const auto open = [&](std::size_t version) {
    return OpenDatabase(path, {1, "steps", std::span(steps, version)}, {.create = true});
  };
  ASSERT_TRUE(open(1));
  EXPECT_FALSE(open(3)) << "a migration that fails leaves the old version";
  const auto migrated = open(2);
  ASSERT_TRUE(migrated);
  EXPECT_EQ((*migrated)->Integer("SELECT x * 10 + y FROM one").value(), 78);
  EXPECT_EQ((*migrated)->Integer("PRAGMA user_version").value(), 2);
}

TEST_F(DatabaseFaults, AVerdictLogOfTheFirstSchemaKeepsItsRecords) {
  {
    auto old = OpenDatabase(
        folder.Path("verdicts.db"),
        {kVerdictSchema.application_id, "verdict logs", std::span(kVerdictMigrations, 1)},
        {.create = true});
    ASSERT_TRUE(old);
    ASSERT_TRUE((*old)->Execute(
        "INSERT INTO verdict (at, content_hash, keeps_content, content_id, surface, language, "
        "policy_id, policy_version, policy_hash, channel, outcome, reason, category, rule_ids, "
        "layer, model, model_hash) VALUES (1, 'h', 0, '', '', '', 'spam', '1', 'h', 'direct', "
        "'safe', '', '', '[]', 'screen', 'm', 'h')"));
  }
  const auto log = OpenVerdictLog(folder.path(), {});
  ASSERT_TRUE(log) << Describe(log.error());
  const auto records = (*log)->Scan({})->records;
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].policy.id, "spam");
  EXPECT_FALSE(records[0].provisional);
  EXPECT_TRUE((*log)->Append(records));
}

// What `body` says in a child process; 0 and 42 are its own words.
int InChild(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(DatabaseFaults, ReadOnlyFolder) {
  Fill(1);
  fs::permissions(file, fs::perms(0444));
  fs::permissions(folder.path(), fs::perms(0555));
  const int told = InChild([&] {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) {
      return 1;
    }
    const auto store = Open();
    const auto published = store == nullptr
                               ? std::unexpected(error)
                               : store->Publish("spam", {PolicyText("x"), ""}, By("ada"));
    const std::string text = published ? "published" : Describe(published.error());
    const bool clear =
        text.find(file) != std::string::npos &&
        (text.find("read-only") != std::string::npos || text.find("writable") != std::string::npos);
    return clear && published.error().code == ErrorCode::kUnavailable
               ? 42
               : (std::fprintf(stderr, "%s\n", text.c_str()), 1);
  });
  fs::permissions(folder.path(), fs::perms::owner_all);
  EXPECT_EQ(told, 42);
}

TEST_F(DatabaseFaults, LockedByAnotherProcess) {
  Fill(1);
  const auto store = Open();
  auto other = Connection::Open(file, {});
  ASSERT_TRUE((*other)->Write([&]() -> Status {
    const auto published = store->Publish("spam", {PolicyText("x"), ""}, By("ada"));
    EXPECT_EQ(published.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(published.error().message, HasSubstr("locked by another process"));
    EXPECT_EQ(store->Versions("spam")->size(), 1U) << "readers do not wait for writers";
    return {};
  }));
  EXPECT_TRUE(store->Publish("spam", {PolicyText("x"), ""}, By("ada")));
}

// Publishes until it cannot; 42 when the error is clear and reading goes on.
int FillUp(PolicyStore& store) {
  for (int i = 0; i < 2000; ++i) {
    const auto published = store.Publish(
        "spam", {PolicyText(std::string(20'000, 'b') + std::to_string(i)), ""}, By("ada"));
    if (!published) {
      const std::string text = Describe(published.error());
      const bool clear = text.find("the disk is full") != std::string::npos;
      const bool usable = store.Versions("spam").has_value();
      return clear && usable ? 42 : (std::fprintf(stderr, "%s\n", text.c_str()), 1);
    }
  }
  return 0;
}

TEST_F(DatabaseFaults, ALimitOnTheSizeOfFiles) {
  Fill(1);
  const int told = InChild([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{300'000, 300'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    return FillUp(*Open());
  });
  EXPECT_EQ(told, 42);
  const auto store = Open();
  ASSERT_NE(store, nullptr) << Describe(error);
  const auto versions = store->Versions("spam").value();
  for (const auto& version : versions) {
    EXPECT_TRUE(store->Read("spam", version.number));
  }
  EXPECT_TRUE(store->Publish("spam", {PolicyText("room again"), ""}, By("ada")));
}

TEST_F(DatabaseFaults, FullDisk) {
  const int told = InChild([&] {  // a small disk of its own, gone with the process
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", folder.path().c_str(), "tmpfs", 0, "size=400k") != 0) {
      return 77;
    }
    return FillUp(*Open());
  });
  if (told == 77) {
    GTEST_SKIP() << "no permission to mount a small disk";
  }
  EXPECT_EQ(told, 42);
}

TEST_F(DatabaseFaults, DamagedPages) {
  Fill(30);
  const auto size = fs::file_size(file);
  ASSERT_GT(size, 50'000U);
  int told = 0;
  for (std::size_t page = 1; page * 4096 < size; ++page) {
    const TestFolder copy;
    fs::copy_file(file, copy.Path("policies.db"));
    {
      std::fstream out(copy.Path("policies.db"), std::ios::in | std::ios::out | std::ios::binary);
      out.seekp(static_cast<std::streamoff>(page * 4096 + 8));
      out << std::string(2000, '\x5a');
    }
    const auto opened = OpenPolicyStore(copy.path(), {});
    const auto versions = opened ? (*opened)->Versions("spam") : std::unexpected(opened.error());
    Error found;
    for (int number = 1; versions && number <= 30; ++number) {
      const auto bytes = (*opened)->Read("spam", number);
      if (!bytes) {
        found = bytes.error();
      } else {
        EXPECT_EQ(bytes->policy, PolicyText(std::string(3000, 'a') + std::to_string(number - 1)));
      }
    }
    found = versions ? found : versions.error();
    if (!found.message.empty()) {
      ++told;
      EXPECT_THAT(Describe(found), ::testing::AnyOf(HasSubstr("damaged"), HasSubstr("has no"),
                                                    HasSubstr("no policy"), HasSubstr(".db")));
    }
  }
  EXPECT_GT(told, 10) << "most pages hold something that is read";
}

TEST_F(DatabaseFaults, HistoryAndVersionsCannotBeChangedBehindTheStore) {
  Fill(2);
  auto connection = Connection::Open(file, {});
  for (const char* sql :
       {"UPDATE event SET who = 'nobody'", "DELETE FROM event", "UPDATE version SET hash = 'x'",
        "UPDATE version SET author = 'x'", "DELETE FROM version", "UPDATE blob SET bytes = x'00'",
        "DELETE FROM blob", "UPDATE version SET state = 'active'",
        "UPDATE version SET state = 'limbo'"}) {
    EXPECT_FALSE((*connection)->Execute(sql)) << sql;
  }
}

}  // namespace
}  // namespace safeguard::storage
