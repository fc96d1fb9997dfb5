#include "storage/classifier_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "storage/classifiers/index.h"

namespace safeguard::storage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

class ClassifierStoreTest : public testing::Test {
 protected:
  ClassifierStoreTest() {
    std::string name = (fs::temp_directory_path() / "classifiers.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~ClassifierStoreTest() override { fs::remove_all(folder_); }

  static ClassifierEntry Entry(const std::string& name = "mine",
                               const std::string& policy = "spam") {
    ClassifierEntry entry;
    entry.policy_id = policy;
    entry.policy_hash = std::string(64, 'a');
    entry.name = name;
    entry.kind = "words";
    entry.summary = "F1 0.9";
    return entry;
  }
  [[nodiscard]] std::size_t Files() const {
    std::size_t count = 0;
    for (const auto& file : fs::directory_iterator(folder_ + "/classifiers")) {
      count += file.path().extension() == ".classifier" ? 1 : 0;
    }
    return count;
  }

  std::string folder_;
};

TEST_F(ClassifierStoreTest, VersionsAreCountedUsedAndRolledBack) {
  ClassifierStore store(folder_);
  EXPECT_THAT(*store.List(), SizeIs(0));
  EXPECT_FALSE(*store.Active("spam"));
  const ClassifierEntry one = *store.Install(Entry(), "first", true, false);
  EXPECT_EQ(one.version, 1);
  const ClassifierEntry two = *store.Install(Entry(), "second", true, true);
  EXPECT_EQ(two.version, 2);
  EXPECT_EQ((*store.Active("spam"))->entry.version, 2);
  EXPECT_TRUE((*store.Active("spam"))->band);
  EXPECT_EQ(*store.Read(two), "second");
  EXPECT_EQ(store.Find("spam", "mine", 0)->version, 2);
  EXPECT_EQ(store.Rollback("spam")->entry.version, 1);
  EXPECT_FALSE((*store.Active("spam"))->band);
  EXPECT_FALSE(store.Rollback("spam")) << "nothing answered before the first";
  EXPECT_EQ(store.Use(two, false)->entry.version, 2);
  EXPECT_FALSE(*store.Active("hate"));
}

TEST_F(ClassifierStoreTest, InstalledWithoutUseItDoesNotAnswer) {
  ClassifierStore store(folder_);
  ASSERT_TRUE(store.Install(Entry(), "first", false, false));
  EXPECT_FALSE(*store.Active("spam"));
}

TEST_F(ClassifierStoreTest, RemovingTakesTheFileAndNeverGivesTheVersionAgain) {
  ClassifierStore store(folder_);
  const ClassifierEntry one = *store.Install(Entry(), "first", true, false);
  const ClassifierEntry two = *store.Install(Entry(), "second", false, false);
  const Status refused = store.Remove(one, false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("answers for the policy spam"));
  EXPECT_TRUE(store.Remove(two, false));
  EXPECT_EQ(Files(), 1U);
  EXPECT_EQ(store.Install(Entry(), "third", false, false)->version, 3);
  EXPECT_TRUE(store.Remove(one, true));
  EXPECT_FALSE(*store.Active("spam"));
  const auto missing = store.Find("spam", "mine", 1);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().hint, HasSubstr("mine@3"));
}

TEST_F(ClassifierStoreTest, AChangedFileIsNeverHandedOut) {
  ClassifierStore store(folder_);
  const ClassifierEntry one = *store.Install(Entry(), "first", true, false);
  std::ofstream(folder_ + "/classifiers/" + one.hash + ".classifier") << "fjrst";
  const auto bytes = store.Read(one);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, ErrorCode::kCorruptFile);
}

TEST_F(ClassifierStoreTest, ADamagedIndexIsNamedAndLeftAlone) {
  ClassifierStore store(folder_);
  ASSERT_TRUE(store.Install(Entry(), "first", true, false));
  const std::string path = folder_ + "/classifiers/index.json";
  const std::string whole = *ReadFile(path, 1 << 20);
  for (std::size_t length = 1; length + 2 < whole.size(); length += 7) {
    std::ofstream(path, std::ios::trunc) << whole.substr(0, length);
    const auto listed = store.List();
    ASSERT_FALSE(listed) << length;
    EXPECT_THAT(listed.error().message, HasSubstr("index.json is damaged"));
    EXPECT_FALSE(store.Install(Entry(), "second", true, false)) << "it would forget the first";
  }
  std::ofstream(path, std::ios::trunc) << whole;
  EXPECT_THAT(*store.List(), SizeIs(1));
}

TEST_F(ClassifierStoreTest, OnAFullDiskNothingChanges) {
  ClassifierStore store(folder_);
  ASSERT_TRUE(store.Install(Entry(), "first", true, false));
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto installed = store.Install(Entry(), std::string(5000, 'x'), true, false);
    ::_exit(!installed && installed.error().code == ErrorCode::kUnavailable ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ((*store.Active("spam"))->entry.version, 1);
  EXPECT_EQ(Files(), 1U);
}

TEST_F(ClassifierStoreTest, WhatAKilledProcessLeftIsSweptByTheNext) {
  ClassifierStore store(folder_);
  ASSERT_TRUE(store.Install(Entry(), "first", true, false));
  std::ofstream(folder_ + "/classifiers/" + std::string(64, 'e') + ".classifier") << "half";
  std::ofstream(folder_ + "/classifiers/" + std::string(64, 'e') + ".classifier.Ab12Cd") << "half";
  ASSERT_TRUE(store.Install(Entry(), "second", true, false));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ + "/classifiers"), {}), 4)
      << "index, lock, two files";
}

TEST_F(ClassifierStoreTest, ManyAtOnceLoseNothing) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      ClassifierStore store(folder_);
      for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(store.Install(Entry(), std::to_string(t * 10 + i), true, false));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const auto all = ClassifierStore(folder_).List();
  ASSERT_TRUE(all);
  EXPECT_THAT(*all, SizeIs(20));
  EXPECT_EQ(all->back().version, 20);
  EXPECT_EQ(Files(), 20U);
}

TEST_F(ClassifierStoreTest, NamesThatCouldLeaveTheFolderAreRefused) {
  for (const std::string& name : {std::string(), std::string(".."), std::string("a/b"),
                                  std::string("-x"), std::string(65, 'a'), std::string("a b")}) {
    EXPECT_FALSE(CheckClassifierName(name)) << name;
  }
  EXPECT_TRUE(CheckClassifierName("spam-2026.v1_x"));
}

}  // namespace
}  // namespace safeguard::storage
