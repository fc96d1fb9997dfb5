// From a recorded verdict to its receipt, and back to the same verdict, with a fake judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <tuple>

#include "apps/fake_services.h"
#include "apps/receipt/judge_setup.h"
#include "apps/run.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class ReplayTest : public ::testing::Test {
 protected:
  void SetUp() override {  // a store of policies makes the data folder
    const std::string file = folder.Write("first.md", "# F\n\n## Violates\n- X1.a One.\n");
    ASSERT_EQ(Call({"policy", "publish", file, "--id", "first"}), 0) << console.error;
  }
  int Call(const std::vector<std::string>& words) {
    console.out.clear();
    console.error.clear();
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--data-dir", folder.Path("data")});
    return static_cast<int>(RunCommand(all, services, console, stop));
  }
  // The receipt of the one verdict of a content.
  std::string Recorded(const std::string& text, const std::vector<std::string>& options = {}) {
    std::vector<std::string> words = {"classify", text, "-p", "alpha", "--record"};
    words.insert(words.end(), options.begin(), options.end());
    EXPECT_LE(Call(words), 1) << console.error;
    EXPECT_EQ(Call({"verdicts", "receipt", "1"}), 0) << console.error;
    return folder.Write("receipt.json", console.out);
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(ReplayTest, TheSameJudgeComesToTheSameVerdict) {
  const std::string receipt = Recorded("a bad one");
  EXPECT_THAT(folder.Read("receipt.json"), Not(HasSubstr("a bad one")));
  const std::string content = folder.Write("content.txt", "a bad one");
  EXPECT_EQ(Call({"replay", receipt, "--content", content}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("The same verdict."));
  EXPECT_THAT(console.out, Not(HasSubstr("another build")));
  std::ignore = folder.Write("content.txt", "a bad one\n");
  EXPECT_EQ(Call({"replay", receipt, "--content", content}), 0) << "an editor's line end";
  EXPECT_EQ(Call({"replay", receipt, "--content", content, "--json"}), 0);
  EXPECT_TRUE(Json::parse(console.out)["equal"].get<bool>());
}

TEST_F(ReplayTest, AnotherContentIsRefusedBeforeAnythingIsJudged) {
  const std::string receipt = Recorded("a bad one");
  const int opened = services.judges_opened;
  EXPECT_EQ(Call({"replay", receipt, "--content", folder.Write("other.txt", "a fine one")}), 2);
  EXPECT_THAT(console.error, HasSubstr("not the content"));
  EXPECT_EQ(Call({"replay", receipt}), 2) << "the log has not kept it";
  EXPECT_THAT(console.error, HasSubstr("--content"));
  EXPECT_EQ(services.judges_opened, opened);
}

TEST_F(ReplayTest, WhatTheLogHasKeptNeedNotBeGiven) {
  const std::string receipt = Recorded("a bad one", {"--record-content"});
  EXPECT_EQ(Call({"replay", receipt}), 0) << console.error;
  console.input = folder.Read("receipt.json");
  EXPECT_EQ(Call({"replay", "-"}), 0) << console.error;
}

TEST_F(ReplayTest, ConversationsAndAssistantsMessagesAreFoundAgain) {
  const std::string chat = folder.Write(
      "chat.json", R"([{"role":"user","content":"hi"},{"role":"assistant","content":"bad"}])");
  EXPECT_EQ(Call({"classify", "--conversation", chat, "-p", "alpha", "--record"}), 1);
  EXPECT_EQ(Call({"classify", "a bad answer", "--role", "assistant", "-p", "alpha", "--record"}),
            1);
  ASSERT_EQ(Call({"verdicts", "receipt", "1"}), 0);
  const std::string first = folder.Write("first.json", console.out);
  EXPECT_EQ(Call({"replay", first, "--conversation", chat}), 0) << console.error;
  ASSERT_EQ(Call({"verdicts", "receipt", "2"}), 0);
  const std::string second = folder.Write("second.json", console.out);
  const std::string content = folder.Write("content.txt", "a bad answer");
  EXPECT_EQ(Call({"replay", second, "--content", content}), 0) << console.error;
}

TEST_F(ReplayTest, WhatDiffersIsNamed) {
  const std::string receipt = Recorded("a bad one");
  const std::string content = folder.Write("content.txt", "a bad one");
  const Json whole = Json::parse(folder.Read("receipt.json"));
  const auto with = [&](const std::string& pointer, const Json& value) {
    Json changed = whole;
    changed[Json::json_pointer(pointer)] = value;
    return folder.Write("changed.json", changed.dump());
  };
  EXPECT_EQ(Call({"replay", with("/verdict/score", 0.5), "--content", content}), 1);
  EXPECT_THAT(console.out, HasSubstr("The score differs by +0.375"));
  EXPECT_EQ(Call({"replay", with("/model/hash", "ab"), "--content", content}), 1);
  EXPECT_THAT(console.out, HasSubstr("weights: ab -> nothing"));
  EXPECT_EQ(Call({"replay", with("/verdict/outcome", "safe"), "--content", content, "--json"}), 1);
  EXPECT_EQ(Json::parse(console.out)["differences"][0]["what"], "outcome");
  const std::string other =
      folder.Write("other.md", "# Alpha\n\n## Violates\n- X1.a Whatever is worse.\n");
  EXPECT_EQ(Call({"replay", receipt, "--content", content, "--policy", other}), 1);
  EXPECT_THAT(console.out, HasSubstr("policy: "));
  services.screen_kernels = "another";
  EXPECT_EQ(Call({"replay", receipt, "--content", content}), 0);
  EXPECT_THAT(console.out, HasSubstr("kernels.screen: fake -> another"))
      << "told, though the verdict is the same";
}

TEST_F(ReplayTest, APolicyThatHasMovedOnIsFoundByItsHash) {
  const std::string file = folder.Write("p.md", "# T\n\n## Violates\n- X1.a One.\n");
  ASSERT_EQ(Call({"policy", "publish", file, "--id", "tested"}), 0) << console.error;
  ASSERT_EQ(Call({"policy", "promote", "tested@1", "--to", "active"}), 0);
  ASSERT_EQ(Call({"classify", "bad", "-p", "tested", "--record", "--record-content"}), 1);
  std::ignore = folder.Write("p.md", "# T\n\n## Violates\n- X1.a Two.\n");
  ASSERT_EQ(Call({"policy", "publish", file, "--id", "tested"}), 0);
  ASSERT_EQ(Call({"policy", "promote", "tested@2", "--to", "active"}), 0);
  ASSERT_EQ(Call({"verdicts", "receipt", "1"}), 0);
  EXPECT_EQ(Call({"replay", folder.Write("r.json", console.out)}), 0) << console.out;
}

TEST_F(ReplayTest, WhatCannotBeReplayedSaysWhy) {
  EXPECT_EQ(Call({"verdicts", "receipt", "1"}), 4) << "no log";
  const std::string receipt = Recorded("a bad one", {"--record-content"});
  EXPECT_EQ(Call({"verdicts", "receipt", "2"}), 2);
  EXPECT_EQ(Call({"replay", folder.Write("no.json", "{}")}), 2);
  services.model_there = false;
  EXPECT_EQ(Call({"replay", receipt}), 4);
  EXPECT_THAT(console.error, HasSubstr("demo.sh"));
  services.model_there = true;
  Json early = Json::parse(folder.Read("receipt.json"));
  early["setup"] = nullptr;
  EXPECT_EQ(Call({"replay", folder.Write("early.json", early.dump())}), 4);
  EXPECT_THAT(console.error, HasSubstr("before there were receipts"));
}

TEST(JudgeSetupTest, ASetupNamesItsJudgeAgain) {
  JudgeChoice choice;
  choice.judge = "reasoner";
  choice.model = "folder";
  choice.effort = "high";
  choice.instant = true;
  choice.reasoning_tokens = 77;
  choice.temperature = 0.25;
  choice.seed = 9;
  choice.precision = "int8";
  FakeServices services;
  const Result<NamedSetup> read = ReadSetup(SetupOf(choice, services));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->route, "");
  EXPECT_EQ(read->choice.judge, "reasoner");
  EXPECT_EQ(read->choice.model, "folder");
  EXPECT_EQ(read->choice.effort, "high");
  EXPECT_TRUE(read->choice.instant);
  EXPECT_EQ(read->choice.reasoning_tokens, 77U);
  EXPECT_EQ(read->choice.temperature, 0.25);
  EXPECT_EQ(read->choice.seed, 9U);
  EXPECT_EQ(read->choice.precision, "int8");
  EXPECT_EQ(ReadSetup(RouteSetup("/etc/route.yaml", services))->route, "/etc/route.yaml");
  for (const char* setup : {"", "[]", "{}", R"({"judge":1})"}) {
    EXPECT_FALSE(ReadSetup(setup)) << setup;
  }
}

}  // namespace
}  // namespace safeguard::apps
