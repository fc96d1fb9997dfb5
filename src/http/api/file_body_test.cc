// Files that go to the disk as they arrive and are read from the store as they leave; what else a
// request is held to (keys, quotas, idempotency, limits) holds for them too.
#include "http/api/file_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Json = nlohmann::json;
using moderation::kFilePieceBytes;

std::string Lines(std::size_t size) {
  std::string lines;
  for (std::size_t i = 0; lines.size() < size; ++i) {
    lines += "{\"number\": " + std::to_string(i) + "}\n";
  }
  return lines;
}

class FileBodyTest : public ::testing::Test {
 protected:
  FileBodyTest() { Begin({}); }
  ~FileBodyTest() override {
    EXPECT_TRUE(fs::is_empty(folder)) << "nothing is left";
    fs::remove_all(folder);
  }
  void Begin(TestOptions options) {
    fs::create_directories(folder);
    options.spool_folder = folder;
    parts = std::make_unique<TestService>(options);
  }
  static Request Post(const std::string& path, std::vector<Header> headers) {
    Request request;
    request.method = "POST";
    request.path = path;
    request.headers = std::move(headers);
    request.headers.push_back({"host", "localhost"});
    request.headers.push_back({"content-type", kFormType});
    return request;
  }
  // As the server does with what is longer than a piece.
  Response Send(const std::string& path, const std::string& form,
                std::vector<Header> headers = {}) {
    Request request = Post(path, std::move(headers));
    const BodyPlan plan = parts->service->PlanBody(request);
    EXPECT_NE(plan.sink, nullptr);
    for (std::size_t at = 0; at < form.size(); at += kFilePieceBytes) {
      std::promise<std::optional<Problem>> taken;
      plan.sink->Take(form.substr(at, kFilePieceBytes),
                      [&](std::optional<Problem> problem) { taken.set_value(std::move(problem)); });
      if (const auto problem = taken.get_future().get()) {
        return ProblemResponse(*problem, "r");
      }
    }
    plan.sink->GiveTo(request);
    EXPECT_EQ(request.body_bytes(), form.size());
    return parts->Start(std::move(request)).get();
  }
  std::string Keep(const std::string& bytes) {
    const Response kept = Send("/v1/files", FormOf({{"purpose", "batch"}, {"file", bytes}}));
    EXPECT_EQ(kept.status, 200) << kept.body;
    return JsonOf(kept)["id"];
  }
  Response Content(const std::string& id) {
    return parts->Call("GET", "/v1/files/" + id + "/content");
  }

  std::string folder = fs::temp_directory_path() / ("spool-" + std::to_string(::getpid()));
  std::unique_ptr<TestService> parts;
};

TEST_F(FileBodyTest, ALongFileComesBackAsItWasSent) {
  const std::string bytes = Lines(5 * kReadAheadBytes / 2);
  const Response content = Content(Keep(bytes));
  ASSERT_NE(content.stream, nullptr);
  EXPECT_EQ(content.stream_bytes, bytes.size());
  EXPECT_EQ(content.content_type, "application/octet-stream");
  EXPECT_TRUE(WholeBody(content) == bytes);
  const Response small = Content(Keep("{}\n"));
  EXPECT_EQ(small.stream, nullptr) << "a short one is answered at once";
  EXPECT_EQ(small.body, "{}\n");
}

TEST_F(FileBodyTest, NoMoreIsReadThanTheClientTakes) {
  const Response content = Content(Keep(Lines(3 * kReadAheadBytes)));
  for (int i = 0; i < 50; ++i) {
    EXPECT_LE(content.stream->waiting(), kReadAheadBytes);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  content.stream->Close();
}

TEST_F(FileBodyTest, AFileThatIsDeletedMeanwhileBreaksOff) {
  const std::string id = Keep(Lines(3 * kReadAheadBytes));
  const Response content = Content(id);
  ASSERT_EQ(parts->Call("DELETE", "/v1/files/" + id).status, 200);
  std::size_t got = 0;
  BodyStream::Part part;
  while (!part.ended) {
    part = content.stream->Take();
    got += part.bytes.size();
    std::this_thread::yield();
  }
  EXPECT_TRUE(part.broken);
  EXPECT_LT(got, *content.stream_bytes);
  EXPECT_TRUE(parts->AwaitLogLine("\"event\":\"file-broke-off\""));
}

TEST_F(FileBodyTest, ALongFormIsRefusedForWhatAShortOneIs) {
  const std::string bytes = Lines(2 * kFilePieceBytes);
  EXPECT_EQ(Send("/v1/files", FormOf({{"purpose", "x"}, {"file", bytes}})).status, 400);
  EXPECT_EQ(Send("/v1/files", FormOf({{"file", bytes}, {"other", "x"}})).status, 400);
  EXPECT_EQ(Send("/v1/files", FormOf({{"purpose", bytes}, {"file", "x"}})).status, 400)
      << "a field is short";
  const std::string cut = FormOf({{"purpose", "batch"}, {"file", bytes}});
  EXPECT_EQ(Send("/v1/files", cut.substr(0, cut.size() - 9)).problem, "invalid-form");
  EXPECT_EQ(parts->files->List({.owner = "local"})->size(), 0U);
}

TEST_F(FileBodyTest, TheSameKeyWithTheSameBodyActsOnce) {
  const std::string form = FormOf({{"purpose", "batch"}, {"file", Lines(2 * kFilePieceBytes)}});
  const std::vector<Header> key = {{"idempotency-key", "k"}};
  const Response first = Send("/v1/files", form, key);
  const Response again = Send("/v1/files", form, key);
  EXPECT_EQ(first.body, again.body);
  EXPECT_EQ(FindHeader(again.headers, "idempotency-replayed"), "true");
  EXPECT_EQ(parts->files->List({.owner = "local"})->size(), 1U);
  std::string other = form;
  other[other.size() / 2] ^= 1;
  EXPECT_EQ(Send("/v1/files", other, key).status, 422);
}

TEST_F(FileBodyTest, WhoMayNotSendFilesNeedNotSendThem) {
  Begin({.keys_required = true});
  NewKey judge = MakeKey("judge", {Scope::kJudge}, 0, RandomBytes(38));
  judge.key.tokens_per_minute = 1000;
  NewKey review = MakeKey("review", {Scope::kReview}, 0, RandomBytes(38));
  parts->keys.Set({judge.key, review.key});
  const auto plan = [&](const std::string& secret) {
    Request request = Post("/v1/files", {{"authorization", "Bearer " + secret}});
    return parts->service->PlanBody(request);
  };
  EXPECT_TRUE(plan("sk-unknown").unread);
  EXPECT_TRUE(plan(review.secret).unread) << "it has not the scope";
  EXPECT_FALSE(plan(judge.secret).unread);
  Request unread = Post("/v1/files", {{"x-api-key", review.secret}});
  EXPECT_EQ(parts->Start(unread).get().status, 403) << "and is told why";
  const std::vector<Header> key = {{"authorization", "Bearer " + judge.secret}};
  const std::string form = FormOf({{"purpose", "batch"}, {"file", Lines(2 * kFilePieceBytes)}});
  EXPECT_EQ(Send("/v1/files", form, key).status, 200) << "a full minute's tokens let it in";
  EXPECT_EQ(Send("/v1/files", form, key).status, 429) << "and it has used them up";
}

TEST_F(FileBodyTest, WhoComesByAForeignNameIsNotRead) {
  Request request = Post("/v1/files", {});
  request.headers.front() = {"host", "example.com"};
  EXPECT_TRUE(parts->service->PlanBody(request).unread);
  Request json = Post("/v1/judge", {});
  EXPECT_EQ(parts->service->PlanBody(json).sink, nullptr) << "JSON stays in memory";
}

TEST_F(FileBodyTest, AFullDiskIsToldAndNothingIsKept) {
  const std::string form = FormOf({{"purpose", "batch"}, {"file", Lines(3 * kFilePieceBytes)}});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = kFilePieceBytes + 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Response full = Send("/v1/files", form);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(full.status, 507);
  EXPECT_EQ(full.problem, "no-room");
  EXPECT_FALSE(full.body.find(folder) != std::string::npos) << "the log says where";
  EXPECT_TRUE(parts->AwaitLogLine("body-not-kept"));
  EXPECT_EQ(parts->files->List({.owner = "local"})->size(), 0U);
  EXPECT_EQ(Send("/v1/files", form).status, 200) << "with room again it goes on";
}

TEST_F(FileBodyTest, DatasetsGoTheSameWay) {
  std::string lines;
  while (lines.size() < 2 * kFilePieceBytes) {
    lines += "a fine line\na bad line\n";
  }
  const Response kept = Send("/v1/datasets", FormOf({{"name", "mine"}, {"file", lines}}));
  ASSERT_EQ(kept.status, 201) << kept.body;
  EXPECT_EQ(OpenApiCheck().CheckResponse("post", "/v1/datasets", kept), "");
  EXPECT_EQ(JsonOf(kept)["bytes"], lines.size());
  EXPECT_EQ(JsonOf(kept)["violations"], JsonOf(kept)["safe"]);
  const std::string id = JsonOf(kept)["dataset"];
  EXPECT_EQ(JsonOf(parts->Call("GET", "/v1/datasets/" + id))["records"], JsonOf(kept)["records"]);
}

}  // namespace
}  // namespace safeguard::http
