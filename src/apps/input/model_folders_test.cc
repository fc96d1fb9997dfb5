#include "apps/input/model_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "apps/fake_services.h"

namespace safeguard::apps {
namespace {

using testing::HasSubstr;

TEST(ModelFolders, TheTrainedScreenStandsBesideItsBase) {
  const TestFolder folder;
  const std::string base = folder.Path("minilm-l6-v2");
  std::filesystem::create_directory(base);
  // Nothing trained: the base alone, unless the trained one was asked for by name.
  EXPECT_EQ(FindScreen(folder.Path(""), "auto")->trained, "");
  const auto missing = FindScreen(folder.Path(""), "trained");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("no trained screen stands beside"));

  std::filesystem::create_directory(folder.Path("screen"));
  for (const std::string& named : {folder.Path(""), base, base + "/"}) {
    const auto found = FindScreen(named, "auto");
    ASSERT_TRUE(found) << named;
    EXPECT_TRUE(std::filesystem::equivalent(found->base, base)) << named;
    ASSERT_FALSE(found->trained.empty()) << named;
    EXPECT_TRUE(std::filesystem::equivalent(found->trained, folder.Path("screen"))) << named;
  }
  EXPECT_EQ(FindScreen(folder.Path(""), "embedding")->trained, "");
  EXPECT_FALSE(FindScreen(folder.Path("nowhere"), "auto"));
}

}  // namespace
}  // namespace safeguard::apps
