// The store through the command line, with a fake judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/fake_services.h"
#include "apps/run.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StoreCommands : public ::testing::Test {
 protected:
  int Call(std::vector<std::string> words) {
    words.insert(words.end(), {"--data-dir", folder.Path("data")});
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(words, services, console, stop));
  }
  void Publish(const std::string& rule) {
    const std::string file =
        folder.Write("tested.md", "# Tested\n\n## Violates\n- X1.a " + rule + "\n");
    ASSERT_EQ(Call({"policy", "publish", file, "--id", "tested"}), 0) << console.error;
  }
  std::vector<moderation::VerdictRecord> Recorded() {
    const auto log = storage::OpenVerdictLog(folder.Path("data"), {});
    return log ? (*log)->Scan({}).value().records : std::vector<moderation::VerdictRecord>{};
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(StoreCommands, AShadowIsRecordedAndNeverShown) {
  Publish("one");
  ASSERT_EQ(Call({"policy", "promote", "tested@1", "--to", "active"}), 0);
  Publish("two");
  ASSERT_EQ(Call({"policy", "promote", "tested@2", "--to", "shadow"}), 0);
  EXPECT_EQ(Call({"classify", "bad", "-p", "tested"}), 1);
  EXPECT_TRUE(Recorded().empty()) << "nothing is recorded unless asked";
  EXPECT_EQ(Call({"classify", "bad", "-p", "tested", "--record"}), 1);
  EXPECT_THAT(console.out, HasSubstr("version 1 of the store"));
  EXPECT_THAT(console.out, Not(HasSubstr("version 2")));
  const auto records = Recorded();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].channel, moderation::Channel::kActive);
  EXPECT_EQ(records[0].policy.version, "1");
  EXPECT_EQ(records[1].channel, moderation::Channel::kShadow);
  EXPECT_EQ(records[1].policy.version, "2");
  EXPECT_FALSE(records[0].content || records[1].content);
}

TEST_F(StoreCommands, ABatchTakesUpAPromoteAtTheNextBatchAndNeverHalfOfOne) {
  Publish("one");
  ASSERT_EQ(Call({"policy", "promote", "tested@1", "--to", "active"}), 0);
  Publish("two");
  std::string records;
  for (int i = 0; i < 6; ++i) {
    records += "{\"text\": \"fine\"}\n";
  }
  const std::string in = folder.Write("in.jsonl", records);
  int batches = 0;
  services.before_decide = [&] {
    if (++batches == 2) {  // within the second batch: it stays with what it began with
      const auto store = storage::OpenPolicyStore(folder.Path("data"), {});
      ASSERT_TRUE(store);
      ASSERT_TRUE(
          (*store)->Move("tested", 2, moderation::VersionState::kActive, 0, {"ada", "", 1}));
    }
  };
  EXPECT_EQ(Call({"batch", "-p", "tested", "-i", in, "-o", folder.Path("out"), "--batch-size", "2",
                  "--record", "--record-content"}),
            0)
      << console.error;
  std::istringstream lines(folder.Read("out"));
  std::string versions;
  for (std::string line; std::getline(lines, line);) {
    versions += nlohmann::json::parse(line)["policy_version"].get<std::string>();
  }
  EXPECT_EQ(versions, "111122");
  ASSERT_EQ(Recorded().size(), 6U);
  EXPECT_EQ(Recorded()[5].policy.version, "2");
  EXPECT_EQ(Recorded()[5].content->messages[0].text, "fine");
}

TEST_F(StoreCommands, ABatchIsGoneOnWithAfterAPromote) {
  Publish("one");
  ASSERT_EQ(Call({"policy", "promote", "tested@1", "--to", "active"}), 0);
  const std::string in = folder.Write("in.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\"}\n");
  services.before_decide = [&] { stop = true; };
  EXPECT_EQ(
      Call({"batch", "-p", "tested", "-i", in, "-o", folder.Path("out"), "--batch-size", "1"}),
      130);
  stop = false;
  services.before_decide = {};
  Publish("two");
  ASSERT_EQ(Call({"policy", "promote", "tested@2", "--to", "active"}), 0);
  EXPECT_EQ(Call({"batch", "-p", "tested", "-i", in, "-o", folder.Path("out")}), 0)
      << console.error;
  EXPECT_THAT(folder.Read("out"), HasSubstr("\"policy_version\":\"1\""));
  EXPECT_THAT(folder.Read("out"), HasSubstr("\"policy_version\":\"2\""));
  EXPECT_EQ(Call({"batch", "-p", "tested@1", "-i", in, "-o", folder.Path("out")}), 2)
      << "a version is another thing than what the store says";
}

TEST_F(StoreCommands, ANameInTheStoreComesBeforeAShippedOne) {
  EXPECT_EQ(Call({"classify", "fine", "-p", "alpha"}), 4) << "the named folder has no store";
  const std::string file = folder.Write("a.md", "# A\n\n## Violates\n- X1.a Anything.\n");
  ASSERT_EQ(Call({"policy", "publish", file, "--id", "alpha"}), 0);
  EXPECT_EQ(Call({"classify", "fine", "-p", "alpha"}), 4) << "it has no active version";
  EXPECT_THAT(console.error, HasSubstr("alpha@latest"));
  ASSERT_EQ(Call({"policy", "promote", "alpha@1", "--to", "active"}), 0);
  EXPECT_EQ(Call({"classify", "fine", "-p", "alpha"}), 0);
  EXPECT_THAT(console.out, HasSubstr("alpha: version 1 of the store"));
  EXPECT_EQ(Call({"classify", "fine", "-p", "beta"}), 0) << "others are found as before";
}

TEST_F(StoreCommands, PublishRefusesAGoldenSetThatCannotBeRead) {
  const std::string file = folder.Write("a.md", "# A\n\n## Violates\n- X1.a Anything.\n");
  const std::string golden = folder.Write("a.golden.jsonl", "{\"text\": \"no label\"}\n");
  EXPECT_NE(Call({"policy", "publish", file}), 0);
  EXPECT_EQ(Call({"policy", "publish", file, "--no-golden"}), 0) << console.error;
}

TEST_F(StoreCommands, WhatHasErrorsComesToAnswerOnlyWhenSomebodyInsists) {
  const std::string empty = folder.Write("empty.md", "# Nothing\n\nBe nice.\n");
  ASSERT_EQ(Call({"policy", "publish", empty, "--id", "empty", "--json"}), 0) << console.error;
  const auto findings = nlohmann::json::parse(console.out)["findings"];
  EXPECT_TRUE(std::ranges::any_of(findings, [](const nlohmann::json& finding) {
    return finding["severity"] == "error" && finding["check"] == "no-rules";
  })) << findings;
  ASSERT_EQ(Call({"policy", "publish", empty, "--id", "empty"}), 0);
  EXPECT_THAT(console.out, HasSubstr("It may not come to answer as it is: the policy has 1 error"));
  EXPECT_EQ(Call({"policy", "promote", "empty@1", "--to", "shadow"}), 0) << "it answers nobody";
  for (const std::vector<std::string>& to :
       {std::vector<std::string>{"active"}, {"canary", "--percent", "5"}}) {
    std::vector<std::string> words = {"policy", "promote", "empty@1", "--to"};
    words.insert(words.end(), to.begin(), to.end());
    EXPECT_EQ(Call(words), 2);
    EXPECT_THAT(console.error, HasSubstr("the policy has 1 error: "));
    EXPECT_THAT(console.error, HasSubstr("--force"));
  }
  EXPECT_EQ(Call({"policy", "promote", "empty@1", "--to", "active", "--force"}), 0);
  services.model_there = false;
  EXPECT_EQ(Call({"policy", "publish", empty, "--id", "again"}), 0) << "lengths go unchecked";
}

TEST_F(StoreCommands, NothingToShowIsSaidAndAnUnknownNameIsAnError) {
  ASSERT_EQ(Call({"classify", "bad", "-p", "alpha", "--record"}), 1) << console.error;
  Publish("one");
  EXPECT_EQ(Call({"verdicts", "alhpa"}), 4);
  EXPECT_THAT(console.error, HasSubstr("no policy is called alhpa (did you mean alpha?)"));
  EXPECT_EQ(Call({"verdicts", "alhpa", "--json"}), 4);
  EXPECT_EQ(Call({"verdicts", "somethingelse"}), 4);
  EXPECT_THAT(console.error, HasSubstr("there is: alpha, beta, tested"));
  for (const char* known : {"beta", "tested", "tested@1"}) {
    EXPECT_EQ(Call({"verdicts", known}), 0) << console.error;
    EXPECT_THAT(console.out, HasSubstr(" is recorded."));
    EXPECT_EQ(Call({"verdicts", known, "--json"}), 0);
    EXPECT_EQ(console.out, "");
  }
  EXPECT_EQ(Call({"verdicts", "tested@7"}), 4);
  EXPECT_THAT(console.error, HasSubstr("tested has no version 7"));
  EXPECT_EQ(Call({"verdicts", "tested@latest"}), 2);
  EXPECT_THAT(console.error, HasSubstr("tested@1"));
  EXPECT_EQ(Call({"verdicts", "alpha", "--outcome", "safe"}), 0);
  EXPECT_EQ(console.out, "None of the 1 verdicts of alpha matches.\n");
  EXPECT_EQ(Call({"verdicts", "--since", "2099-01-01"}), 0);
  EXPECT_EQ(console.out, "None of the 1 verdicts matches.\n");
}

TEST_F(StoreCommands, APolicyThatWasReadFromAFileIsKnownByItsVerdicts) {
  const std::string file = folder.Write("own.md", "# Own\n\n## Violates\n- X1.a Anything.\n");
  ASSERT_EQ(Call({"policy", "publish", file, "--id", "other"}), 0);
  ASSERT_EQ(Call({"classify", "bad", "-p", file, "--record"}), 1) << console.error;
  EXPECT_EQ(Call({"verdicts", "own"}), 0) << console.error;
  EXPECT_EQ(Call({"verdicts", "own", "--channel", "shadow"}), 0) << console.error;
  EXPECT_EQ(console.out, "None of the 1 verdicts of own matches.\n");
}

TEST_F(StoreCommands, TheListTellsAShippedPolicyFromAnUnknownOne) {
  Publish("one");
  EXPECT_EQ(Call({"policy", "list", "alpha"}), 0) << console.error;
  EXPECT_EQ(console.out, "alpha ships with safeguard; the store has no version of it.\n");
  EXPECT_EQ(Call({"policy", "list", "alpha", "--json"}), 0);
  EXPECT_EQ(console.out, "");
  EXPECT_EQ(Call({"policy", "list", "testde"}), 4);
  EXPECT_THAT(console.error, HasSubstr("did you mean tested?"));
  EXPECT_EQ(Call({"policy", "log", "alhpa"}), 4);
}

}  // namespace
}  // namespace safeguard::apps
