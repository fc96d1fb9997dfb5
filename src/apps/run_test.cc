#include "apps/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/fake_services.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RunTest : public ::testing::Test {
 protected:
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

TEST_F(RunTest, ExitCodesSayWhatTheVerdictsAre) {
  EXPECT_EQ(Call({"classify", "fine", "-p", "alpha"}), 0);
  EXPECT_EQ(Call({"classify", "bad", "-p", "alpha"}), 1);
  EXPECT_EQ(Call({"classify", " ", "-p", "alpha"}), 3);
  EXPECT_EQ(Call({"classify", "", "-p", "alpha"}), 3);
  EXPECT_EQ(Call({"classify", "fine", "--nonsense"}), 2);
  EXPECT_EQ(Call({"classify", "fine", "-p", "gamma"}), 4);
  services.model_there = false;
  EXPECT_EQ(Call({"classify", "fine", "-p", "alpha"}), 4);
  EXPECT_EQ(console.error, "safeguard: the model is not in here (run ./demo.sh)\n");
}

TEST_F(RunTest, PolicyWarmSaysWhatItDid) {
  EXPECT_EQ(Call({"policy", "warm", "alpha", "beta", "--model", "m", "--effort", "high"}), 0);
  EXPECT_THAT(console.out, HasSubstr("was kept already"));
  EXPECT_THAT(console.out, HasSubstr("computed and kept"));
  EXPECT_EQ(services.last_choice.effort, "high");
  EXPECT_FALSE(services.last_choice.joint);
  EXPECT_EQ(Call({"policy", "warm", "alpha", "--together", "--model", "m", "--json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(console.out)["policy"], "alpha");
  EXPECT_TRUE(services.last_choice.joint);
  EXPECT_EQ(Call({"policy", "warm", "alpha"}), 2) << "no model";
  EXPECT_EQ(Call({"policy", "warm", "alpha", "alpha", "--model", "m"}), 2);
  EXPECT_EQ(Call({"policy", "warm", "gamma", "--model", "m"}), 4);
}

TEST_F(RunTest, ClassifyTakesAllShippedPoliciesByDefault) {
  EXPECT_EQ(Call({"classify", "bad"}), 1);
  EXPECT_THAT(console.out, HasSubstr("alpha"));
  EXPECT_THAT(console.out, HasSubstr("beta"));
}

TEST_F(RunTest, ClassifyJsonHasTheAgreedFields) {
  EXPECT_EQ(Call({"classify", "so bad", "-p", "alpha", "-p", "beta", "--json"}), 1);
  std::istringstream lines(console.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["policy"], count == 0 ? "alpha" : "beta");
    EXPECT_EQ(json["policy_version"], "1");
    EXPECT_EQ(json["policy_hash"].get<std::string>().size(), 64U);
    EXPECT_EQ(json["outcome"], "violation");
    EXPECT_TRUE(json["reason"].is_null());
    EXPECT_EQ(json["score"], 0.875);
    EXPECT_EQ(json["category"], "X1");
    EXPECT_EQ(json["rule_ids"], nlohmann::json({"X1.a"}));
    EXPECT_EQ(json["rationale"], "breaks X1.a");
    const nlohmann::json evidence = {{"start", 3}, {"end", 6}, {"text", "bad"}};
    EXPECT_EQ(json["evidence"], nlohmann::json::array({evidence}));
    EXPECT_EQ(json["decided_by"], "screen");
    EXPECT_EQ(json["timings_ms"]["total"], 1.5);
  }
  EXPECT_EQ(count, 2);
}

TEST_F(RunTest, ContentComesFromArgumentFileOrInput) {
  const std::string file = folder.Write("content.txt", "bad");
  EXPECT_EQ(Call({"classify", "--file", file, "-p", "alpha"}), 1);
  console.input = "bad\n";
  EXPECT_EQ(Call({"classify", "-p", "alpha"}), 1);
  EXPECT_EQ(Call({"classify", "-", "-p", "alpha"}), 1);
  EXPECT_EQ(Call({"classify", "--file", "-", "-p", "alpha"}), 1);
  EXPECT_EQ(Call({"classify", "fine", "-p", "alpha"}), 0) << "an argument comes before the input";
  EXPECT_EQ(Call({"classify", "fine", "--file", file, "-p", "alpha"}), 2);
  console.input_is_terminal = true;
  EXPECT_EQ(Call({"classify", "-p", "alpha"}), 2);
  EXPECT_THAT(console.error, HasSubstr("there is no content to judge"));
}

TEST_F(RunTest, BadContentIsNamed) {
  EXPECT_EQ(Call({"classify", "--file", folder.Path("none"), "-p", "alpha"}), 2);
  EXPECT_THAT(console.error, HasSubstr("none does not exist"));
  EXPECT_EQ(Call({"classify", "--file", folder.Path(""), "-p", "alpha"}), 2);
  EXPECT_THAT(console.error, HasSubstr("is a directory"));
  const std::string binary = folder.Write("binary", std::string("ab\0c", 4));
  EXPECT_EQ(Call({"classify", "--file", binary, "-p", "alpha"}), 2);
  EXPECT_THAT(console.error, HasSubstr("NUL byte at offset 2"));
  EXPECT_EQ(services.judges_opened, 0) << "nothing may be opened for what cannot be judged";
}

TEST_F(RunTest, InvalidUtf8IsRepairedAndEvidenceKeepsTheOffsetsOfTheInput) {
  console.input = "x\xFF\xFF bad";
  EXPECT_EQ(Call({"classify", "-p", "alpha", "--json"}), 1);
  const auto json = nlohmann::json::parse(console.out);
  EXPECT_EQ(json["evidence"][0]["start"], 4);
  EXPECT_EQ(json["evidence"][0]["end"], 7);
  EXPECT_THAT(json["notes"][0].get<std::string>(), HasSubstr("invalid UTF-8 at byte 1"));
}

TEST_F(RunTest, ConversationsComeAsAListOrAsAChat) {
  const std::string list =
      R"([{"role":"user","content":"hi"},{"role":"assistant","content":"so bad"}])";
  for (const std::string& text : {list, R"({"model": "m", "messages": )" + list + "}"}) {
    const std::string file = folder.Write("chat.json", text);
    EXPECT_EQ(Call({"classify", "--conversation", file, "-p", "alpha", "--json"}), 1);
    EXPECT_EQ(nlohmann::json::parse(console.out)["evidence"][0]["message"], 1);
  }
  for (const std::string& text :
       {std::string("{}"), std::string("["), std::string("[1]"),
        std::string(R"([{"role":"king","content":"x"}])"), std::string(100000, '['),
        std::string(R"([{"role":"user","content":[{"type":"image_url"}]}])")}) {
    const std::string file = folder.Write("chat.json", text);
    EXPECT_EQ(Call({"classify", "--conversation", file, "-p", "alpha"}), 2) << text.substr(0, 60);
    EXPECT_THAT(console.error, HasSubstr("is not a conversation"));
  }
}

TEST_F(RunTest, ColoursOnlyWhereWanted) {
  Call({"classify", "bad", "-p", "alpha"});
  EXPECT_THAT(console.out, Not(HasSubstr("\x1b")));
  Call({"classify", "bad", "-p", "alpha", "--color", "always"});
  EXPECT_THAT(console.out, HasSubstr("\x1b[1;31mviolation"));
  console.terminal = true;
  Call({"classify", "bad", "-p", "alpha"});
  EXPECT_THAT(console.out, HasSubstr("\x1b"));
  Call({"classify", "bad", "-p", "alpha", "--color=never"});
  EXPECT_THAT(console.out, Not(HasSubstr("\x1b")));
  console.no_color = true;
  Call({"classify", "bad", "-p", "alpha"});
  EXPECT_THAT(console.out, Not(HasSubstr("\x1b")));
}

TEST_F(RunTest, ContentCannotMoveTheTerminal) {
  console.terminal = true;
  console.no_color = true;
  const std::string policy =
      folder.Write("evil.md", "# \x1b[2JEvil\n\n## Violates\n- X1.a\x1b]0;x\x07 Bad.\n");
  Call({"classify", "bad", "-p", policy});
  EXPECT_THAT(console.out, Not(HasSubstr("\x1b")));
  Call({"policy", "show", policy});
  EXPECT_THAT(console.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(console.out, HasSubstr("\\x1b"));
  Call({"policy", "show", policy, "--screen-text"});
  EXPECT_THAT(console.out, Not(HasSubstr("\x1b")));
}

TEST_F(RunTest, PolicyShowPrintsWhatTheTrainedScreenReads) {
  EXPECT_EQ(Call({"policy", "show", "alpha", "beta", "--screen-text"}), 0);
  EXPECT_EQ(console.out, "Alpha. Violates: Whatever is bad.\nBeta. Violates: Whatever is bad.\n");
  console.out.clear();
  EXPECT_EQ(Call({"policy", "show", "gamma", "alpha", "--screen-text", "--json"}), 4);
  const auto line = nlohmann::json::parse(console.out);
  EXPECT_EQ(line["policy"], "alpha");
  EXPECT_EQ(line["rules"]["X1.a"], "Alpha. Violates: Whatever is bad.");
  services.model_there = false;
  EXPECT_EQ(Call({"policy", "show", "alpha", "--screen-text"}), 4);
}

TEST_F(RunTest, SuggestsWhatWasMeant) {
  EXPECT_EQ(Call({"clasify", "x"}), 2);
  EXPECT_THAT(console.error, HasSubstr("did you mean classify?"));
  EXPECT_EQ(Call({"classify", "x", "--polcy", "alpha"}), 2);
  EXPECT_THAT(console.error, HasSubstr("did you mean --policy?"));
  EXPECT_EQ(Call({"policy", "lnit"}), 2);
  EXPECT_THAT(console.error, HasSubstr("did you mean lint?"));
  EXPECT_EQ(Call({"classify", "x", "-p", "aplha"}), 4);
  EXPECT_THAT(console.error, HasSubstr("did you mean alpha?"));
  EXPECT_EQ(Call({"classify", "two", "words"}), 2);
  EXPECT_THAT(console.error, HasSubstr("unexpected argument words"));
  EXPECT_EQ(Call({}), 2);
  EXPECT_THAT(console.error, HasSubstr("which command?"));
}

TEST_F(RunTest, RefusesWrongUsage) {
  EXPECT_EQ(Call({"classify", "x", "--threads", "0"}), 2);
  EXPECT_THAT(console.error, HasSubstr("not a number from 1"));
  EXPECT_EQ(Call({"classify", "x", "--threads", "two"}), 2);
  EXPECT_EQ(Call({"classify", "x", "--role", "king"}), 2);
  EXPECT_THAT(console.error, HasSubstr("not one of user, assistant"));
  EXPECT_EQ(Call({"classify", "x", "-p", "alpha", "-p", "alpha"}), 2);
  EXPECT_EQ(Call({"classify", "x", "--golden", "f"}), 2);
  EXPECT_EQ(Call({"batch", "--in", "x"}), 2);
  EXPECT_EQ(Call({"completion", "tcsh"}), 2);
}

TEST_F(RunTest, EveryCommandHasHelpWithinTheWidthOfATerminal) {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{},
                                             {"classify"},
                                             {"batch"},
                                             {"eval"},
                                             {"eval", "rescore"},
                                             {"eval", "compare"},
                                             {"eval", "cascade"},
                                             {"policy"},
                                             {"policy", "show"},
                                             {"policy", "lint"},
                                             {"policy", "list"},
                                             {"policy", "warm"},
                                             {"model"},
                                             {"model", "info"},
                                             {"model", "verify"},
                                             {"model", "synth"},
                                             {"model", "logits"},
                                             {"model", "generate"},
                                             {"version"},
                                             {"completion"}}) {
    std::vector<std::string> words = command;
    words.emplace_back("--help");
    EXPECT_EQ(Call(words), 0);
    EXPECT_THAT(console.out, HasSubstr("Usage: safeguard"));
    std::istringstream lines(console.out);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_TRUE(line.size() <= 100 || line.find('|') != std::string::npos) << line;
    }
  }
}

TEST_F(RunTest, OutputThatCannotBeWrittenIsAnError) {
  console.status = Fail(ErrorCode::kUnavailable, "cannot write standard output", "");
  EXPECT_EQ(Call({"classify", "fine", "-p", "alpha"}), 4);
}

TEST_F(RunTest, VersionNamesBuildAndModel) {
  EXPECT_EQ(Call({"version", "--json"}), 0);
  const auto json = nlohmann::json::parse(console.out);
  EXPECT_EQ(json["kernels"], "fake");
  EXPECT_EQ(json["reasoner_kernels"], "fake too");
  EXPECT_EQ(json["model_hash"], std::string(64, 'a'));
  services.model_there = false;
  EXPECT_EQ(Call({"version"}), 0);
  EXPECT_THAT(console.out, HasSubstr("run ./demo.sh"));
}

TEST_F(RunTest, PolicyListNamesWhatShips) {
  EXPECT_EQ(Call({"policy", "list", "--names"}), 0);
  EXPECT_EQ(console.out, "alpha\nbeta\n");
  EXPECT_EQ(Call({"policy", "list", "--json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(console.out.substr(0, console.out.find('\n')))["golden_cases"],
            6);
}

TEST_F(RunTest, PolicyShowAndLintSpeakOfLines) {
  EXPECT_EQ(Call({"policy", "show", "alpha", "--json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(console.out)["rules"][0]["line"], 4);
  EXPECT_EQ(Call({"policy", "lint", "alpha", "beta"}), 1);
  EXPECT_THAT(console.out, HasSubstr("alpha:"));
  EXPECT_THAT(console.out, HasSubstr("Mend: "));
  EXPECT_EQ(Call({"policy", "lint", "alpha", "gamma"}), 4);
  services.model_there = false;
  EXPECT_EQ(Call({"policy", "lint", "alpha"}), 1);
  EXPECT_THAT(console.error, HasSubstr("lengths in tokens are not checked"));
}

TEST_F(RunTest, EvalNeverScoresWhatItLearnedFrom) {
  EXPECT_EQ(Call({"eval", "--policy", "alpha", "--json", "--threshold", "0.9"}), 0)
      << console.error;
  const auto json = nlohmann::json::parse(console.out);
  EXPECT_THAT(json.dump(), HasSubstr("cross-validated"));
  EXPECT_EQ(json["at_thresholds"][0]["false_negative"], 3);
  EXPECT_EQ(Call({"eval", "--policy", "beta"}), 2);
  EXPECT_THAT(console.error, HasSubstr("has no golden set"));
  const std::string data = folder.Write(
      "data.jsonl", "{\"text\": \"a bad one\", \"label\": 1}\n{\"text\": \"x\", \"label\": 0}\n");
  EXPECT_EQ(Call({"eval", "--policy", "alpha", "--data", data}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("1 of the records are among them"));
  const std::string broken =
      folder.Write("broken.jsonl",
                   "{\"text\": \"bad\", \"label\": 1}\n{oops\n{\"text\": \"x\", \"label\": 0}\n");
  EXPECT_EQ(Call({"eval", "--policy", "alpha", "--data", broken}), 2);
  EXPECT_THAT(console.error, HasSubstr("line 2"));
}

TEST_F(RunTest, EvalTakesSeveralPoliciesAsOne) {
  const std::string data = folder.Write(
      "data.jsonl", "{\"text\": \"a bad one\", \"label\": 1}\n{\"text\": \"x\", \"label\": 0}\n");
  EXPECT_EQ(Call({"eval", "--policy", "alpha", "--policy", "beta", "--data", data, "--no-golden",
                  "--json"}),
            0)
      << console.error;
  const auto json = nlohmann::json::parse(console.out);
  EXPECT_EQ(json["policy"]["id"], "alpha+beta");
  EXPECT_THAT(json.dump(), HasSubstr("alpha: the judge learned from the policy's text alone"));
  EXPECT_EQ(Call({"eval", "--policy", "alpha", "--policy", "beta"}), 2);
  EXPECT_THAT(console.error, HasSubstr("several policies need --data"));
  EXPECT_EQ(Call({"eval", "--policy", "alpha", "--policy", "beta", "--data", data,
                  "--cross-validate", "2"}),
            2);
  EXPECT_THAT(console.error, HasSubstr("--cross-validate takes one policy"));
  EXPECT_EQ(Call({"eval", "--policy", "alpha", "--policy", "nowhere", "--data", data}), 4);
}

TEST_F(RunTest, CompletionKnowsEveryCommandAndOption) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    EXPECT_EQ(Call({"completion", shell}), 0);
    for (const std::string word : {"classify", "batch", "lint", "completion"}) {
      EXPECT_THAT(console.out, HasSubstr(word)) << shell;
    }
    EXPECT_THAT(console.out, HasSubstr("cross-validate")) << shell;
  }
}

TEST_F(RunTest, AWrongWordIsNamedAndTheHelpOfItsCommand) {
  EXPECT_EQ(Call({"policy", "history", "spam", "--data-dir", "x"}), 2);
  EXPECT_THAT(console.error, HasSubstr("unknown command history"))
      << "what stands behind it is not to blame";
  EXPECT_THAT(console.error, HasSubstr("see safeguard policy --help"));
  EXPECT_EQ(Call({"audit", "head", "--data-dri", "x"}), 2);
  EXPECT_THAT(console.error, HasSubstr("did you mean --data-dir?"));
  EXPECT_EQ(Call({"replay"}), 2);
  EXPECT_THAT(console.error, HasSubstr("see safeguard replay --help"));
  EXPECT_EQ(Call({"frobnicate"}), 2);
  EXPECT_THAT(console.error, HasSubstr("see safeguard --help"));
}

TEST_F(RunTest, WhatIsNotThereNamesWhatMakesIt) {
  EXPECT_EQ(Call({"audit", "head", "--data-dir", folder.Path("none")}), 4);
  EXPECT_THAT(console.error, HasSubstr("safeguard audit init makes one"));
  EXPECT_EQ(Call({"verdicts", "--data-dir", folder.Path("none")}), 4);
  EXPECT_THAT(console.error, HasSubstr("classify --record makes one"));
}

}  // namespace
}  // namespace safeguard::apps
