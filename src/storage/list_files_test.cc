#include "storage/list_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace safeguard::storage {
namespace {

using ::testing::HasSubstr;

class ListFilesTest : public ::testing::Test {
 protected:
  ListFilesTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("safeguard_lists_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~ListFilesTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  static std::string Term(const std::string& id, const std::string& term) {
    return R"({"id": ")" + id + R"(", "term": ")" + term +
           R"(", "action": "violation", "reason": "r", "added_by": "ada"})" + "\n";
  }
  static std::size_t Hits(ListFiles& files, const std::string& text) {
    moderation::Policy policy;
    policy.id = "spam";
    return files.layer()->Match(moderation::UserMessage(text), policy).value().size();
  }

  std::filesystem::path folder_;
};

TEST_F(ListFilesTest, ChangesAreTakenUpAsAWholeOrNotAtAll) {
  Write("a.jsonl", Term("1", "pills"));
  Write("b.jsonl", Term("1", "casino"));
  Write("notes.txt", "no list");
  const auto files = ListFiles::Open({folder_.string()}, [] { return std::int64_t{0}; }).value();
  EXPECT_EQ(Hits(*files, "pills at the casino"), 2U);
  EXPECT_FALSE(files->Reload().value()) << "nothing has changed";

  Write("a.jsonl", Term("1", "powders"));
  Write("b.jsonl", "nonsense\n");
  const auto broken = files->Reload();
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, HasSubstr("b.jsonl:1:"));
  EXPECT_EQ(Hits(*files, "pills at the casino"), 2U) << "the lists stay as they were";

  Write("b.jsonl", Term("1", "poker"));
  EXPECT_TRUE(files->Reload().value());
  EXPECT_EQ(Hits(*files, "pills at the casino"), 0U);
  EXPECT_EQ(Hits(*files, "powders and poker"), 2U);

  std::filesystem::remove(folder_ / "b.jsonl");
  EXPECT_TRUE(files->Reload().value());
  EXPECT_EQ(Hits(*files, "powders and poker"), 1U);
}

TEST_F(ListFilesTest, AChangedFileIsSeenAndABrokenOneIsToldOnce) {
  Write("a.jsonl", Term("1", "pills"));
  const auto files = ListFiles::Open({folder_.string()}, [] { return std::int64_t{0}; }).value();
  EXPECT_FALSE(files->ReloadIfChanged().value()) << "nothing has changed";
  Write("a.jsonl", Term("1", "powders"));
  EXPECT_TRUE(files->ReloadIfChanged().value());
  EXPECT_EQ(Hits(*files, "powders"), 1U);
  EXPECT_FALSE(files->ReloadIfChanged().value());
  Write("b.jsonl", "nonsense\n");
  EXPECT_FALSE(files->ReloadIfChanged());
  EXPECT_FALSE(files->ReloadIfChanged().value()) << "the same error is not told again";
  EXPECT_EQ(Hits(*files, "powders"), 1U);
  Write("b.jsonl", Term("1", "poker"));
  EXPECT_TRUE(files->ReloadIfChanged().value());
  std::filesystem::remove(folder_ / "a.jsonl");
  EXPECT_TRUE(files->ReloadIfChanged().value());
  EXPECT_EQ(Hits(*files, "powders and poker"), 1U);
}

TEST_F(ListFilesTest, WhatIsNotThereIsAnError) {
  const auto files =
      ListFiles::Open({(folder_ / "none.jsonl").string()}, [] { return std::int64_t{0}; });
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().code, ErrorCode::kNotFound);
}

TEST(ListName, IsTheFilesName) {
  EXPECT_EQ(ListName("/etc/lists/scams.v2.jsonl"), "scams.v2");
  EXPECT_EQ(ListName("scams"), "scams");
}

}  // namespace
}  // namespace safeguard::storage
