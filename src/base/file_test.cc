#include "base/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace safeguard {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("safeguard_files_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string Path(const char* name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

TEST_F(Files, WritesAndReadsBack) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "one"));
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "two"));
  EXPECT_EQ(ReadFile(Path("a"), 100).value(), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(Files, SaysWhatIsWrong) {
  EXPECT_EQ(ReadFile(Path("none"), 100).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ReadFile(folder_.string(), 100).error().message, folder_.string() + " is a directory");
  ASSERT_TRUE(WriteFileAtomically(Path("big"), std::string(101, 'x')));
  EXPECT_EQ(ReadFile(Path("big"), 100).error().code, ErrorCode::kLimit);
  EXPECT_EQ(ReadFile(Path("big"), 101).value().size(), 101U);
}

TEST_F(Files, AFolderThatIsNotThereIsAnErrorAndLeavesNothing) {
  const Status status = WriteFileAtomically(Path("none/a"), "x");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(Files, MapsAFileAndAnEmptyOne) {
  ASSERT_TRUE(WriteFileAtomically(Path("m"), "mapped"));
  EXPECT_EQ(MappedFile::Open(Path("m")).value()->bytes().size(), 6U);
  ASSERT_TRUE(WriteFileAtomically(Path("e"), ""));
  EXPECT_TRUE(MappedFile::Open(Path("e")).value()->bytes().empty());
  EXPECT_FALSE(MappedFile::Open(folder_.string()));
}

}  // namespace
}  // namespace safeguard
