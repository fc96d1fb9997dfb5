// One YAML configures `serve`: the same options, types and ranges as the command line, which wins.
#include "apps/command_line/serve_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <variant>

#include "apps/command_line/command_tree.h"
#include "apps/fake_services.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;

class ServeConfigTest : public ::testing::Test {
 protected:
  Invocation Parse(std::vector<std::string> more) {
    more.insert(more.begin(), "serve");
    CommandTree tree;
    return tree.Parse(more);
  }
  ServeArguments Read(const std::string& yaml, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--config", folder.Write("service.yaml", yaml)});
    const Invocation read = Parse(more);
    const auto* end = std::get_if<ParseEnd>(&read);
    EXPECT_EQ(end, nullptr) << (end == nullptr ? "" : Describe(end->error));
    return end == nullptr ? std::get<ServeArguments>(read) : ServeArguments();
  }
  std::string Refused(const std::string& yaml) {
    const Invocation read = Parse({"--config", folder.Write("service.yaml", yaml)});
    const auto* end = std::get_if<ParseEnd>(&read);
    EXPECT_NE(end, nullptr) << yaml;
    return end == nullptr ? "" : end->error.message;
  }

  TestFolder folder;
};

TEST_F(ServeConfigTest, GivesWhatTheCommandLineLeavesOut) {
  const ServeArguments read = Read(
      "port: 9000  # of the house\ntimeout_ms: 800\nrecord_content: true\n"
      "webhook_allow: [10.1.0.0/16, 127.0.0.1]\njudge: recorded\n",
      {"--timeout-ms", "900"});
  EXPECT_EQ(read.port, 9000);
  EXPECT_EQ(read.timeout_ms, 900) << "the command line wins";
  EXPECT_TRUE(read.record_content);
  EXPECT_EQ(read.webhook.allowed.size(), 2U);
  EXPECT_EQ(read.judge.judge, "recorded");
  EXPECT_EQ(read.host, "127.0.0.1");
  EXPECT_EQ(Read("# nothing yet\n").port, 8080);
}

TEST_F(ServeConfigTest, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_THAT(Refused("port: 80\nprot: 81\n"), HasSubstr("line 2: there is no key prot"));
  EXPECT_THAT(Refused("port: 70000\n"), HasSubstr("line 1"));
  EXPECT_THAT(Refused("port: [1, 2]\n"), HasSubstr("one value"));
  EXPECT_THAT(Refused("port: {a: 1}\n"), HasSubstr("no map"));
  EXPECT_THAT(Refused("record_content: yes please\n"), HasSubstr("true or false"));
  EXPECT_THAT(Refused("queue: 1\nqueue: 2\n"), HasSubstr("queue"));
  EXPECT_THAT(Refused("- 1\n"), HasSubstr("no map"));
  EXPECT_THAT(Refused("judge: oracle\n"), HasSubstr("line 1"));
  EXPECT_THAT(Refused("config: other.yaml\n"), HasSubstr("no key config"));
  const Invocation missing = Parse({"--config", folder.Path("nosuch.yaml")});
  EXPECT_NE(std::get_if<ParseEnd>(&missing), nullptr);
}

TEST_F(ServeConfigTest, WhatIsPrintedIsReadAgainAsTheSame) {
  const ServeArguments first =
      Read("port: 9000\nwebhook_allow: [10.1.0.0/16]\nrecord_content: true\n");
  const ServeArguments second = Read(first.effective);
  EXPECT_EQ(second.effective, first.effective);
  EXPECT_THAT(first.effective, HasSubstr("port: 9000  # "));
  const Invocation printed = Parse({"--print-config", "--port", "9000"});
  EXPECT_THAT(std::get<ParseEnd>(printed).out, HasSubstr("port: 9000"));
}

TEST_F(ServeConfigTest, TheSchemaKnowsEveryKeyThatIsPrinted) {
  const auto schema = nlohmann::json::parse(std::get<ParseEnd>(Parse({"--config-schema"})).out);
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["properties"]["port"]["type"], "number");
  std::istringstream lines(Read("").effective);
  int keys = 0;
  for (std::string line; std::getline(lines, line); ++keys) {
    EXPECT_TRUE(schema["properties"].contains(line.substr(0, line.find(':')))) << line;
  }
  EXPECT_GT(keys, 20);
}

}  // namespace
}  // namespace safeguard::apps
