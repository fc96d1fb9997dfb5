// Files of prefixes: round trips, damage of every kind, limits of the folder, a full disk.
#include "engine/runtime/prefix_loader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/file.h"
#include "engine/runtime/prefix_file.h"

namespace safeguard::engine {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::uint32_t>;
using Bytes = std::vector<std::byte>;
using Answer = PrefixLoader::Answer;

Ids Policy(std::uint32_t first) {
  Ids ids(50, 7);
  ids[0] = first;
  return ids;
}

class PrefixLoaderTest : public testing::Test {
 protected:
  PrefixLoaderTest() { fs::remove_all(folder_); }
  ~PrefixLoaderTest() override { fs::remove_all(folder_); }

  std::unique_ptr<PrefixLoader> Open(std::uint64_t bytes_max = 1 << 20) {
    return std::make_unique<PrefixLoader>(PrefixFolder{folder_, "model", bytes_max},
                                          [this](const std::string& note) {
                                            const std::lock_guard lock(mutex_);
                                            notes_.push_back(note);
                                          });
  }
  void Store(const Ids& ids, const Bytes& bytes) { Open()->Store(ids, "", bytes); }
  // Empty: it did not come.
  static std::vector<PrefixLoader::Loaded> Wait(PrefixLoader& loader) {
    for (int i = 0; i < 200; ++i) {
      loader.WaitForOne();
      if (auto loaded = loader.TakeLoaded(); !loaded.empty()) {
        return loaded;
      }
    }
    return {};
  }
  [[nodiscard]] std::string PathOf(const Ids& ids) const {
    return folder_ + "/" + PrefixKey{"model", "", ids}.Hash() + ".prefix";
  }
  std::size_t Notes() {
    const std::lock_guard lock(mutex_);
    return notes_.size();
  }

  const std::string folder_ = testing::TempDir() + "/prefixes-" + std::to_string(::getpid());
  const Bytes bytes_{std::byte{1}, std::byte{2}, std::byte{3}};
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

TEST_F(PrefixLoaderTest, WhatIsStoredComesBackInAnotherRun) {
  {
    const auto loader = Open();
    EXPECT_EQ(loader->Ask(Policy(1), ""), Answer::kNone);
    loader->Store(Policy(1), "", bytes_);
    loader->Store(Ids{1, 2}, "", bytes_);  // too short to be worth it
  }
  const auto loader = Open();
  EXPECT_EQ(loader->Ask(Policy(2), ""), Answer::kNone);
  EXPECT_EQ(loader->Ask(Policy(1), "salt"), Answer::kNone);
  EXPECT_EQ(loader->Ask(Policy(1), ""), Answer::kComing);
  EXPECT_EQ(loader->Ask(Policy(1), ""), Answer::kComing);
  const auto loaded = Wait(*loader);
  ASSERT_EQ(loaded.size(), 1U);
  EXPECT_EQ(loaded[0].tokens, Policy(1));
  EXPECT_EQ(loaded[0].bytes, bytes_);
  EXPECT_EQ(loader->Ask(Policy(1), ""), Answer::kComing) << "once more, should memory drop it";
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  EXPECT_EQ(Notes(), 0U);
}

TEST_F(PrefixLoaderTest, DamagedFilesAreToldAndWrittenAnew) {
  Store(Policy(1), bytes_);
  std::ofstream(PathOf(Policy(1)), std::ios::app) << "x";
  {
    const auto loader = Open();
    EXPECT_EQ(loader->Ask(Policy(1), ""), Answer::kComing);
    EXPECT_TRUE(Wait(*loader).empty() && Notes() == 1);
    EXPECT_EQ(loader->Ask(Policy(1), ""), Answer::kNone);
    loader->Store(Policy(1), "", bytes_);
  }
  const auto loader = Open();
  EXPECT_EQ(loader->Ask(Policy(1), ""), Answer::kComing);
  auto loaded = Wait(*loader);
  ASSERT_EQ(loaded.size(), 1U);
  loader->Reject(loaded[0], {ErrorCode::kInvalidInput, "its digest is wrong", ""});
  EXPECT_FALSE(fs::exists(PathOf(Policy(1))));
  EXPECT_EQ(loader->Ask(Policy(1), ""), Answer::kNone);
  EXPECT_EQ(Notes(), 2U);
}

TEST_F(PrefixLoaderTest, TheFolderStaysBelowItsLimit) {
  const Bytes large(1000);
  {
    const auto loader = Open(4000);
    loader->Store(Policy(0), "", Bytes(5000));  // more than all that is allowed
  }
  EXPECT_FALSE(fs::exists(PathOf(Policy(0))));
  for (std::uint32_t i = 1; i <= 6; ++i) {
    Open(4000)->Store(Policy(i), "", large);
  }
  std::uintmax_t total = 0;
  for (const auto& file : fs::directory_iterator(folder_)) {
    total += file.file_size();
  }
  EXPECT_LE(total, 4000U);
  EXPECT_TRUE(fs::exists(PathOf(Policy(6))));
  EXPECT_FALSE(fs::exists(PathOf(Policy(1))));
  EXPECT_EQ(Notes(), 1U) << "of the one that is too large";
}

TEST_F(PrefixLoaderTest, AFolderThatCannotBeWrittenIsANote) {
  std::ofstream(folder_) << "a file where the folder should be";
  {
    const auto loader = Open();
    loader->Store(Policy(1), "", bytes_);
    loader->Store(Policy(2), "", bytes_);
  }
  EXPECT_EQ(Notes(), 1U) << "told once";
}

TEST_F(PrefixLoaderTest, AFullDiskIsANote) {
  if (!fs::exists("/dev/full")) {
    GTEST_SKIP() << "no /dev/full here";
  }
  // A file cannot be made below it, as on a disk that is full or read-only.
  PrefixLoader loader({"/dev/full/prefixes", "model", 1 << 20}, [this](const std::string& note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(note);
  });
  loader.Store(Policy(1), "", bytes_);
  for (int i = 0; i < 200 && Notes() == 0; ++i) {
    ::usleep(1000);
  }
  EXPECT_EQ(Notes(), 1U);
  EXPECT_EQ(loader.stores(), 0U);
}

TEST(PrefixFileTest, EveryCutAndEveryFlippedBitOfTheHeadIsFound) {
  const Ids ids = Policy(3);
  const PrefixKey key{"model", "salt", ids};
  const Bytes sequence(20, std::byte{9});
  const std::string file = WritePrefixFile(key, sequence);
  const auto read = [&](const std::string& bytes, const PrefixKey& of) {
    return ReadPrefixFile(of, std::as_bytes(std::span(bytes)));
  };
  ASSERT_TRUE(read(file, key).has_value());
  EXPECT_EQ(Bytes(read(file, key)->begin(), read(file, key)->end()), sequence);
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(read(file.substr(0, size), key).has_value()) << size;
  }
  for (std::size_t bit = 0; bit < (file.size() - sequence.size()) * 8; ++bit) {
    std::string flipped = file;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(read(flipped, key).has_value()) << bit;
  }
  EXPECT_FALSE(read(file, {"model", "", ids}).has_value());
  EXPECT_FALSE(read(file, {"other", "salt", ids}).has_value());
  const Ids other = Policy(4);
  EXPECT_FALSE(read(file, {"model", "salt", other}).has_value());
}

TEST(PrefixFileTest, PartsOfTheKeyDoNotRunIntoEachOther) {
  const Ids ids = Policy(1);
  EXPECT_NE((PrefixKey{"ab", "c", ids}.Hash()), (PrefixKey{"a", "bc", ids}.Hash()));
}

}  // namespace
}  // namespace safeguard::engine
