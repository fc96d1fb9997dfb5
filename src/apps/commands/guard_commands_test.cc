// `guard` and `audit` through the command line, with a fake judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/fake_services.h"
#include "apps/run.h"
#include "http/guard/test_streams.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GuardCommands : public ::testing::Test {
 protected:
  // A store, for --data-dir to name.
  void SetUp() override {
    const std::string file = folder.Write("other.md", "# Other\n\n## Violates\n- X1.a Nothing.\n");
    ASSERT_EQ(Call({"policy", "publish", file, "--id", "other"}), 0) << console.error;
  }
  int Call(std::vector<std::string> words) {
    words.insert(words.end(), {"--data-dir", folder.Path("data")});
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(words, services, console, stop));
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(GuardCommands, AStreamPassesAsFarAsItIsJudged) {
  console.input = guard::ChatStream({{"A fine beginning."}, {" Then a bad end."}});
  EXPECT_EQ(Call({"guard", "-p", "alpha"}), 1);
  EXPECT_THAT(console.out, HasSubstr("A fine beginning."));
  EXPECT_THAT(console.out, Not(HasSubstr("bad")));
  EXPECT_THAT(console.out, HasSubstr("content_filter"));
  EXPECT_THAT(console.error, HasSubstr("violation in 0/content: screen fake 0.875: alpha X1.a"));
  EXPECT_THAT(console.error, HasSubstr("17 bytes of text released, 0 of them unscanned"));
  console.input = guard::ChatStream({{"A fine beginning."}, {" Then a good end."}});
  EXPECT_EQ(Call({"guard", "-p", "alpha", "--json", "--chunk", "7"}), 0);
  const auto json = nlohmann::json::parse(console.out);
  EXPECT_EQ(json["state"], "completed");
  EXPECT_EQ(json["released_bytes"], 34);
  EXPECT_EQ(json["scanned_bytes"], 34);
}

TEST_F(GuardCommands, AStreamInAnotherFormatIsRefused) {
  console.input = guard::ChatStream({{"Hello."}});
  EXPECT_EQ(Call({"guard", "-p", "alpha", "--format", "anthropic"}), 3);
  EXPECT_THAT(console.out, Not(HasSubstr("Hello")));
  EXPECT_THAT(console.error, HasSubstr("refused"));
}

TEST_F(GuardCommands, RecordedVerdictsAreAudited) {
  EXPECT_EQ(Call({"audit", "verify"}), 4) << console.error;
  EXPECT_EQ(Call({"classify", "bad", "-p", "alpha", "--record"}), 1) << console.error;
  EXPECT_EQ(Call({"audit", "verify"}), 4) << "nothing begins one unasked";
  EXPECT_EQ(Call({"audit", "init"}), 0) << console.error;
  EXPECT_EQ(Call({"classify", "bad", "-p", "alpha", "--record"}), 1) << console.error;
  EXPECT_EQ(Call({"classify", "fine", "-p", "alpha", "--record"}), 0);
  EXPECT_EQ(Call({"audit", "verify", "--json"}), 0) << console.error;
  auto json = nlohmann::json::parse(console.out);
  EXPECT_EQ(json["verdicts"], 2);
  EXPECT_EQ(json["openings"], 2);
  const std::string key = json["public_key"];
  EXPECT_EQ(Call({"audit", "head"}), 0);
  const std::string anchor = folder.Write("heads", console.out);
  EXPECT_EQ(Call({"audit", "rotate"}), 0);
  EXPECT_EQ(Call({"audit", "verify", "--public-key", key, "--anchor", anchor}), 0);
  EXPECT_THAT(console.out, HasSubstr("The log is whole."));

  std::string log = folder.Read("data/audit/log");
  log.replace(log.find("\"violation\""), 11, "\"safe\"");
  static_cast<void>(folder.Write("data/audit/log", log));
  EXPECT_EQ(Call({"audit", "verify"}), 1);
  EXPECT_THAT(console.out, HasSubstr("line 3: entry 3 is not what was written"));
}

TEST_F(GuardCommands, VerdictsOfJobsAreAuditedToo) {
  EXPECT_EQ(Call({"audit", "init"}), 0);
  EXPECT_EQ(Call({"jobs", "submit", "bad", "-p", "alpha"}), 1) << console.error;
  EXPECT_EQ(Call({"jobs", "run", "--judge", "screen"}), 0) << console.error;
  EXPECT_EQ(Call({"audit", "verify"}), 0);
  EXPECT_THAT(console.out, HasSubstr("1 of them verdicts"));
}

TEST_F(GuardCommands, ErasureIsByIdOrHash) {
  EXPECT_EQ(Call({"audit", "init"}), 0);
  EXPECT_THAT(console.out, HasSubstr("public key"));
  const std::string in = folder.Write("in.jsonl", "{\"id\": \"c1\", \"text\": \"bad\"}\n");
  EXPECT_EQ(Call({"batch", "-p", "alpha", "-i", in, "-o", folder.Path("out"), "--record"}), 1)
      << console.error;
  EXPECT_EQ(Call({"audit", "erase"}), 2);
  EXPECT_EQ(Call({"audit", "erase", "--content-id", "c2"}), 4);
  EXPECT_EQ(Call({"audit", "erase", "--content-id", "c1"}), 0);
  EXPECT_THAT(console.out, HasSubstr("1 commitment can no longer be opened"));
  EXPECT_EQ(Call({"audit", "verify"}), 0);
  EXPECT_THAT(console.out, HasSubstr("0 commitments opened, 1 erased"));
}

}  // namespace
}  // namespace safeguard::apps
