// OpenAI's files and batches; every answer is held against the OpenAPI document.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/api/batch_lines.h"
#include "http/api/file_lines.h"
#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

std::string Line(const std::string& id, const std::string& input) {
  return Json{{"custom_id", id},
              {"method", "POST"},
              {"url", "/v1/moderations"},
              {"body", {{"input", input}}}}
             .dump() +
         "\n";
}

std::vector<Json> LinesOf(const std::string& bytes) {
  std::vector<Json> lines;
  std::istringstream in(bytes);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(Json::parse(line));
  }
  return lines;
}

class BatchTest : public ::testing::Test {
 protected:
  Response Call(const std::string& method, const std::string& target, const std::string& pattern,
                const Json& body = nullptr) {
    Response response = parts.Call(method, target, body.is_null() ? "" : body.dump());
    return Checked(method, pattern, std::move(response));
  }
  Response Checked(std::string method, const std::string& pattern, Response response) {
    static const OpenApiCheck check;
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
    EXPECT_EQ(check.CheckResponse(method, pattern, response), "") << method << " " << pattern;
    return response;
  }
  Response Send(const std::string& bytes, const std::string& purpose = "batch") {
    return Checked("POST", "/v1/files",
                   parts.Call("POST", "/v1/files", FormOf({{"purpose", purpose}, {"file", bytes}}),
                              {{"content-type", kFormType}}));
  }
  Response Begin(const std::string& file, const std::string& endpoint = "/v1/moderations") {
    return Call("POST", "/v1/batches", "/v1/batches",
                {{"input_file_id", file},
                 {"endpoint", endpoint},
                 {"completion_window", "24h"},
                 {"metadata", {{"night", "28"}}}});
  }
  Json BatchOf(const std::string& bytes, const std::string& endpoint = "/v1/moderations") {
    const Response begun = Begin(JsonOf(Send(bytes))["id"], endpoint);
    EXPECT_EQ(begun.status, 200) << begun.body;
    return JsonOf(begun);
  }
  Json Show(const Json& batch) {
    return JsonOf(Call("GET", "/v1/batches/" + batch["id"].get<std::string>(), "/v1/batches/{id}"));
  }
  // When it is over.
  Json Over(const Json& batch) {
    for (int i = 0; i < 10'000; ++i) {
      const Json now = Show(batch);
      if (now["status"] != "validating" && now["status"] != "in_progress" &&
          now["status"] != "cancelling") {
        return now;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    ADD_FAILURE() << "it never ends: " << Show(batch);
    return batch;
  }
  std::string Content(const Json& id) {
    return Call("GET", "/v1/files/" + id.get<std::string>() + "/content", "/v1/files/{id}/content")
        .body;
  }

  TestService parts;
};

TEST_F(BatchTest, AFileOfRequestsBecomesAFileOfAnswers) {
  const Json over = Over(BatchOf(Line("a", "bad") + "\n" + Line("b", "good")));
  EXPECT_EQ(over["status"], "completed");
  EXPECT_EQ(over["request_counts"], (Json{{"total", 2}, {"completed", 2}, {"failed", 0}}));
  EXPECT_EQ(over["metadata"]["night"], "28");
  EXPECT_EQ(over["error_file_id"], nullptr);
  const std::vector<Json> lines = LinesOf(Content(over["output_file_id"]));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["custom_id"], "a");
  EXPECT_EQ(lines[0]["response"]["status_code"], 200);
  EXPECT_EQ(lines[0]["response"]["body"]["results"][0]["flagged"], true);
  EXPECT_EQ(lines[1]["response"]["body"]["results"][0]["flagged"], false);
  EXPECT_EQ(lines[1]["error"], nullptr);
  EXPECT_EQ(parts.log->Count({}).value(), 26U) << "13 categories of two contents are recorded";
}

TEST_F(BatchTest, ALineThatCannotBeAnsweredGoesToTheErrorFile) {
  const std::string wrong =
      R"({"custom_id": "w", "method": "POST", "url": "/v1/moderations", "body": {"inputs": 1}})";
  const Json over = Over(BatchOf(Line("a", "good") + wrong + "\n"));
  EXPECT_EQ(over["status"], "completed");
  EXPECT_EQ(over["request_counts"]["failed"], 1);
  const std::vector<Json> errors = LinesOf(Content(over["error_file_id"]));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0]["custom_id"], "w");
  EXPECT_EQ(errors[0]["response"]["status_code"], 400);
  EXPECT_TRUE(errors[0]["response"]["body"]["error"].is_object()) << "as OpenAI's clients read it";
  EXPECT_EQ(LinesOf(Content(over["output_file_id"])).size(), 1U);
}

TEST_F(BatchTest, AFileThatIsNoBatchSaysWhichLinesAreWrong) {
  const Json over = Over(BatchOf(Line("a", "x") + "no json\n" + Line("a", "y") +
                                 R"({"custom_id": "c", "method": "GET", "url": "/v1/x"})"));
  EXPECT_EQ(over["status"], "failed");
  const Json& data = over["errors"]["data"];
  ASSERT_EQ(data.size(), 3U) << data;
  EXPECT_EQ(data[0]["line"], 2);
  EXPECT_EQ(data[0]["code"], "invalid-json");
  EXPECT_EQ(data[1]["line"], 3);
  EXPECT_EQ(data[1]["code"], "duplicate-custom-id");
  EXPECT_EQ(data[2]["line"], 4);
  EXPECT_EQ(data[2]["param"], "method");
  EXPECT_EQ(over["output_file_id"], nullptr) << "nothing was asked";
  EXPECT_EQ(parts.judge.calls.load(), 0);
}

TEST_F(BatchTest, LinesTalkToTheModelThatIsHereAndToNoOther) {
  const auto line = [&](const std::string& id, const std::string& model) {
    return Json{{"custom_id", id},
                {"method", "POST"},
                {"url", "/v1/chat/completions"},
                {"body", {{"model", model}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}}}}
               .dump() +
           "\n";
  };
  const Json over =
      Over(BatchOf(line("a", parts.chat.name()) + line("b", "gpt"), "/v1/chat/completions"));
  const std::vector<Json> lines = LinesOf(Content(over["output_file_id"]));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["response"]["body"]["object"], "chat.completion");
  EXPECT_EQ(LinesOf(Content(over["error_file_id"]))[0]["response"]["status_code"], 404);
  TestService silent({.with_chat = false});
  const std::string file =
      JsonOf(silent.Call("POST", "/v1/files", FormOf({{"purpose", "batch"}, {"file", "{}"}}),
                         {{"content-type", kFormType}}))["id"];
  const Json asked = {
      {"input_file_id", file}, {"endpoint", "/v1/responses"}, {"completion_window", "24h"}};
  EXPECT_EQ(JsonOf(silent.Call("POST", "/v1/batches", asked.dump()))["pointer"], "/endpoint");
}

TEST_F(BatchTest, ACrashLosesNoLineAndRepeatsNone) {
  const std::size_t lines = 100;
  std::string bytes;
  for (std::size_t i = 0; i < lines; ++i) {
    bytes += Line(std::to_string(i), i % 2 == 0 ? "bad" : "good");
  }
  std::unique_lock hold(parts.judge.gate);
  const Json batch = BatchOf(bytes);
  while (parts.judge.entered.load() == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // The service goes while lines are under way; what it would have kept is not kept.
  std::thread stopping([&] { parts.service->Stop(); });
  hold.unlock();
  stopping.join();
  EXPECT_NE(Json(moderation::ToString(
                parts.batches->Find("local", batch["id"].get<std::string>())->state)),
            "completed");
  parts.now += 60'000;  // its lease has run out
  parts.service = parts.MakeService({});
  const Json over = Over(batch);
  EXPECT_EQ(over["status"], "completed");
  const std::vector<Json> answers = LinesOf(Content(over["output_file_id"]));
  ASSERT_EQ(answers.size(), lines);
  for (std::size_t i = 0; i < lines; ++i) {
    EXPECT_EQ(answers[i]["custom_id"], std::to_string(i)) << "in the order of the file";
  }
  EXPECT_EQ(parts.log->Count({}).value(), lines * 13) << "asked twice is recorded once";
}

TEST_F(BatchTest, CancellingKeepsWhatIsAnsweredAndAsksNoMore) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    bytes += Line(std::to_string(i), "good");
  }
  std::unique_lock hold(parts.judge.gate);
  const Json batch = BatchOf(bytes);
  while (parts.judge.entered.load() == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const std::string path = "/v1/batches/" + batch["id"].get<std::string>() + "/cancel";
  const Response asked = Call("POST", path, "/v1/batches/{id}/cancel");
  EXPECT_EQ(JsonOf(asked)["status"], "cancelling");
  hold.unlock();
  const Json over = Over(batch);
  EXPECT_EQ(over["status"], "cancelled");
  EXPECT_EQ(LinesOf(Content(over["output_file_id"])).size(), over["request_counts"]["completed"]);
  EXPECT_LT(over["request_counts"]["completed"], 100);
  EXPECT_EQ(Call("POST", path, "/v1/batches/{id}/cancel").status, 409);
}

TEST_F(BatchTest, WhatIsNotDoneInADayExpires) {
  std::unique_lock hold(parts.judge.gate);
  std::string bytes;
  for (int i = 0; i < 40; ++i) {
    bytes += Line(std::to_string(i), "good");
  }
  const Json batch = BatchOf(bytes);
  while (parts.judge.entered.load() == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  parts.now += 25 * 3'600'000;
  hold.unlock();
  const Json over = Over(batch);
  EXPECT_EQ(over["status"], "expired");
  const std::vector<Json> errors = LinesOf(Content(over["error_file_id"]));
  ASSERT_FALSE(errors.empty());
  EXPECT_EQ(errors.back()["error"]["code"], "batch_expired");
  EXPECT_EQ(errors.back()["response"], nullptr);
  EXPECT_EQ(
      over["request_counts"]["completed"].get<int>() + over["request_counts"]["failed"].get<int>(),
      40);
}

TEST_F(BatchTest, FilesAreListedShownAndDeleted) {
  const std::string first = JsonOf(Send(Line("a", "x")))["id"];
  const std::string second = JsonOf(Send(Line("b", "y")))["id"];
  const Json page = JsonOf(Call("GET", "/v1/files?limit=1", "/v1/files"));
  EXPECT_EQ(page["data"][0]["id"], second);
  EXPECT_EQ(page["has_more"], true);
  const Json rest = JsonOf(Call("GET", "/v1/files?limit=1&after=" + second, "/v1/files"));
  EXPECT_EQ(rest["data"][0]["id"], first);
  EXPECT_EQ(rest["has_more"], false);
  EXPECT_EQ(JsonOf(Call("GET", "/v1/files/" + first, "/v1/files/{id}"))["filename"], "sent.jsonl");
  EXPECT_EQ(Content(Json(first)), Line("a", "x"));
  EXPECT_EQ(JsonOf(Call("DELETE", "/v1/files/" + first, "/v1/files/{id}"))["deleted"], true);
  EXPECT_EQ(Call("GET", "/v1/files/" + first, "/v1/files/{id}").status, 404);
  EXPECT_EQ(Begin(first).status, 404);
}

TEST_F(BatchTest, WhatIsWrongWithAFormIsSaid) {
  EXPECT_EQ(Send("x", "fine-tune").status, 400);
  EXPECT_EQ(parts.Call("POST", "/v1/files", "{}").status, 415) << "no form";
  EXPECT_EQ(
      parts.Call("POST", "/v1/files", FormOf({{"purpose", "batch"}}), {{"content-type", kFormType}})
          .status,
      400);
  EXPECT_EQ(parts.Call("POST", "/v1/judge", FormOf({{"text", "x"}}), {{"content-type", kFormType}})
                .status,
            415);
}

TEST_F(BatchTest, BatchesAreListedNewestFirst) {
  const Json first = BatchOf(Line("a", "x"));
  const Json second = BatchOf(Line("b", "x"));
  const Json page = JsonOf(Call("GET", "/v1/batches?limit=1", "/v1/batches"));
  EXPECT_EQ(page["data"][0]["id"], second["id"]);
  EXPECT_EQ(page["has_more"], true);
  Over(first);
  Over(second);
}

std::vector<BatchFault> FaultsOf(const std::string& bytes, const std::string& endpoint) {
  BatchCheck check(endpoint);
  std::istringstream in(bytes);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line) && check.Add(line, ++number);) {
  }
  check.End();
  return check.faults();
}

TEST(BatchLines, LinesHaveALimitAndAFileIsNeverEmpty) {
  std::string bytes;
  for (std::size_t i = 0; i <= kBatchLinesMax; ++i) {
    bytes += Line(std::to_string(i), "x");
  }
  EXPECT_EQ(FaultsOf(bytes, "/v1/moderations").at(0).code, "too-many-lines");
  EXPECT_EQ(FaultsOf(" \n\n", "/v1/moderations").at(0).code, "empty-file");
  BatchCheck long_line("/v1/x");
  EXPECT_TRUE(long_line.Add("x", 7, true));
  EXPECT_EQ(long_line.faults().at(0).code, "line-too-long");
  EXPECT_EQ(long_line.faults().at(0).line, 7U);
  const std::string stream =
      R"({"custom_id": "1", "method": "POST", "url": "/v1/x", "body": {"stream": true}})";
  EXPECT_EQ(FaultsOf(stream, "/v1/x").at(0).param, "body");
}

// However pieces fall, the lines are the file's.
TEST(FileLines, AreReadPieceByPiece) {
  const std::unique_ptr<moderation::FileStore> files = moderation::MemoryFileStore({});
  const auto read = [&](const std::string& bytes, std::size_t most) {
    const std::string id = files->Add({"me", "batch", "x", bytes}, 1).value().id;
    FileLines lines(*files, "me", id, most);
    std::vector<std::string> got;
    for (auto line = lines.Next().value(); line; line = lines.Next().value()) {
      EXPECT_EQ(line->number, got.size() + 1);
      got.push_back((line->too_long ? "cut:" : "") + line->text);
    }
    EXPECT_FALSE(lines.Next().value()) << "the end stays the end";
    return got;
  };
  EXPECT_THAT(read("", 10), ElementsAre());
  EXPECT_THAT(read("a\n\nb", 10), ElementsAre("a", "", "b"));
  EXPECT_THAT(read("a\n", 10), ElementsAre("a"));
  EXPECT_THAT(read("12345\n123456\n7", 5), ElementsAre("12345", "cut:12345", "7"));
  const std::string wide(moderation::kFilePieceBytes - 1, 'w');
  EXPECT_THAT(read(wide + "\n" + wide + "x\ny", kBatchLineBytesMax),
              ElementsAre(wide, wide + "x", "y"));
  const std::string vast(3 * moderation::kFilePieceBytes, 'v');
  EXPECT_THAT(read(vast + "\nz", kBatchLineBytesMax), ElementsAre(vast, "z"));
  EXPECT_THAT(read(vast + "\nz", 2), ElementsAre("cut:vv", "z"));
  FileLines none(*files, "me", "file-none", 10);
  EXPECT_EQ(none.Next().error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace safeguard::http
