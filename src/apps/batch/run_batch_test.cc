#include "apps/batch/run_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/batch/progress_line.h"
#include "apps/fake_services.h"
#include "apps/run.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BatchTest : public ::testing::Test {
 protected:
  int Call(std::vector<std::string> more = {}, const std::string& in = "in.jsonl") {
    std::vector<std::string> words = {
        "batch", "-p", "alpha", "-p", "beta", "--in", folder.Path(in), "--out", folder.Path("out")};
    words.insert(words.end(), more.begin(), more.end());
    console.error.clear();
    return static_cast<int>(RunCommand(words, services, console, stop));
  }
  std::vector<nlohmann::json> Lines() const {
    std::vector<nlohmann::json> lines;
    std::istringstream text(folder.Read("out"));
    for (std::string line; std::getline(text, line);) {
      lines.push_back(nlohmann::json::parse(line));
    }
    return lines;
  }
  static std::string Records(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += nlohmann::json{{"id", "r" + std::to_string(i)}, {"text", i % 3 == 0 ? "bad" : "fine"}}
                  .dump() +
              "\n";
    }
    return text;
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
};

TEST_F(BatchTest, OneLineForEachRecordAndPolicyInOrder) {
  ASSERT_EQ(folder.Write("in.jsonl", Records(5)), folder.Path("in.jsonl"));
  EXPECT_EQ(Call({"--batch-size", "2"}), 1) << console.error;
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 10U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["line"], i / 2 + 1);
    EXPECT_EQ(lines[i]["id"], "r" + std::to_string(i / 2));
    EXPECT_EQ(lines[i]["policy"], i % 2 == 0 ? "alpha" : "beta");
    EXPECT_EQ(lines[i]["outcome"], i / 2 % 3 == 0 ? "violation" : "safe");
  }
}

TEST_F(BatchTest, StopFinishesTheBatchInFlightAndTheNextRunGoesOn) {
  ASSERT_EQ(folder.Write("in.jsonl", Records(10)), folder.Path("in.jsonl"));
  EXPECT_EQ(Call({"--batch-size", "3"}), 1);
  const std::string whole = folder.Read("out");
  int batches = 0;
  services.before_decide = [&] { stop = ++batches == 2; };
  EXPECT_EQ(Call({"--batch-size", "3", "--restart"}), 130);
  EXPECT_THAT(console.error, HasSubstr("run the same command again to go on"));
  EXPECT_EQ(Lines().size(), 12U) << "two batches of three records under two policies";
  stop = false;
  services.before_decide = {};
  EXPECT_EQ(Call({"--batch-size", "4"}), 1);
  EXPECT_THAT(console.error, HasSubstr("going on after 6 records"));
  EXPECT_THAT(console.error, HasSubstr("8 violation, 12 safe"));
  EXPECT_EQ(folder.Read("out"), whole);
  EXPECT_EQ(Call(), 1) << "once all is done there is nothing to do, and the answer is the same";
  EXPECT_EQ(folder.Read("out"), whole);
}

TEST_F(BatchTest, UnreadableLinesAreNamedLeftOutAndCounted) {
  ASSERT_EQ(folder.Write("in.jsonl",
                         "{\"text\": \"fine\"}\n{\"text\": \n\n[1]\n{\"text\": \"fi\xFFne\"}\n"),
            folder.Path("in.jsonl"));
  EXPECT_EQ(Call(), 2);
  EXPECT_THAT(console.error, HasSubstr("line 2"));
  EXPECT_THAT(console.error, HasSubstr("line 4"));
  EXPECT_THAT(console.error, HasSubstr("2 lines could not be read"));
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[2]["line"], 5);
  EXPECT_THAT(lines[2]["notes"][0].get<std::string>(), HasSubstr("invalid UTF-8"));
  EXPECT_EQ(Call(), 2) << "the count is remembered";
}

TEST_F(BatchTest, AnotherInputIsRefused) {
  ASSERT_EQ(folder.Write("in.jsonl", Records(4)), folder.Path("in.jsonl"));
  EXPECT_EQ(Call(), 1);
  const std::string whole = folder.Read("out");
  ASSERT_EQ(folder.Write("in.jsonl", "{\"text\": \"other\"}\n" + Records(4)),
            folder.Path("in.jsonl"));
  EXPECT_EQ(Call(), 2);
  EXPECT_THAT(console.error, HasSubstr("are not those that were judged before"));
  ASSERT_EQ(folder.Write("in.jsonl", Records(2)), folder.Path("in.jsonl"));
  EXPECT_EQ(Call(), 2);
  EXPECT_THAT(console.error, HasSubstr("is shorter"));
  EXPECT_EQ(folder.Read("out"), whole);
  ASSERT_EQ(folder.Write("in.jsonl", Records(6)), folder.Path("in.jsonl"));
  EXPECT_EQ(Call(), 1) << "an input that has grown is gone on with";
  EXPECT_EQ(Lines().size(), 12U);
}

TEST_F(BatchTest, AnotherModelPolicyOrSettingIsRefused) {
  ASSERT_EQ(folder.Write("in.jsonl", Records(2)), folder.Path("in.jsonl"));
  EXPECT_EQ(Call(), 1);
  EXPECT_EQ(Call({"--surface", "dm"}), 2);
  EXPECT_THAT(console.error, HasSubstr("(surface)"));
  services.model_hash = std::string(64, 'b');
  EXPECT_EQ(Call(), 2);
  EXPECT_THAT(console.error, HasSubstr("(model)"));
  EXPECT_EQ(Call({"--restart"}), 1);
}

TEST_F(BatchTest, PlainTextIsOneContentALine) {
  ASSERT_EQ(folder.Write("in.txt", "fine\r\n\n  \nbad\nfi\xFFne"), folder.Path("in.txt"));
  EXPECT_EQ(Call({}, "in.txt"), 1);
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[2]["line"], 4);
  EXPECT_EQ(lines[2]["outcome"], "violation");
  EXPECT_THAT(lines[4]["notes"][0].get<std::string>(), HasSubstr("byte 2 of the line"));
}

TEST_F(BatchTest, CsvWithANamedColumn) {
  ASSERT_EQ(folder.Write("in.csv", "nr,body\n7,\"bad,\nreally\"\n8,fine\n"), folder.Path("in.csv"));
  EXPECT_EQ(Call({"--text-field", "body", "--id-field", "nr"}, "in.csv"), 1) << console.error;
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0]["id"], "7");
  EXPECT_EQ(lines[2]["line"], 4);
}

TEST_F(BatchTest, WrongPathsAreTold) {
  EXPECT_EQ(Call(), 2);
  EXPECT_THAT(console.error, HasSubstr("in.jsonl does not exist"));
  ASSERT_EQ(folder.Write("in.jsonl", Records(2)), folder.Path("in.jsonl"));
  EXPECT_EQ(Call({}, ""), 2);
  EXPECT_THAT(console.error, HasSubstr("is a directory"));
  EXPECT_EQ(Call({"--out", folder.Path("in.jsonl")}), 2);
  EXPECT_EQ(folder.Read("in.jsonl"), Records(2));
}

TEST(ProgressTest, SaysShareRateAndTimeLeft) {
  const std::string text = ProgressText({150, 50, 500, 1000}, 250, 2.0, 100);
  EXPECT_THAT(text, HasSubstr("[###############...............]"));
  EXPECT_THAT(text, HasSubstr(" 50 %"));
  EXPECT_THAT(text, HasSubstr("150 records  25/s"));
  EXPECT_THAT(text, HasSubstr("0:04 left")) << "250 bytes took 2 s, 500 are left";
  EXPECT_THAT(ProgressText({5, 5, 5, 0}, 0, 1, 100), Not(HasSubstr("%")));
}

}  // namespace
}  // namespace safeguard::apps
