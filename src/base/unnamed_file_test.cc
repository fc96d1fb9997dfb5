#include "base/unnamed_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace safeguard {
namespace {

namespace fs = std::filesystem;

class UnnamedFileTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }

  std::string folder = (fs::temp_directory_path() / ("unnamed-" + std::to_string(::getpid())));
};

TEST_F(UnnamedFileTest, KeepsWhatIsAppendedAndHasNoName) {
  const auto file = UnnamedFile::Create(folder).value();
  const std::string bytes("one\0two", 7);
  EXPECT_TRUE(file->Append(bytes));
  EXPECT_TRUE(file->Append(""));
  EXPECT_TRUE(file->Append(std::string(300'000, 'x')));
  EXPECT_EQ(file->size(), 300'007U);
  EXPECT_EQ(file->Read(0, 7).value(), bytes);
  EXPECT_EQ(file->Read(5, 4).value(), "woxx");
  EXPECT_EQ(file->Read(7, SIZE_MAX).value(), std::string(300'000, 'x'));
  EXPECT_EQ(file->Read(300'006, 5).value(), "x");
  EXPECT_EQ(file->Read(300'007, 5).value() + file->Read(SIZE_MAX, 5).value(), "");
  EXPECT_TRUE(fs::is_empty(folder)) << "whatever happens to the process, nothing is left";
}

TEST_F(UnnamedFileTest, AFolderThatIsNotThereIsNamed) {
  const auto none = UnnamedFile::Create(folder + "/none");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(none.error().message, ::testing::HasSubstr(folder + "/none"));
}

TEST_F(UnnamedFileTest, AFullDiskIsAnErrorThatSaysSo) {
  const auto file = UnnamedFile::Create(folder).value();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 100'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_TRUE(file->Append(std::string(60'000, 'x')));
  const Status full = file->Append(std::string(60'000, 'y'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(full.error().message, ::testing::HasSubstr("the disk is full"));
}

}  // namespace
}  // namespace safeguard
