#include "apps/input/policy_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "apps/fake_services.h"
#include "apps/input/dataset_name.h"
#include "apps/input/model_folders.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCase = R"({"id": "1", "text": "x", "expected": "safe"})";

TEST(PolicyCatalogTest, FindsTheGoldenSetBesideAPolicy) {
  FakeServices services;
  const PolicyCatalog catalog(services.shipped_policies());
  const TestFolder folder;
  const std::string named = folder.Write("rules.md", "# Rules\n");
  EXPECT_EQ(catalog.Load(named, "", Golden::kRead)->golden_origin, "");
  const std::string golden = folder.Write("rules.golden.jsonl", kCase);
  EXPECT_EQ(catalog.Load(named, "", Golden::kRead)->golden_origin, golden);
  EXPECT_EQ(catalog.Load(named, "", Golden::kIgnore)->golden.size(), 0U);
  const std::string plain = folder.Write("policy.md", "no title here\n");
  const std::string sibling = folder.Write("golden.jsonl", kCase);
  const Result<LoadedPolicy> loaded = catalog.Load(plain, "", Golden::kRead);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->golden_origin, sibling);
  EXPECT_EQ(loaded->golden.size(), 1U);
  EXPECT_EQ(catalog.Load(plain, golden, Golden::kRead)->golden_origin, golden);
  EXPECT_EQ(catalog.Load("alpha", "", Golden::kRead)->golden_origin, "shipped with safeguard");
}

TEST(PolicyCatalogTest, SaysWhatIsWrong) {
  FakeServices services;
  const PolicyCatalog catalog(services.shipped_policies());
  const TestFolder folder;
  const auto failure = [&](const std::string& name) {
    const Result<LoadedPolicy> loaded = catalog.Load(name, "", Golden::kRead);
    return loaded ? std::string() : Describe(loaded.error());
  };
  EXPECT_THAT(failure("alhpa"), HasSubstr("did you mean alpha?"));
  EXPECT_THAT(failure("something"), HasSubstr("shipped: alpha, beta"));
  EXPECT_THAT(failure(folder.Path("none.md")), HasSubstr("does not exist"));
  EXPECT_THAT(failure(folder.Path("")), HasSubstr("is a directory"));
  EXPECT_THAT(failure(folder.Write("binary.md", std::string("a\0b", 3))), HasSubstr("binary.md"));
  EXPECT_THAT(failure(folder.Write("latin.md", "caf\xE9")), HasSubstr("latin.md"));
  const std::string policy = folder.Write("policy.md", "# P\n");
  const std::string broken = folder.Write("golden.jsonl", "{oops\n");
  EXPECT_THAT(failure(policy), HasSubstr(broken));
}

TEST(NearestTest, OnlyWhatIsNearEnough) {
  const std::vector<std::string> known = {"spam", "scams", "hate"};
  EXPECT_EQ(Nearest("spma", known), "spam");
  EXPECT_EQ(Nearest("SCAMZ", known), "scams");
  EXPECT_EQ(Nearest("violence", known), "");
  EXPECT_EQ(Nearest("", known), "");
}

TEST(ModelFoldersTest, NamesWhereItLooked) {
  const TestFolder folder;
  const Result<std::string> missing = FindModelPath("m", {folder.Path("a"), folder.Path("b")});
  ASSERT_FALSE(missing);
  EXPECT_THAT(Describe(missing.error()), HasSubstr(folder.Path("a") + " and " + folder.Path("b")));
  EXPECT_THAT(Describe(missing.error()), HasSubstr("./demo.sh"));
  std::filesystem::create_directories(folder.Path("b/m"));
  EXPECT_EQ(FindModelPath("m", {folder.Path("a"), folder.Path("b")}), folder.Path("b") + "/m");
  EXPECT_EQ(FindModelPath("m", {folder.Path("b/m")}), folder.Path("b/m"));
}

TEST(DatasetNameTest, ByWhatTheFileBeginsWith) {
  const TestFolder folder;
  EXPECT_EQ(GuessDatasetName(folder.Write("a", kCase)), "golden");
  EXPECT_EQ(GuessDatasetName(folder.Write("b", R"({"text": "x", "label": 1})")), "generic");
  EXPECT_EQ(GuessDatasetName(folder.Write(
                "c", R"({"prompt":"x","S":0,"H":0,"V":0,"HR":0,"SH":0,"S3":0,"H2":0,"V2":0})")),
            "openai-moderation");
  EXPECT_EQ(GuessDatasetName(folder.Write(
                "d", "conv_id,user_input,model_output,human_annotation,toxicity,jailbreaking\n")),
            "toxicchat");
  EXPECT_EQ(GuessDatasetName(folder.Write("e", "{oops")), "generic");
  EXPECT_FALSE(GuessDatasetName(folder.Path("")));
}

}  // namespace
}  // namespace safeguard::apps
