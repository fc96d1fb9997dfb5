// `policy test`, `policy diff` and `backtest` through the command line, with a fake judge that
// calls whatever holds "bad" a violation of X1.a.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/fake_services.h"
#include "apps/run.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PolicyLoopTest : public ::testing::Test {
 protected:
  int Call(const std::vector<std::string>& arguments) {
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(arguments, services, console, stop));
  }
  nlohmann::json Json() { return nlohmann::json::parse(console.out); }

  FakeServices services;
  FakeConsole console;
  TestFolder folder;
  std::atomic<bool> stop{false};
};

TEST_F(PolicyLoopTest, HelpFitsATerminal) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"policy", "test", "--help"},
                                             {"policy", "diff", "--help"},
                                             {"backtest", "--help"},
                                             {"backtest", "status", "--help"},
                                             {"backtest", "stop", "--help"}}) {
    EXPECT_EQ(Call(words), 0);
    EXPECT_THAT(console.out, HasSubstr("Usage: safeguard " + words.front()));
    std::istringstream lines(console.out);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_TRUE(line.size() <= 100 || line.find('|') != std::string::npos) << line;
    }
  }
}

TEST_F(PolicyLoopTest, TestsPassFailAndAreWrittenAsJunit) {
  const std::string junit = folder.Path("junit.xml");
  EXPECT_EQ(Call({"policy", "test", "alpha", "--junit", junit}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("PASSED: 6 passed, 0 failed: 100.0 % of at least 100.0 %"));
  EXPECT_THAT(folder.Read("junit.xml"), HasSubstr("<testcase classname=\"alpha\" name=\"a1\""));
  const std::string golden =
      folder.Write("golden.jsonl",
                   "{\"id\": \"<&\\\"\\u0001\", \"text\": \"bad & <b>\", \"expected\": \"safe\"}\n"
                   "{\"id\": \"gap\", \"text\": \"odd\", \"expected\": \"violation\", \"tags\": "
                   "[\"known-gap\"]}\n"
                   "{\"id\": \"fine\", \"text\": \"fine\", \"expected\": \"safe\"}\n");
  EXPECT_EQ(Call({"policy", "test", "alpha", "--golden", golden, "--junit", junit}), 1);
  EXPECT_THAT(console.out, HasSubstr("1 passed, 1 failed, 1 known gaps: 50.0 %"));
  const std::string xml = folder.Read("junit.xml");
  EXPECT_THAT(xml, HasSubstr("name=\"&lt;&amp;&quot;\uFFFD\""));
  EXPECT_THAT(xml, HasSubstr("failures=\"1\" skipped=\"1\""));
  EXPECT_EQ(Call({"policy", "test", "alpha", "--golden", golden, "--min-pass", "0.5"}), 0);
  EXPECT_EQ(Call({"policy", "test", "alpha", "--golden", golden, "--json"}), 1);
  EXPECT_EQ(Json()["results"][0]["status"], "failed");
}

TEST_F(PolicyLoopTest, TestsNeedTests) {
  EXPECT_EQ(Call({"policy", "test", "beta"}), 2);
  EXPECT_THAT(console.error, HasSubstr("beta: the policy has no tests"));
  EXPECT_EQ(Call({"policy", "test", "gamma"}), 4);
  EXPECT_EQ(Call({"policy", "test"}), 2);
  EXPECT_EQ(Call({"policy", "test", "alpha", "--min-pass", "2"}), 2);
  services.model_there = false;
  EXPECT_EQ(Call({"policy", "test", "alpha"}), 4);
}

TEST_F(PolicyLoopTest, MutationAndAblationSayWhatIsDecoration) {
  EXPECT_EQ(Call({"policy", "test", "alpha", "--mutation", "--ablation", "--json"}), 0)
      << console.error;
  EXPECT_THAT(console.error, HasSubstr("6 tests x (1 + 1 clauses) = 12 judgements"));
  // The fake judge does not read the policy at all.
  EXPECT_EQ(Json()["mutation"][0]["clause"], "X1.a");
  EXPECT_EQ(Json()["mutation"][0]["tested"], false);
  EXPECT_EQ(Json()["ablation"]["rules"][0]["unfaithful"], 3);
  EXPECT_EQ(Call({"classify", "so bad", "-p", "alpha", "--ablation"}), 1);
  EXPECT_THAT(console.out, HasSubstr("The citation is unfaithful"));
  EXPECT_EQ(Call({"classify", "so bad", "-p", "alpha", "--ablation", "--json"}), 1);
  EXPECT_EQ(Json()["ablation"][0]["faithful"], false);
  EXPECT_EQ(Json()["ablation"][0]["outcome_without"], "violation");
  EXPECT_EQ(Call({"classify", "so fine", "-p", "alpha", "--ablation", "--json"}), 0);
  EXPECT_EQ(Json()["ablation"].size(), 0U);
}

TEST_F(PolicyLoopTest, DiffTellsTheCostBeforeItJudges) {
  const std::string contents =
      folder.Write("in.jsonl", "{\"text\": \"bad\"}\n{\"text\": \"fine\"}\n{\"text\": \"oh\"}\n");
  EXPECT_EQ(Call({"policy", "diff", "alpha", "beta"}), 0);
  EXPECT_EQ(services.judges_opened, 0);
  EXPECT_THAT(console.out, HasSubstr("id: \"alpha\" > \"beta\""));
  EXPECT_EQ(Call({"policy", "diff", "alpha", "beta", "--over", contents}), 0) << console.error;
  EXPECT_THAT(console.error, HasSubstr("3 contents under two versions: about"));
  EXPECT_THAT(console.out, HasSubstr("0 of 3 contents flip"));
  EXPECT_EQ(Call({"policy", "diff", "alpha", "beta", "--over", contents, "--json"}), 0);
  EXPECT_EQ(Json()["blast_radius"]["judged"], 3);
  EXPECT_EQ(
      Call({"policy", "diff", "alpha", "beta", "--over", contents, "--sample", "2", "--json"}), 0);
  EXPECT_EQ(Json()["blast_radius"]["judged"], 2);
  stop = true;
  EXPECT_EQ(Call({"policy", "diff", "alpha", "beta", "--over", contents}), 130);
  EXPECT_THAT(console.out, Not(HasSubstr("flip")));
}

TEST_F(PolicyLoopTest, BacktestComparesWithWhatWasSaidThen) {
  const std::string contents =
      folder.Write("in.jsonl", "{\"text\": \"bad\"}\n{\"text\": \"fine\"}\n{\"text\": \"oh\"}\n");
  const std::string then = folder.Write("then.jsonl",
                                        "{\"line\": 1, \"outcome\": \"violation\"}\n"
                                        "{\"line\": 2, \"outcome\": \"violation\", \"rule_ids\": "
                                        "[\"OLD\"]}\n");
  const std::string out = folder.Path("out.jsonl");
  EXPECT_EQ(Call({"backtest", "alpha", "--over", contents, "--then", then, "--out", out, "--json"}),
            0)
      << console.error;
  EXPECT_EQ(Json()["compared"], 2);
  EXPECT_EQ(Json()["agreed"], 1);
  EXPECT_EQ(Json()["flips"]["violation to safe"], 1);
  EXPECT_EQ(Json()["clauses"]["OLD"], 1);
  EXPECT_EQ(Call({"backtest", "status", out}), 0);
  EXPECT_THAT(console.out, HasSubstr("complete"));
  EXPECT_EQ(Call({"backtest", "stop", out}), 0);
  EXPECT_THAT(console.out, HasSubstr("is not running"));
  EXPECT_EQ(Call({"backtest", "alpha", "--over", contents, "--out", out}), 2);
  EXPECT_THAT(console.error, HasSubstr("(--then)"));
  EXPECT_EQ(Call({"backtest", "alpha", "--out", out}), 2);
  EXPECT_EQ(Call({"backtest"}), 2);
}

}  // namespace
}  // namespace safeguard::apps
