// `safeguard model pull` from its words to its exit code, against a server on this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/fake_services.h"
#include "apps/output/transfer_line.h"
#include "apps/pull/test_hub.h"
#include "apps/run.h"

namespace safeguard::apps {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ModelPullTest : public ::testing::Test {
 protected:
  ModelPullTest() { ::setenv("no_proxy", "*", 1); }
  ~ModelPullTest() override {
    ::unsetenv("HF_ENDPOINT");
    ::unsetenv("HF_TOKEN");
  }
  int Call(const std::vector<std::string>& arguments) {
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(arguments, services, console, stop));
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(ModelPullTest, PullsAndSaysSo) {
  pull::TestHub hub;
  ::setenv("HF_ENDPOINT", hub.Url().c_str(), 1);
  ::setenv("HF_TOKEN", " secret\n", 1);
  const std::string to = folder.Path("m");
  EXPECT_EQ(Call({"model", "pull", "owner/model", "--to", to, "--json"}), 0) << console.error;
  const auto json = nlohmann::json::parse(console.out);
  EXPECT_EQ(json["source"], "owner/model");
  EXPECT_EQ(json["commit"], pull::kCommit);
  EXPECT_EQ(json["folder"], to);
  ASSERT_EQ(json["files"].size(), 3U);
  EXPECT_EQ(json["files"][1]["sha256"].get<std::string>().size(), 64U);
  EXPECT_EQ(json["files"][1]["outcome"], "pulled");
  EXPECT_EQ(hub.requests().front().Field("authorization"), "Bearer secret");
  EXPECT_EQ(Call({"model", "pull", "owner/model", "--to", to}), 0);
  EXPECT_THAT(console.out, AllOf(HasSubstr("is complete: 3 files, 105.0 kB"),
                                 HasSubstr("all were there already, known by size and time")));
}

TEST_F(ModelPullTest, ExitCodesAreThoseOfTheOtherCommands) {
  pull::TestHub hub;
  ::setenv("HF_ENDPOINT", hub.Url().c_str(), 1);
  EXPECT_EQ(Call({"model"}), 2);
  EXPECT_EQ(Call({"model", "pull"}), 2);
  EXPECT_EQ(Call({"model", "pull", "no-such-name"}), 2);
  EXPECT_THAT(console.error, HasSubstr("safeguard: not a model's name: no-such-name (write "));
  EXPECT_EQ(Call({"model", "pull", "a/b", "--connections", "0"}), 2);
  EXPECT_EQ(Call({"model", "pull", "owner/other", "--to", folder.Path("o")}), 4);
  EXPECT_THAT(console.error, HasSubstr("the repository owner/other at revision main is not on"));
  EXPECT_EQ(Call({"model", "pull", "owner/model", "--to", folder.Path("o"), "--include", "x"}), 2);
  ::setenv("HF_ENDPOINT", "nonsense://", 1);
  EXPECT_EQ(Call({"model", "pull", "owner/model", "--to", folder.Path("o")}), 2);
  EXPECT_THAT(console.error, HasSubstr("HF_ENDPOINT"));
  ::setenv("HF_ENDPOINT", hub.Url().c_str(), 1);
  ::setenv("HF_TOKEN", "two\nlines", 1);
  EXPECT_EQ(Call({"model", "pull", "owner/model", "--to", folder.Path("o")}), 2);
  ::unsetenv("HF_TOKEN");
  stop = true;
  EXPECT_EQ(Call({"model", "pull", "owner/model", "--to", folder.Path("o")}), 130);
  EXPECT_THAT(console.error, HasSubstr("run the same command again to go on"));
}

TEST(TransferText, SaysHowFarItIs) {
  pull::PullPosition position;
  position.bytes = 5'800'000'000;
  position.bytes_total = 13'800'000'000;
  EXPECT_EQ(TransferText(position, 1e8, 60), " 42 %  5.8 GB of 13.8 GB  100.0 MB/s  1:20 left");
  EXPECT_THAT(TransferText(position, 0, 100),
              HasSubstr("[############..................]  42 %  5.8 GB of 13.8 GB"));
  position.doing = "waiting 3 s: x\x1b[2J";
  EXPECT_EQ(TransferText(position, 0, 100), "waiting 3 s: x\\x1b[2J");
}

}  // namespace
}  // namespace safeguard::apps
