#include "base/large_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hash.h"

namespace safeguard {
namespace {

class LargeFileTest : public testing::Test {
 protected:
  LargeFileTest()
      : folder_(std::filesystem::temp_directory_path() / "safeguard_large_file_XXXXXX") {
    std::string name = folder_.string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~LargeFileTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string Path() const { return (folder_ / "x").string(); }

  std::filesystem::path folder_;
};

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST_F(LargeFileTest, BlocksInAnyOrderAndTheNameAtTheEnd) {
  auto file = LargeFile::Create(Path(), 6);
  ASSERT_TRUE(file) << Describe(file.error());
  ASSERT_TRUE((*file)->WriteAt(3, Bytes("def")));
  ASSERT_TRUE((*file)->WriteAt(0, Bytes("abc")));
  EXPECT_FALSE(std::filesystem::exists(Path()));
  ASSERT_TRUE((*file)->Commit());
  file->reset();
  EXPECT_EQ(ReadFile(Path(), 100), "abcdef");
  EXPECT_FALSE(std::filesystem::exists(Path() + ".part"));
}

TEST_F(LargeFileTest, NothingIsLeftWithoutCommit) {
  {
    const auto file = LargeFile::Create(Path(), 1000);
    ASSERT_TRUE(file);
    EXPECT_TRUE(std::filesystem::exists(Path() + ".part"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

// Without the check this ends the process.
TEST_F(LargeFileTest, TheProcesssLimitOnFilesIsNamed) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {1 << 16, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto fits = LargeFile::Create(Path(), 1 << 16);
  const auto large = LargeFile::Create(Path(), (1 << 16) + 1);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(fits) << Describe(fits.error());
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(Describe(large.error()).find("ulimit -f"), std::string::npos);
}

TEST_F(LargeFileTest, NoRoomAndNoFolderAreNamed) {
  const auto huge = LargeFile::Create(Path(), std::uint64_t{1} << 60);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  const auto nowhere = LargeFile::Create((folder_ / "no" / "x").string(), 1);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(FreeDiskBytes((folder_ / "no").string()));
  EXPECT_GT(*FreeDiskBytes(folder_.string()), 0U);
}

TEST_F(LargeFileTest, BlocksHashLikeTheWhole) {
  const std::string text(9'000'001, 'x');
  ASSERT_TRUE(WriteFileAtomically(Path(), text));
  Sha256 hash;
  std::size_t blocks = 0;
  const auto read = ReadBlocks(Path(), [&](std::span<const std::byte> block) {
    hash.Update(block);
    ++blocks;
    return true;
  });
  ASSERT_TRUE(read && *read);
  EXPECT_EQ(blocks, 3U);
  EXPECT_EQ(hash.Hex(), Sha256Hex(Bytes(text)));
  const auto stopped = ReadBlocks(Path(), [](std::span<const std::byte>) { return false; });
  ASSERT_TRUE(stopped);
  EXPECT_FALSE(*stopped);
  EXPECT_FALSE(ReadBlocks(Path() + "none", [](std::span<const std::byte>) { return true; }));
}

}  // namespace
}  // namespace safeguard
