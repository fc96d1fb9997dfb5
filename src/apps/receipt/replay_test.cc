// From a recorded verdict to its receipt, and back to the same verdict, with a fake judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "apps/fake_services.h"
#include "apps/receipt/judge_setup.h"
#include "apps/run.h"
#include "moderation/memory_store.h"

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
  // `group`: the word before the others, as in "jobs run".
  int Call(const std::vector<std::string>& words, const std::string& group = "") {
    console.out.clear();
    console.error.clear();
    std::vector<std::string> all = words;
    if (!group.empty()) {
      all.insert(all.begin(), group);
    }
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

// A tenant that has no policy of that name is judged by the server's own.
TEST_F(ReplayTest, ATenantsVerdictUnderTheOperatorsPolicyIsReplayedInTheTenantsFolder) {
  const std::string house = folder.Write("h.md", "# H\n\n## Violates\n- X1.a Bad.\n");
  ASSERT_EQ(Call({"policy", "publish", house, "--id", "house"}), 0) << console.error;
  ASSERT_EQ(Call({"policy", "promote", "house@1", "--to", "active"}), 0);
  ASSERT_EQ(Call({"classify", "bad", "-p", "house", "--record"}), 1);
  ASSERT_EQ(Call({"verdicts", "receipt", "1"}), 0);
  const std::string receipt = folder.Write("r.json", console.out);
  const std::string content = folder.Write("content.txt", "bad");
  const auto replay = [&](const std::string& data) {
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(
        {"replay", receipt, "--content", content, "--data-dir", data}, services, console, stop));
  };
  const std::string tenant = folder.Path("data") + "/tenants/acme";
  const std::string own = folder.Write("o.md", "# H\n\n## Violates\n- X1.a Worse.\n");
  std::filesystem::create_directories(tenant);
  for (const char* id : {"other", "house"}) {  // then the tenant has one of that name too
    ASSERT_EQ(
        static_cast<int>(RunCommand({"policy", "publish", own, "--id", id, "--data-dir", tenant},
                                    services, console, stop)),
        0);
    EXPECT_EQ(replay(tenant), 0) << console.error;
    EXPECT_THAT(console.out, HasSubstr("The same verdict."));
    EXPECT_THAT(console.error,
                HasSubstr("house is the operator's policy, from " + folder.Path("data") + "\n"));
  }
  EXPECT_EQ(replay(tenant + "/"), 0);
  std::filesystem::copy(tenant, folder.Path("copy"));
  EXPECT_EQ(replay(folder.Path("copy")), 4) << "the tenant's own of that name is another";
  const std::string lone = folder.Path("lone");
  ASSERT_EQ(static_cast<int>(RunCommand({"policy", "publish", own, "--id", "x", "--data-dir", lone},
                                        services, console, stop)),
            0);
  EXPECT_EQ(replay(lone), 4);
  EXPECT_THAT(console.error, HasSubstr("--guard-policy, house@"));
}

TEST_F(ReplayTest, AVerdictFromAJointPromptIsReplayedWithAllItsPolicies) {
  const std::string text = folder.Write("content.txt", "a bad one");
  const std::string first = folder.Write("one.md", "# One\n\n## Violates\n- X1.a One.\n");
  ASSERT_EQ(Call({"classify", "a bad one", "-p", first, "-p", "beta", "-p", "alpha", "--judge",
                  "reasoner", "--model", "m", "--joint", "--record"}),
            1)
      << console.error;
  ASSERT_EQ(Call({"verdicts", "receipt", "3"}), 0);
  const std::string receipt = folder.Write("receipt.json", console.out);
  EXPECT_EQ(Call({"replay", receipt, "--content", text}), 4) << "the file is in no store";
  EXPECT_THAT(console.error, HasSubstr("the policy one with the hash"));
  EXPECT_EQ(Call({"replay", receipt, "--content", text, "--policy", first}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("Verdict 3 under alpha@"));
  EXPECT_THAT(console.out, HasSubstr("The same verdict."));
  const std::string moved = folder.Write("moved.md", folder.Read("one.md"));
  EXPECT_EQ(Call({"replay", receipt, "--content", text, "--policy", moved}), 0)
      << "a policy is known by its hash: " << console.out;
  // In another order it is another prompt.
  Json changed = Json::parse(folder.Read("receipt.json"));
  Json joint = Json::parse(changed["settings"]["joint_policies"].get<std::string>());
  std::swap(joint[0], joint[1]);
  changed["settings"]["joint_policies"] = joint.dump();
  EXPECT_EQ(Call({"replay", folder.Write("changed.json", changed.dump()), "--content", text,
                  "--policy", first}),
            1);
  EXPECT_THAT(console.out, HasSubstr("settings.prompt_ids"));
  changed["settings"]["joint_policies"] = "[{}]";
  EXPECT_EQ(Call({"replay", folder.Write("changed.json", changed.dump()), "--content", text}), 4);
  EXPECT_THAT(console.error, HasSubstr("the policies of the prompt cannot be read"));
}

TEST_F(ReplayTest, OnePolicyAskedAboutJointlyIsOneAskedAboutAlone) {
  const std::string receipt =
      Recorded("a bad one", {"--judge", "reasoner", "--model", "m", "--joint"});
  const std::string text = folder.Write("content.txt", "a bad one");
  EXPECT_EQ(Call({"replay", receipt, "--content", text}), 0) << console.error << console.out;
}

TEST_F(ReplayTest, WhatAJobDecidedIsReplayedAsWhatIsDecidedAtOnce) {
  const std::string file = folder.Write("own.md", "# Own\n\n## Violates\n- X1.a One.\n");
  ASSERT_EQ(Call({"submit", "a bad one", "-p", "alpha", "-p", file}, "jobs"), 1) << console.error;
  ASSERT_EQ(Call({"run", "--judge", "screen"}, "jobs"), 0) << console.error;
  const std::string text = folder.Write("content.txt", "a bad one");
  for (const char* sequence : {"1", "2"}) {
    ASSERT_EQ(Call({"verdicts", "receipt", sequence}), 0) << console.error;
    const std::string receipt = folder.Write("receipt.json", console.out);
    std::vector<std::string> words = {"replay", receipt, "--content", text};
    if (*sequence == '2') {
      words.insert(words.end(), {"--policy", file});
    }
    EXPECT_EQ(Call(words), 0) << console.error << console.out;
  }
}

TEST_F(ReplayTest, WhatARoutesReasonerFinishedLaterIsReplayedByTheRoute) {
  const std::string route = folder.Write("route.yaml",
                                         "route: comments\n"
                                         "policies: [alpha]\n"
                                         "reasoners: [{name: low, model: nowhere}]\n"
                                         "audit: {safe: 1, violation: 1, later: on}\n");
  ASSERT_EQ(Call({"classify", "a fine one", "--route", route, "--record"}), 0) << console.error;
  ASSERT_EQ(Call({"run", "--route", route}, "jobs"), 0) << console.error;
  const std::string text = folder.Write("content.txt", "a fine one");
  ASSERT_EQ(Call({"verdicts", "receipt", "2"}), 0) << console.error;
  const Json finished = Json::parse(console.out);
  EXPECT_EQ(finished["setup"]["judge"]["finishing"], true);
  EXPECT_EQ(finished["path"].size(), 1U) << "the reasoner alone";
  const std::string receipt = folder.Write("receipt.json", console.out);
  EXPECT_EQ(Call({"replay", receipt, "--content", text}), 0) << console.error << console.out;
  EXPECT_EQ(Call({"replay", receipt, "--content", text, "--route", route}), 0) << console.out;
  std::filesystem::remove(route);
  EXPECT_EQ(Call({"replay", receipt, "--content", text}), 4) << "the route is gone";
}

TEST_F(ReplayTest, ASignedReceiptIsCheckedBeforeAnythingIsComputed) {
  ASSERT_EQ(Call({"audit", "init"}), 0) << console.error;
  const std::string receipt = Recorded("a bad one");
  const std::string key = folder.Path("data/audit/public_key");
  const std::string content = folder.Write("content.txt", "a bad one");
  EXPECT_EQ(Call({"replay", receipt, "--content", content}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("Signature valid, by the receipt's own word"));
  EXPECT_EQ(Call({"replay", receipt, "--content", content, "--key", key}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("Signature valid, by the trusted key"));
  EXPECT_EQ(Call({"replay", receipt, "--content", content, "--key", key, "--json"}), 0);
  EXPECT_EQ(Json::parse(console.out)["signature"]["state"], "valid");
  EXPECT_EQ(Json::parse(console.out)["signature"]["trusted"], true);

  const int opened = services.judges_opened;
  Json tampered = Json::parse(folder.Read("receipt.json"));
  tampered["verdict"]["outcome"] = "safe";
  const std::string changed = folder.Write("changed.json", tampered.dump());
  EXPECT_EQ(Call({"replay", changed, "--content", content}), 1);
  EXPECT_THAT(console.out, HasSubstr("THE SIGNATURE DOES NOT MATCH"));
  EXPECT_EQ(Call({"replay", changed, "--content", content, "--json"}), 1);
  EXPECT_TRUE(Json::parse(console.out)["equal"].is_null());
  EXPECT_EQ(Json::parse(console.out)["signature"]["state"], "does not match");

  const std::string other = std::string(64, '0');
  EXPECT_EQ(Call({"replay", receipt, "--content", content, "--key", other}), 1);
  EXPECT_THAT(console.out, HasSubstr("THE SIGNATURE IS ANOTHER'S"));
  EXPECT_EQ(Call({"replay", receipt, "--content", content, "--key", other, "--json"}), 1);
  EXPECT_EQ(Json::parse(console.out)["signature"]["state"], "another key");
  EXPECT_EQ(services.judges_opened, opened) << "nothing that is not to be believed opens a judge";
  EXPECT_EQ(Call({"replay", receipt, "--content", content, "--key", content}), 2) << "no key";
  EXPECT_EQ(Call({"replay", receipt, "--content", content, "--key", other, "--key", key}), 0);
}

TEST_F(ReplayTest, AReceiptOfBeforeARotationIsOfTheKeyOfThen) {
  ASSERT_EQ(Call({"audit", "init"}), 0) << console.error;
  const std::string before = folder.Write("before", folder.Read("data/audit/public_key"));
  const std::string receipt = Recorded("a bad one", {"--record-content"});
  ASSERT_EQ(Call({"audit", "rotate"}), 0);
  EXPECT_EQ(Call({"replay", receipt, "--key", before}), 0) << console.out;
  EXPECT_EQ(Call({"replay", receipt, "--key", folder.Path("data/audit/public_key")}), 1);
}

TEST_F(ReplayTest, AReceiptWithoutASignatureSaysSo) {
  const std::string receipt = Recorded("a bad one", {"--record-content"});
  EXPECT_TRUE(Json::parse(folder.Read("receipt.json"))["signature"].is_null());
  EXPECT_EQ(Call({"verdicts", "receipt", "1"}), 0);
  EXPECT_THAT(console.error, HasSubstr("not signed"));
  EXPECT_THAT(console.error, HasSubstr("safeguard audit init"));
  EXPECT_EQ(Call({"replay", receipt}), 0);
  EXPECT_THAT(console.out, HasSubstr("Not signed"));
  EXPECT_EQ(Call({"replay", receipt, "--key", std::string(64, 'a')}), 1);
  EXPECT_THAT(console.out, HasSubstr("THE RECEIPT IS NOT SIGNED"));
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
  EXPECT_FALSE(ReadSetup(RouteSetup("/etc/route.yaml", services))->finishing);
  EXPECT_TRUE(ReadSetup(RouteSetup("/etc/route.yaml", services, true))->finishing);
  for (const char* setup : {"", "[]", "{}", R"({"judge":1})"}) {
    EXPECT_FALSE(ReadSetup(setup)) << setup;
  }
}

// A server's slow judge writes through the log of the fast one.
TEST(JudgeSetupTest, EachJudgesVerdictsHaveItsOwnSetup) {
  JudgeChoice fast;
  fast.judge = "reasoner";
  JudgeChoice slow = fast;
  slow.model = "larger";
  std::unique_ptr<moderation::VerdictLog> memory = moderation::MemoryVerdictLog();
  moderation::VerdictLog& kept = *memory;
  const auto log = WithSetup(std::move(memory), fast, "fast");
  const auto slow_log = WithSetup(*log, slow, "slow");
  moderation::VerdictRecord record;
  record.layer = "reasoner";
  ASSERT_TRUE(log->Append(std::span(&record, 1)));
  ASSERT_TRUE(slow_log->Append(std::span(&record, 1)));
  record.layer = "human";
  ASSERT_TRUE(slow_log->Append(std::span(&record, 1)));
  const std::vector<moderation::VerdictRecord> records = kept.Scan({})->records;
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].provenance.setup, "fast");
  EXPECT_EQ(records[1].provenance.setup, "slow");
  EXPECT_EQ(records[2].provenance.setup, "") << "a person has none";
}

}  // namespace
}  // namespace safeguard::apps
