// `eval` with run files, several labels and bad data, on a judge that calls what holds "bad" a
// violation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/fake_services.h"
#include "apps/run.h"

namespace safeguard::apps {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class EvalTest : public ::testing::Test {
 protected:
  int Call(const std::vector<std::string>& arguments) {
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(arguments, services, console, stop));
  }
  std::string Data(std::size_t count = 100) const {
    std::string lines = "id,text,label\n";
    for (std::size_t i = 0; i < count; ++i) {
      lines += std::to_string(i) + ",content " + std::to_string(i) + (i % 4 == 0 ? " bad" : "") +
               "," + (i % 5 == 0 ? "1" : "0") + "\n";
    }
    return folder.Write("data.csv", lines);
  }
  static std::size_t CountLines(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(EvalTest, ARunGoesOnWhereItStoppedAndIsScoredAgain) {
  const std::string data = Data();
  const std::string run = folder.Path("run.jsonl");
  int batches = 0;
  services.before_decide = [&] { stop = ++batches == 2; };
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--run", run, "--json"}), 130);
  EXPECT_THAT(console.error, HasSubstr("the same command goes on"));
  EXPECT_EQ(CountLines(folder.Read("run.jsonl")), 65U);
  stop = false;
  services.before_decide = [&] { ++batches; };
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--run", run, "--json"}), 0);
  EXPECT_THAT(console.error, HasSubstr("64 of 100 records are judged"));
  EXPECT_EQ(batches, 4) << "nothing is judged twice";
  EXPECT_EQ(CountLines(folder.Read("run.jsonl")), 101U);
  const json first = json::parse(console.out);
  EXPECT_EQ(first["counts"]["cases"], 100);

  services.model_there = false;  // nobody is asked
  EXPECT_EQ(Call({"eval", "rescore", run, "--json"}), 0) << console.error;
  const json again = json::parse(console.out);
  EXPECT_EQ(again["with_undetermined_as_errors"], first["with_undetermined_as_errors"]);
  EXPECT_EQ(again["ranking"], first["ranking"]);
  EXPECT_EQ(Call({"eval", "rescore", run, "--threshold", "0.9", "--json"}), 0);
  EXPECT_EQ(json::parse(console.out)["with_undetermined_as_errors"]["recall"]["value"], 0);
  EXPECT_EQ(Call({"eval", "rescore", data}), 2);
  EXPECT_THAT(console.error, HasSubstr("not a run file"));
}

TEST_F(EvalTest, ARunOfAnotherKindIsRefused) {
  const std::string data = Data(10);
  const std::string run = folder.Path("run.jsonl");
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--run", run}), 0);
  EXPECT_EQ(Call({"eval", "-p", "alpha", "-d", data, "--run", run}), 2);
  EXPECT_THAT(console.error, HasSubstr("is of another run: the policies"));
  services.model_hash = std::string(64, 'b');
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--run", run}), 2);
  EXPECT_THAT(console.error, HasSubstr("the judge's model or settings differed"));
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--run", run, "--restart"}), 0);
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--restart"}), 2);
}

TEST_F(EvalTest, ComparesRunsOfTheSameData) {
  const std::string data = Data(40);
  const std::string a = folder.Path("a.jsonl");
  const std::string b = folder.Path("b.jsonl");
  Call({"eval", "-p", "beta", "-d", data, "--run", a});
  Call({"eval", "-p", "alpha", "-d", data, "--run", b, "--sample", "20"});
  EXPECT_EQ(Call({"eval", "compare", a, b}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("20 cases judged by both"));
  EXPECT_THAT(console.out, HasSubstr("20 only by A"));
  EXPECT_THAT(console.out, HasSubstr("McNemar (exact): p -"));
  EXPECT_EQ(Call({"eval", "compare", a, b, "--json"}), 0);
  EXPECT_EQ(json::parse(console.out)["pairs"], 20);
  const std::string other = folder.Write("other.csv", "text,label\nbad,1\nfine,0\n");
  Call({"eval", "-p", "beta", "-d", other, "--run", folder.Path("c.jsonl")});
  EXPECT_EQ(Call({"eval", "compare", a, folder.Path("c.jsonl")}), 2);
  EXPECT_THAT(console.error, HasSubstr("the runs are of different data"));
}

TEST_F(EvalTest, PoliciesWithLabelsOfTheirOwnTakenAsOne) {
  const std::string data = folder.Write("labels.jsonl",
                                        "{\"text\":\"bad\",\"label\":1,\"alpha\":1,\"beta\":0}\n"
                                        "{\"text\":\"fine\",\"label\":0,\"alpha\":0,\"beta\":0}\n");
  std::vector<std::string> call = {"eval", "-p",    "alpha",
                                   "-p",   "beta",  "-d",
                                   data,   "--map", "label=label,labels=alpha,labels=beta"};
  EXPECT_EQ(Call(call), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("By label"));
  call.push_back("--any");
  EXPECT_EQ(Call(call), 0) << console.error;
  EXPECT_THAT(console.out, Not(HasSubstr("By label")));
  EXPECT_THAT(console.out, HasSubstr("alpha+beta"));
}

TEST_F(EvalTest, SeveralLabelsAndMultiPolicyAccuracy) {
  const std::string data = folder.Write("labels.jsonl",
                                        "{\"text\":\"bad\",\"A\":1,\"B\":1}\n"
                                        "{\"text\":\"fine\",\"A\":0,\"B\":0}\n"
                                        "{\"text\":\"so bad\",\"A\":1,\"B\":0}\n"
                                        "{\"text\":\"fine too\",\"A\":0}\n");
  const std::vector<std::string> call = {"eval",       "-p",      "alpha",
                                         "-p",         "beta",    "-d",
                                         data,         "--map",   "labels=A,labels=B",
                                         "--label-of", "alpha=A", "--label-of",
                                         "beta=B"};
  EXPECT_EQ(Call(call), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("Multi-policy accuracy: 0.667"));
  EXPECT_THAT(console.out, HasSubstr("2 of the 3 records"));
  std::vector<std::string> complete = call;
  complete.insert(complete.end(), {"--complete-labels", "--json"});
  EXPECT_EQ(Call(complete), 0) << console.error;
  const json result = json::parse(console.out)["variants"][0];
  EXPECT_EQ(result["records"], 3);
  EXPECT_EQ(result["multi_policy_accuracy"]["matches"], 2);
  EXPECT_EQ(result["labels"][1]["violations"], 1);

  std::vector<std::string> any = call;
  any.push_back("--any");
  EXPECT_EQ(Call(any), 2);
  EXPECT_THAT(console.error, HasSubstr("--any and --label-of exclude each other"));
  std::vector<std::string> both = call;
  both.insert(both.end(), {"--judge", "reasoner", "--model", "x", "--prompting", "both", "--run",
                           folder.Path("run")});
  EXPECT_EQ(Call(both), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("side by side"));
  EXPECT_THAT(console.out, HasSubstr("McNemar p -"));
  EXPECT_TRUE(services.last_choice.joint);
  EXPECT_THAT(folder.Read("run.joint"), HasSubstr("\"prompting\":\"joint\""));
  EXPECT_EQ(Call({"eval", "rescore", folder.Path("run.separate")}), 0);
  EXPECT_THAT(console.out, HasSubstr("Multi-policy accuracy: 0.667"));
  EXPECT_EQ(Call({"eval", "compare", folder.Path("run.separate"), folder.Path("run.joint")}), 2);
  EXPECT_THAT(console.error, HasSubstr("choose one with --policy: alpha, beta"));
  EXPECT_EQ(Call({"eval", "compare", folder.Path("run.separate"), folder.Path("run.joint"), "-p",
                  "beta"}),
            0);
  EXPECT_THAT(console.out, HasSubstr("3 of them labelled"));
}

TEST_F(EvalTest, MapsColumnsAndLabels) {
  const std::string data = folder.Write(
      "odd.csv", "key;body;is_bad;lang;channel\nk1;bad;spam;en;dm\nk2;fine;ham;de;dm\n");
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--map",
                  "text=body,label=is_bad,id=key,language=lang,surface=channel", "--positive",
                  "1,spam", "--negative", "0,ham", "--json"}),
            0)
      << console.error;
  const json report = json::parse(console.out);
  EXPECT_EQ(report["counts"]["cases"], 2);
  EXPECT_EQ(report["languages"].size(), 2U);
  EXPECT_THAT(console.out, HasSubstr("only 2 cases"));
  for (const char* wrong : {"text", "colour=body", "text=a,text=b", "text="}) {
    EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--map", wrong}), 2) << wrong;
    EXPECT_THAT(console.error, HasSubstr("--map"));
  }
}

TEST_F(EvalTest, GradedSeverity) {
  const std::string data = folder.Write(
      "levels.csv", "text,label\nbad,X1\nfine,X0\nworse bad,X2\nalso fine,X0\nwell hidden,X2\n");
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("Graded severity (5 cases with a level"));
  EXPECT_THAT(console.out, HasSubstr("exact 0.600   off by at most one level 0.800"));
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--json"}), 0);
  EXPECT_EQ(json::parse(console.out)["severity"]["too_low"], 2);
}

TEST_F(EvalTest, BadDataAreOneClearLine) {
  const auto error = [this](const std::string& bytes, std::vector<std::string> more = {}) {
    std::vector<std::string> call = {"eval", "-p", "beta", "-d", folder.Write("bad.x", bytes)};
    call.insert(call.end(), more.begin(), more.end());
    EXPECT_EQ(Call(call), 2) << console.out;
    EXPECT_TRUE(console.out.empty()) << console.out;
    EXPECT_EQ(CountLines(console.error), 1U) << console.error;
    return console.error;
  };
  EXPECT_THAT(error("text,who\na,me\n"), HasSubstr("no record has a label"));
  EXPECT_THAT(error("text,label\na,1\n", {"--map", "label=bad"}), HasSubstr("no field \"bad\""));
  EXPECT_THAT(error("id,text,label\n1,a,1\n1,b,0\n"), HasSubstr("the id \"1\" stands on line 2"));
  EXPECT_THAT(error("x,y,label\n1,2,1\n"), HasSubstr("looks like content"));
  EXPECT_THAT(error("text,label\n\xE9t\xE9,1\nn,0\n"), HasSubstr("Latin-1"));
  EXPECT_THAT(error("\xFF\xFEt\0"), HasSubstr("UTF-16"));
  EXPECT_THAT(error("text,label\na,purple\n"), HasSubstr("the label \"purple\""));
  EXPECT_THAT(error(""), HasSubstr("no record"));
}

TEST_F(EvalTest, EmptyClassesAreNotDefinedRatherThanZero) {
  const std::string data = folder.Write("one.csv", "text,label\nfine,0\n");
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", data, "--json"}), 0);
  const json report = json::parse(console.out);
  EXPECT_TRUE(report["ranking"]["roc_auc"]["value"].is_null());
  EXPECT_TRUE(report["with_undetermined_as_errors"]["recall"]["value"].is_null());
  EXPECT_TRUE(report["with_undetermined_as_errors"]["f1"]["value"].is_null());
  EXPECT_THAT(console.out, HasSubstr("there is no violation among the cases"));
  EXPECT_THAT(console.out, HasSubstr("only 1 case"));
}

TEST_F(EvalTest, ManyUnreadableLinesAreCountedNotListed) {
  std::string lines = "text,label\nbad,1\nfine,0\n";
  for (int i = 0; i < 30; ++i) {
    lines += "x" + std::to_string(i) + ",purple\n";
  }
  EXPECT_EQ(Call({"eval", "-p", "beta", "-d", folder.Write("many.csv", lines)}), 2);
  EXPECT_EQ(CountLines(console.error), 6U);
  EXPECT_THAT(console.error, HasSubstr("and 25 more lines"));
}

TEST_F(EvalTest, ListsDatasetsAndChecksArguments) {
  EXPECT_EQ(Call({"eval", "--list-datasets"}), 0);
  for (const char* name : {"hatecheck", "xstest", "guardrails", "openai-moderation"}) {
    EXPECT_THAT(console.out, HasSubstr(name));
  }
  EXPECT_EQ(Call({"eval"}), 2);
  EXPECT_THAT(console.error, HasSubstr("which policy?"));
  EXPECT_EQ(Call({"eval", "-p", "alpha", "--prompting", "both"}), 2);
  EXPECT_EQ(Call({"eval", "-p", "alpha", "-p", "./none", "-d", Data(), "--complete-labels"}), 4);
  EXPECT_EQ(Call({"eval", "-p", "alpha", "-d", Data(), "--complete-labels"}), 2);
  EXPECT_THAT(console.error, HasSubstr("--label-of"));
  EXPECT_EQ(Call({"eval", "-p", "alpha", "-p", "alpha", "-d", Data()}), 2 + 2);
}

TEST_F(EvalTest, ASampleIsTheSameForTheSameSeed) {
  const std::string data = Data(50);
  const auto lines = [&](const char* seed, const char* name) {
    Call({"eval", "-p", "beta", "-d", data, "--sample", "10", "--sample-seed", seed, "--run",
          folder.Path(name)});
    const std::string all = folder.Read(name);
    return all.substr(all.find('\n'));
  };
  const auto ids = [](const std::string& text) {
    std::string found;
    for (std::size_t at = text.find("\"id\":"); at != std::string::npos;
         at = text.find("\"id\":", at + 1)) {
      found += text.substr(at, text.find(',', at) - at);
    }
    return found;
  };
  const std::string first = ids(lines("7", "a"));
  EXPECT_EQ(first, ids(lines("7", "b")));
  EXPECT_NE(first, ids(lines("8", "c")));
}

}  // namespace
}  // namespace safeguard::apps
