// An evaluation from HTTP to its report: the routes of http/ ask, the worker measures.
#include "apps/serve/eval_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <thread>

#include "apps/serve/dataset_reader.h"
#include "http/test_parts.h"
#include "storage/test_stores.h"

namespace safeguard::apps {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr const char* kData =
    "text,label\n"
    "a bad one,1\n"
    "a good one,0\n"
    "another bad one,1\n"
    "unclear to all,0\n"
    "quite harmless,1\n";

class EvalWorkerTest : public ::testing::Test {
 protected:
  std::unique_ptr<moderation::JobWorker> Worker(const std::string& identity = "fake") {
    return MakeEvalWorker({.queue = *parts.queue,
                           .files = *parts.files,
                           .judge = parts.judge,
                           .shelf = *parts.shelf,
                           .judge_name = "screen",
                           .judge_identity = [identity] { return Result<std::string>(identity); },
                           .folder = folder.path() + "/evals",
                           .batch = 2,
                           .name = "test",
                           .stop = stop});
  }
  std::string Send(const std::string& data, const std::string& mapping = "") {
    return parts.files->Add({"shared", "dataset", "mine.csv", data, mapping}, 1).value().id;
  }
  std::string Start(const Json& body) {
    const http::Response response = parts.Call("POST", "/v1/eval/runs", body.dump());
    EXPECT_EQ(response.status, 202) << response.body;
    return http::JsonOf(response)["run"];
  }
  Json Show(const std::string& id) {
    return http::JsonOf(parts.Call("GET", "/v1/eval/runs/" + id));
  }
  std::size_t FilesUnderWay() {
    std::error_code none;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/evals", none)) {
      files += entry.exists() ? 1 : 0;
    }
    return files;
  }

  storage::TestFolder folder;
  http::TestService parts;
  std::atomic<bool> stop{false};
};

TEST_F(EvalWorkerTest, ADatasetBecomesFiguresAndReports) {
  const std::string id = Start({{"dataset", Send(kData)}, {"policies", {"hate", "violence"}}});
  EXPECT_EQ(Worker()->Work().value(), 1U);
  const Json run = Show(id);
  ASSERT_EQ(run["state"], "done") << run;
  const Json& report = run["reports"][0];
  EXPECT_EQ(report["policy"], "hate");
  EXPECT_EQ(report["cases"], 5);
  EXPECT_EQ(report["undetermined"], 1);
  EXPECT_NEAR(report["recall"].get<double>(), 2.0 / 3, 1e-9);
  const http::Response json = parts.Call("GET", "/v1/eval/runs/" + id + "/report?policy=violence");
  EXPECT_EQ(http::JsonOf(json)["counts"]["cases"], 5);
  EXPECT_THAT(json.body, HasSubstr("mine.csv"));
  EXPECT_THAT(json.body, Not(HasSubstr(folder.path()))) << "where it was put is nobody's business";
  const http::Response html =
      parts.Call("GET", "/v1/eval/runs/" + id + "/report?policy=hate&format=html");
  EXPECT_THAT(html.body, HasSubstr("<html"));
  EXPECT_EQ(FilesUnderWay(), 0U);
  EXPECT_EQ(Worker()->Work().value(), 0U) << "nothing is left";
}

TEST_F(EvalWorkerTest, ARunThatWasStoppedGoesOnWhereItWas) {
  const std::string id = Start({{"dataset", Send(kData)}, {"policies", {"hate"}}});
  stop.store(true);
  EXPECT_EQ(Worker()->Work().value(), 1U);
  EXPECT_EQ(Show(id)["state"], "waiting");
  EXPECT_EQ(Show(id)["progress"]["done"], 2) << "one batch";
  stop.store(false);
  const int before = parts.judge.calls.load();
  EXPECT_EQ(Worker()->Work().value(), 1U);
  EXPECT_EQ(Show(id)["state"], "done");
  EXPECT_EQ(parts.judge.calls.load() - before, 2) << "the first batch is not judged again";
}

TEST_F(EvalWorkerTest, ARunThatIsCancelledStopsInTheMiddleOfABatch) {
  const std::string id = Start({{"dataset", Send(kData)}, {"policies", {"hate"}}});
  const std::unique_lock slow(parts.judge.gate);  // for as long as anybody wants to know
  std::thread working([&] { EXPECT_EQ(Worker()->Work().value(), 1U); });
  while (parts.judge.entered.load() == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(parts.Call("POST", "/v1/eval/runs/" + id + "/cancel").status, 200);
  working.join();
  EXPECT_EQ(parts.judge.stopped.load(), 1);
  EXPECT_EQ(Show(id)["state"], "cancelled");
  EXPECT_EQ(Show(id)["reports"].size(), 0U);
  EXPECT_EQ(parts.files->List({.owner = "shared", .purpose = "eval_report"})->size(), 0U);
  EXPECT_EQ(Worker()->Work().value(), 0U) << "nobody begins it again";
  EXPECT_EQ(FilesUnderWay(), 0U) << "what it had judged is gone";
}

TEST_F(EvalWorkerTest, WhatAStopCutShortIsJudgedAgain) {
  const std::string id = Start({{"dataset", Send(kData)}, {"policies", {"hate"}}});
  {
    const std::unique_lock slow(parts.judge.gate);
    std::thread working([&] { EXPECT_EQ(Worker()->Work().value(), 1U); });
    while (parts.judge.entered.load() == 0) {
      std::this_thread::yield();
    }
    stop.store(true);
    working.join();
  }
  stop.store(false);
  EXPECT_EQ(Show(id)["state"], "waiting");
  EXPECT_EQ(Worker()->Work().value(), 1U);
  EXPECT_EQ(Show(id)["reports"][0]["undetermined"], 1) << "the one that is unclear, no other";
}

TEST_F(EvalWorkerTest, AnotherJudgeBeginsAnew) {
  const std::string id = Start({{"dataset", Send(kData)}, {"policies", {"hate"}}});
  stop.store(true);
  EXPECT_EQ(Worker("one")->Work().value(), 1U);
  stop.store(false);
  const int before = parts.judge.calls.load();
  EXPECT_EQ(Worker("another")->Work().value(), 1U);
  EXPECT_EQ(Show(id)["state"], "done");
  EXPECT_EQ(parts.judge.calls.load() - before, 3) << "all three batches are this judge's";
}

TEST_F(EvalWorkerTest, WhatCannotBeMeasuredIsDeadAndSaysWhy) {
  const std::string dataset = Send(kData);
  const std::string gone = Start({{"dataset", dataset}, {"policies", {"hate"}}});
  ASSERT_TRUE(parts.files->Remove("shared", dataset));
  EXPECT_EQ(Worker()->Work().value(), 1U);
  EXPECT_EQ(Show(gone)["state"], "dead");
  EXPECT_THAT(Show(gone)["problem"].get<std::string>(), HasSubstr("there is no file"));
}

TEST_F(EvalWorkerTest, ASampleIsDrawnByItsSeed) {
  const std::string dataset = Send(kData);
  const std::string id =
      Start({{"dataset", dataset}, {"policies", {"hate"}}, {"sample", 3}, {"seed", 7}});
  EXPECT_EQ(Worker()->Work().value(), 1U);
  EXPECT_EQ(Show(id)["reports"][0]["cases"], 3);
  EXPECT_EQ(Show(id)["sample"], 3);
}

constexpr const char* kForeign =
    "{\"post\": 7, \"says\": \"a bad one\", \"ruling\": \"Removed\"}\n"
    "{\"post\": 8, \"says\": \"a good one\", \"ruling\": \"kept\"}\n";
constexpr const char* kForeignMapping =
    R"({"text": "says", "label": "ruling", "id": "post", "positive": ["removed"], "negative": ["kept"]})";

TEST_F(EvalWorkerTest, AForeignDatasetIsMeasuredByItsMapping) {
  const std::string id =
      Start({{"dataset", Send(kForeign, kForeignMapping)}, {"policies", {"hate"}}});
  EXPECT_EQ(Worker()->Work().value(), 1U);
  const Json run = Show(id);
  ASSERT_EQ(run["state"], "done") << run;
  EXPECT_EQ(run["reports"][0]["cases"], 2);
  EXPECT_EQ(run["reports"][0]["f1"], 1.0);
  const std::string report = parts.Call("GET", "/v1/eval/runs/" + id + "/report").body;
  EXPECT_THAT(report, HasSubstr("mapping says")) << "what the figures rest on";
}

TEST_F(EvalWorkerTest, AWrongMappingIsToldByLineAndField) {
  const auto read = [&](const std::string& data, const std::string& name,
                        const http::DatasetMapping& mapping) {
    return DatasetReaderIn(folder.path() + "/evals")(moderation::SourceOf(data), name, mapping);
  };
  const auto trouble = [&](const std::string& data, const std::string& mapping) {
    const auto facts = read(data, "mine", http::ReadDatasetMapping(mapping).value());
    EXPECT_FALSE(facts) << mapping;
    return facts ? "" : Describe(facts.error());
  };
  EXPECT_EQ(read(kForeign, "mine", http::ReadDatasetMapping(kForeignMapping).value())->violations,
            1U);
  EXPECT_THAT(trouble(kForeign, R"({"text": "said"})"),
              AllOf(HasSubstr("line 1"), HasSubstr("\"said\""), HasSubstr("says")));
  EXPECT_THAT(trouble(kData, R"({"text": "said"})"),
              AllOf(HasSubstr("line 1"), HasSubstr("\"said\"")))
      << "a header tells at once";
  EXPECT_THAT(trouble(kForeign, R"({"text": "says", "label": "ruled"})"),
              AllOf(HasSubstr("\"ruled\""), HasSubstr("mapping"), Not(HasSubstr("--map"))));
  EXPECT_THAT(trouble(kForeign,
                      R"({"text": "says", "label": "ruling", "positive": ["removed"],
                          "negative": ["left"]})"),
              AllOf(HasSubstr("line 2"), HasSubstr("\"kept\""), HasSubstr("\"ruling\"")));
  EXPECT_THAT(trouble(kForeign, R"({"text": "says", "label": "ruling", "positive": ["removd"]})"),
              AllOf(HasSubstr("\"positive\""), HasSubstr("Removed (line 1)")));
  EXPECT_THAT(trouble(kForeign, R"({"text": "says", "label": "ruling", "positive": ["removed"],
                            "id": "number"})"),
              AllOf(HasSubstr("\"number\""), HasSubstr("post")));
  EXPECT_EQ(FilesUnderWay(), 0U);
}

TEST_F(EvalWorkerTest, ADatasetIsReadAsEvalReadsFiles) {
  const auto read = [&](const std::string& data, const std::string& name,
                        const http::DatasetMapping& mapping) {
    return DatasetReaderIn(folder.path() + "/evals")(moderation::SourceOf(data), name, mapping);
  };
  const http::DatasetFacts facts = read(kData, "mine.csv", {}).value();
  EXPECT_EQ(facts.records, 5U);
  EXPECT_EQ(facts.violations, 3U);
  EXPECT_EQ(facts.safe, 2U);
  EXPECT_EQ(read("{\"text\": \"x\", \"label\": 1}\n{broken\n", "x.jsonl", {})->line_errors, 1U);
  const auto wrong = read("a,b\n1,2\n", "wrong.csv", {});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, Not(HasSubstr(folder.path())));
  EXPECT_EQ(FilesUnderWay(), 0U);
}

}  // namespace
}  // namespace safeguard::apps
