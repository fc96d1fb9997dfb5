// From a route's doubt to a person's decision, a record and a golden case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/fake_services.h"
#include "apps/run.h"
#include "eval/golden_set.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class ReviewCommands : public ::testing::Test {
 protected:
  int Call(std::vector<std::string> words) {
    words.insert(words.end(), {"--data-dir", folder.Path("data")});
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(words, services, console, stop));
  }
  // Two contents go to review: one flagged, one that nobody decided.
  void FileTwo() {
    const std::string route = folder.Write("route.yaml",
                                           "route: comments\n"
                                           "policies: [alpha]\n"
                                           "review: {undetermined: on, violations: on}\n");
    const std::string in = folder.Write("in.txt", "a bad one\na fine one\na bad one\n");
    EXPECT_EQ(Call({"batch", "--in", in, "--out", folder.Path("out"), "--route", route}), 1)
        << console.error;
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(ReviewCommands, ACaseIsListedShownDecidedRecordedAndExported) {
  FileTwo();
  EXPECT_EQ(Call({"review", "list"}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("a bad one"));
  EXPECT_THAT(console.out, HasSubstr("1 open, 0 decided.")) << "the same content is one case";
  EXPECT_EQ(Call({"review", "show", "1"}), 0);
  EXPECT_THAT(console.out, HasSubstr("violation 0.88: breaks X1.a"));

  EXPECT_EQ(Call({"review", "decide", "1", "violation", "--why", "it says so", "--rule", "Y9",
                  "--as", "ada"}),
            2);
  EXPECT_THAT(console.error, HasSubstr("the policy alpha has no rule Y9"));
  EXPECT_EQ(Call({"review", "decide", "1", "violation", "--why", "it says so", "--rule", "X1.a",
                  "--as", "ada"}),
            0)
      << console.error;
  EXPECT_THAT(console.out, HasSubstr("case 1: violation -> violation, by ada"));
  EXPECT_EQ(Call({"review", "decide", "1", "safe", "--why", "no", "--as", "bob"}), 2);
  EXPECT_THAT(console.error, HasSubstr("decided by ada"));
  EXPECT_EQ(Call({"review", "decide", "1", "safe", "--why", "a joke", "--as", "bob", "--again"}),
            0);

  EXPECT_EQ(Call({"review", "show", "1", "--json"}), 0);
  const json shown = json::parse(console.out);
  EXPECT_EQ(shown["decision"]["by"], "bob");
  EXPECT_EQ(shown["decision"]["why"], "a joke");
  const auto log = storage::OpenVerdictLog(folder.Path("data"), {}).value();
  const auto records = log->Scan({})->records;
  ASSERT_EQ(records.size(), 2U) << "both decisions stay on record";
  EXPECT_EQ(records[0].layer, "review");
  EXPECT_EQ(records[0].model, "ada");
  EXPECT_EQ(records[1].outcome, moderation::Outcome::kSafe);
  EXPECT_EQ(records[1].provisional->outcome, moderation::Outcome::kViolation);

  EXPECT_EQ(Call({"review", "export", "--policy", "alpha"}), 0);
  std::istringstream exported(console.out);
  const auto golden = eval::ReadGoldenSet(exported, "exported");
  ASSERT_TRUE(golden) << Describe(golden.error());
  ASSERT_EQ(golden->size(), 1U);
  EXPECT_EQ(golden->front().expected, moderation::Outcome::kSafe);
  EXPECT_EQ(golden->front().content.messages[0].text, "a bad one");

  EXPECT_EQ(Call({"review", "prune", "--older-than", "30"}), 0);
  EXPECT_THAT(console.out, HasSubstr("0 decided cases forgotten"));
}

TEST_F(ReviewCommands, WhatIsWrongIsSaid) {
  EXPECT_EQ(Call({"review", "list"}), 4);
  EXPECT_THAT(console.error, HasSubstr("review: {undetermined: on}"));
  FileTwo();
  EXPECT_EQ(Call({"review", "show", "9"}), 4);
  EXPECT_EQ(Call({"review", "decide", "1", "maybe", "--why", "x"}), 2);
  EXPECT_EQ(Call({"review", "decide", "1", "safe"}), 2) << "a reason is needed";
  EXPECT_EQ(Call({"review", "list", "--policy", "beta", "--json"}), 0);
  EXPECT_EQ(console.out, "");
  EXPECT_EQ(Call({"review", "list", "--policy", "beta"}), 0);
  EXPECT_EQ(console.out, "No such case. 1 open, 0 decided in all.\n");
  EXPECT_EQ(Call({"review", "list", "--state", "decided", "--route", "comments"}), 0);
  EXPECT_EQ(console.out, "No such case. 1 open, 0 decided in all.\n");
  EXPECT_EQ(Call({"review", "list", "--policy", "alhpa"}), 4);
  EXPECT_THAT(console.error, HasSubstr("did you mean alpha?"));
  EXPECT_EQ(Call({"review", "list", "--route", "coments", "--json"}), 4);
  EXPECT_THAT(console.error, HasSubstr("did you mean comments?"));
  const std::string kept = folder.Write("kept.jsonl", "kept");
  EXPECT_EQ(Call({"review", "export", "--policy", "alhpa", "--out", kept}), 4);
  EXPECT_EQ(folder.Read("kept.jsonl"), "kept");
}

}  // namespace
}  // namespace safeguard::apps
