// `safeguard lists` through the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/fake_services.h"
#include "apps/run.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;

class ListCommands : public ::testing::Test {
 protected:
  int Call(const std::vector<std::string>& arguments) {
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(arguments, services, console, stop));
  }
  int Add(std::vector<std::string> words) {
    words.insert(words.begin(), {"lists", "add", list});
    words.insert(words.end(), {"--reason", "seen before", "--as", "ada"});
    return Call(words);
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
  std::string list = folder.Path("scams.jsonl");
};

TEST_F(ListCommands, WhatIsAddedIsFound) {
  ASSERT_EQ(Add({"--term", "free money", "--action", "violation", "-p", "spam", "--rule", "SP2.a"}),
            0)
      << console.error;
  ASSERT_EQ(Add({"--allow", "free money advice"}), 0) << console.error;
  EXPECT_EQ(Call({"lists", "check", "get Free  Money now", "-l", list, "-p", "spam", "--json"}), 1);
  const auto hit = nlohmann::json::parse(console.out);
  EXPECT_EQ(hit["action"], "violation");
  EXPECT_EQ(hit["list"], "scams");
  EXPECT_EQ(hit["rule_ids"], nlohmann::json({"SP2.a"}));
  EXPECT_EQ(hit["evidence"][0]["start"], 4);
  EXPECT_EQ(hit["evidence"][0]["text"], "Free  Money");
  EXPECT_EQ(Call({"lists", "check", "free money advice", "-l", list, "-p", "spam"}), 0);
  EXPECT_EQ(console.out, "no entry hits\n");
  EXPECT_EQ(Call({"lists", "check", "free money", "-l", list}), 0) << "of another policy";
}

TEST_F(ListCommands, KnownContentIsKeptAsItsHashAlone) {
  const std::string text =
      "Dear friend, send me your account number and keep a third of my eleven million dollars.";
  ASSERT_EQ(Add({text, "--near", "--action", "review"}), 0) << console.error;
  ASSERT_EQ(Add({"Hello there", "--exact", "--action", "safe"}), 0) << console.error;
  EXPECT_EQ(Call({"lists", "check", "hello  THERE", "-l", list}), 0);
  EXPECT_THAT(console.out, HasSubstr("safe"));
  EXPECT_EQ(Call({"lists", "check", text + "!", "-l", folder.Path("")}), 3);
  EXPECT_EQ(Call({"lists", "show", list, "--json"}), 0);
  EXPECT_THAT(console.out, ::testing::Not(HasSubstr("million")));
  EXPECT_EQ(Call({"lists", "show", list}), 0);
  EXPECT_THAT(console.out, HasSubstr("seen before"));
}

TEST_F(ListCommands, TimeIsTheCallers) {
  ASSERT_EQ(Add({"--term", "pills", "--action", "violation", "--expires", "2026-12-31"}), 0);
  EXPECT_EQ(Call({"lists", "check", "pills", "-l", list, "--at", "2026-12-30"}), 1);
  EXPECT_EQ(Call({"lists", "check", "pills", "-l", list, "--at", "2026-12-31"}), 0);
  EXPECT_EQ(Call({"lists", "check", "pills", "-l", list, "--at", "soon"}), 2);
}

TEST_F(ListCommands, WhatCannotBeAddedLeavesTheFileAlone) {
  EXPECT_EQ(Add({"--term", "pills"}), 2) << "no action";
  EXPECT_EQ(Add({"--term", "pills", "--action", "safe"}), 2);
  EXPECT_THAT(console.error, HasSubstr("only exact may call a content safe"));
  EXPECT_EQ(Add({"short", "--near", "--action", "review"}), 2);
  EXPECT_EQ(Add({"--term", "a", "--allow", "b", "--action", "review"}), 2);
  EXPECT_FALSE(std::filesystem::exists(list));
  ASSERT_EQ(Add({"--term", "pills", "--action", "violation", "--id", "p1"}), 0);
  EXPECT_EQ(Add({"--term", "powder", "--action", "violation", "--id", "p1"}), 2);
  EXPECT_THAT(console.error, HasSubstr("the id p1 stands in line 1 already"));
  EXPECT_EQ(folder.Write("scams.jsonl", "nonsense\n"), list);
  EXPECT_EQ(Add({"--term", "powder", "--action", "violation"}), 4);
  EXPECT_EQ(Call({"lists", "check", "powder", "-l", list}), 4);
}

TEST_F(ListCommands, LintChecksRulesAgainstThePolicy) {
  ASSERT_EQ(Add({"--term", "bad", "--action", "violation", "-p", "alpha", "--rule", "X9"}), 0);
  EXPECT_EQ(Call({"lists", "lint", list}), 0) << console.out;
  EXPECT_EQ(Call({"lists", "lint", list, "-p", "alpha"}), 1);
  EXPECT_THAT(console.out, HasSubstr("alpha has no rule X9"));
  EXPECT_EQ(folder.Write("scams.jsonl", "nonsense\n{\"id\": 1}\n"), list);
  EXPECT_EQ(Call({"lists", "lint", list, "--json"}), 1);
  EXPECT_THAT(console.out, HasSubstr("\"line\":1,\"severity\":\"error\""));
  EXPECT_THAT(console.out, HasSubstr("\"line\":2,\"severity\":\"error\""));
  EXPECT_EQ(Call({"lists", "lint", folder.Path("none.jsonl")}), 4);
}

}  // namespace
}  // namespace safeguard::apps
