// Work that waits, over HTTP: jobs and reviews; every answer is held against the OpenAPI document.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/openapi_check.h"
#include "http/test_parts.h"
#include "moderation/job_workers.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class WorkTest : public ::testing::Test {
 protected:
  Response Call(const std::string& method, const std::string& target, const Json& body = nullptr,
                std::vector<Header> headers = {}, std::string pattern = "") {
    static const OpenApiCheck check;
    pattern = pattern.empty() ? target.substr(0, target.find('?')) : pattern;
    Response response =
        parts.Call(method, target, body.is_null() ? "" : body.dump(), std::move(headers));
    EXPECT_EQ(check.CheckResponse(method == "GET" ? "get" : "post", pattern, response), "")
        << method << " " << target;
    return response;
  }
  std::string Submit(const std::string& text, Json more = Json::object(),
                     std::vector<Header> headers = {}) {
    more["text"] = text;
    more.emplace("policies", Json::array({"hate"}));
    const Response response = Call("POST", "/v1/jobs", more, std::move(headers));
    EXPECT_EQ(response.status, 202) << response.body;
    return JsonOf(response)["job"];
  }
  Json Job(const std::string& id) {
    return JsonOf(Call("GET", "/v1/jobs/" + id, nullptr, {}, "/v1/jobs/{id}"));
  }
  // What the server's own worker does.
  void Work() {
    const auto random = moderation::SeededRandom(1);
    moderation::WorkerOptions options;
    options.now = [this] { return parts.now.load(); };
    options.random = random.get();
    const auto worker = moderation::JudgementWorker(
        *parts.queue, *parts.log, &parts.judge,
        [this](const moderation::JudgedPolicy& policy) {
          return parts.shelf->Find(policy.policy, policy.text);
        },
        options);
    while (*worker->Work() > 0) {
    }
  }
  Json File(const std::string& text, double priority = 0) {
    return JsonOf(
        Call("POST", "/v1/reviews",
             {{"text", text}, {"policy", "hate"}, {"why", "reported"}, {"priority", priority}}));
  }
  Response Decide(const std::string& id, const Json& body) {
    return Call("POST", "/v1/reviews/" + id + "/decision", body, {}, "/v1/reviews/{id}/decision");
  }

  TestService parts;
};

TEST_F(WorkTest, AJobIsKeptThenDoneThenAnswered) {
  const std::string id = Submit("a bad one", {{"id", "post-1"}});
  Json job = Job(id);
  EXPECT_EQ(job["state"], "waiting");
  EXPECT_TRUE(job["verdicts"].is_null());
  Work();
  job = Job(id);
  EXPECT_EQ(job["state"], "done");
  ASSERT_EQ(job["verdicts"].size(), 1U);
  EXPECT_EQ(job["verdicts"][0]["outcome"], "violation");
  EXPECT_EQ(job["verdicts"][0]["policy"], "hate");
  EXPECT_EQ(job["verdicts"][0]["id"], "post-1");
  EXPECT_EQ(JsonOf(Call("GET", "/v1/verdicts"))["data"].size(), 1U);
}

TEST_F(WorkTest, AJobIsJudgedUnderTheVersionThatItWasPutInWith) {
  const auto publish = [&](const std::string& text, int version) {
    Call("POST", "/v1/policies", {{"id", "spam"}, {"text", text}});
    Call("POST", "/v1/policies/spam/versions/" + std::to_string(version) + "/promote",
         {{"to", "active"}}, {}, "/v1/policies/{id}/versions/{version}/promote");
  };
  publish("# Spam\n\n## Violates\n- S1 Bad.\n", 1);
  const std::string id = Submit("bad", {{"policies", {"spam"}}});
  publish("# Spam\n\n## Violates\n- S1 Worse.\n", 2);
  Work();
  EXPECT_EQ(Job(id)["verdicts"][0]["policy_version"], "1");
}

TEST_F(WorkTest, ABatchIsKeptWholeOrNotAtAll) {
  const Response kept = Call("POST", "/v1/jobs/batch",
                             {{"contents", {{{"text", "bad"}, {"id", "a"}}, {{"text", "fine"}}}},
                              {"policies", {"hate", "violence"}}});
  ASSERT_EQ(kept.status, 202) << kept.body;
  EXPECT_EQ(JsonOf(kept)["data"].size(), 2U);
  EXPECT_EQ(JsonOf(kept)["data"][0]["id"], "a");
  Work();
  EXPECT_EQ(JsonOf(Call("GET", "/v1/jobs?state=done"))["data"].size(), 2U);
  TestService small({.jobs_max = 1});
  const Response refused =
      small.Call("POST", "/v1/jobs/batch", R"({"contents": [{"text": "a"}, {"text": "b"}]})");
  EXPECT_EQ(refused.status, 429);
  EXPECT_FALSE(FindHeader(refused.headers, "retry-after").empty());
  EXPECT_TRUE(small.queue->List({})->jobs.empty());
}

TEST_F(WorkTest, AnIdempotencyKeyIsOneJobAlsoAfterARestart) {
  const std::vector<Header> key = {{"idempotency-key", "k"}};
  const std::string id = Submit("bad", Json::object(), key);
  Service restarted(
      {*parts.judging, *parts.shelf, parts.store.get(), parts.log.get(), parts.keys, parts.metrics,
       nullptr, [this] { return parts.now.load(); }, RandomBytes, [](std::string_view) {}, nullptr,
       nullptr, parts.queue.get(), [](const std::string&) { return Status(); }},
      {.keys_required = false});
  const auto call = [&](const std::string& body) {
    auto request = std::make_shared<Request>();
    request->method = "POST";
    request->path = "/v1/jobs";
    request->headers = {
        {"host", "localhost"}, {"content-type", "application/json"}, {"idempotency-key", "k"}};
    request->body = body;
    std::promise<Response> answer;
    restarted.Handle(request, [&](Response response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  };
  const Response again = call(R"({"text": "bad", "policies": ["hate"]})");
  EXPECT_EQ(JsonOf(again)["job"], id);
  EXPECT_EQ(JsonOf(again)["new"], false);
  EXPECT_EQ(parts.queue->List({})->jobs.size(), 1U);
}

TEST_F(WorkTest, WhatIsWrongWithAJobIsSaidBeforeItIsKept) {
  const auto refused = [&](Json body) { return Call("POST", "/v1/jobs", body); };
  EXPECT_EQ(refused({{"text", "a"}, {"policies", {"hats"}}}).status, 404);
  EXPECT_EQ(refused({{"text", "a"}, {"webhook", "ftp://x"}}).status, 422);
  EXPECT_EQ(refused({{"text", "a"}, {"timeout_ms", 5}}).status, 400) << "nobody waits";
  EXPECT_EQ(Call("GET", "/v1/jobs?state=lost").status, 400);
  EXPECT_EQ(Call("GET", "/v1/jobs/j1", nullptr, {}, "/v1/jobs/{id}").status, 404);
  EXPECT_TRUE(parts.queue->List({})->jobs.empty());
}

TEST_F(WorkTest, ADeadJobSaysWhyAndIsBegunAgain) {
  const std::string id = Submit("bad", {{"deadline_ms", 5}});
  parts.now += 10;
  Work();
  EXPECT_EQ(Job(id)["state"], "dead");
  EXPECT_THAT(Job(id)["problem"].get<std::string>(), Not(HasSubstr("bad")));
  const auto retry = [&] {
    return Call("POST", "/v1/jobs/" + id + "/retry", nullptr, {}, "/v1/jobs/{id}/retry");
  };
  EXPECT_EQ(retry().status, 200);
  EXPECT_EQ(retry().status, 409) << "it is not dead any more";
  Work();
  EXPECT_EQ(Job(id)["state"], "done");
}

TEST_F(WorkTest, AReviewerTakesTheMostUrgentCaseAndDecidesIt) {
  File("lesser", 1);
  const std::string urgent = File("a bad word", 5)["review"];
  const Json taken = JsonOf(Call("POST", "/v1/reviews/next"));
  EXPECT_EQ(taken["review"], urgent);
  EXPECT_EQ(taken["messages"][0]["content"], "a bad word");
  EXPECT_EQ(taken["why"], "reported");
  const Json lease = taken["lease"];
  EXPECT_EQ(
      Decide(urgent, {{"lease", lease}, {"outcome", "violation"}, {"rule_ids", {"X9"}}}).status,
      400)
      << "the policy has no such rule";
  EXPECT_EQ(Decide(urgent, {{"lease", lease}, {"outcome", "undetermined"}}).status, 400);
  const Response decided = Decide(
      urgent, {{"lease", lease}, {"outcome", "violation"}, {"rule_ids", {"X1.a"}}, {"note", "n"}});
  ASSERT_EQ(decided.status, 200) << decided.body;
  EXPECT_EQ(JsonOf(decided)["decision"]["reviewer"], "local");
  EXPECT_THAT(decided.body, Not(HasSubstr("a bad word"))) << "decided: nobody need read it again";
  const Json log = JsonOf(Call("GET", "/v1/verdicts"))["data"];
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0]["decided_by"], "review");
  EXPECT_EQ(log[0]["rule_ids"], Json::array({"X1.a"}));
  EXPECT_EQ(Decide(urgent, {{"lease", lease}, {"outcome", "safe"}}).status, 409);
}

TEST_F(WorkTest, ALeaseThatEndedCannotDecide) {
  const std::string id = File("bad")["review"];
  const Json first = JsonOf(Call("POST", "/v1/reviews/next", {{"lease_ms", 1000}}));
  EXPECT_EQ(Call("POST", "/v1/reviews/next").status, 204) << "somebody has it";
  parts.now += 1001;
  const Json second = JsonOf(Call("POST", "/v1/reviews/next"));
  EXPECT_EQ(second["review"], id);
  EXPECT_EQ(Decide(id, {{"lease", first["lease"]}, {"outcome", "safe"}}).problem, "lease-lost");
  EXPECT_EQ(Call("POST", "/v1/reviews/" + id + "/release", {{"lease", second["lease"]}}, {},
                 "/v1/reviews/{id}/release")
                .status,
            200);
  EXPECT_EQ(JsonOf(Call("POST", "/v1/reviews/next"))["review"], id);
  EXPECT_EQ(JsonOf(Call("GET", "/v1/reviews?state=leased"))["data"].size(), 1U);
  EXPECT_EQ(Call("GET", "/v1/reviews/j0", nullptr, {}, "/v1/reviews/{id}").status, 404);
}

TEST_F(WorkTest, TheLogIsExportedAsLinesFromWhereTheLastExportEnded) {
  for (int i = 0; i < 3; ++i) {
    Call("POST", "/v1/judge", {{"text", "bad"}, {"policies", {"hate"}}});
  }
  const Response first = Call("GET", "/v1/verdicts/export?limit=2");
  EXPECT_EQ(std::ranges::count(first.body, '\n'), 2);
  EXPECT_EQ(FindHeader(first.headers, "x-end"), "false");
  const auto next = [](const Response& page) {
    return "/v1/verdicts/export?cursor=" + std::string(FindHeader(page.headers, "x-next-cursor"));
  };
  const Response second = Call("GET", next(first));
  EXPECT_EQ(std::ranges::count(second.body, '\n'), 1);
  EXPECT_EQ(FindHeader(second.headers, "x-end"), "true");
  EXPECT_EQ(Call("GET", next(second)).body, "");
  Call("POST", "/v1/judge", {{"text", "later"}, {"policies", {"hate"}}});
  EXPECT_EQ(std::ranges::count(Call("GET", next(second)).body, '\n'), 1);
}

TEST(WorkWithoutStoreTest, NothingIsAcknowledgedThatIsNotKept) {
  TestService parts({.with_store = false});
  EXPECT_EQ(parts.Call("POST", "/v1/jobs", R"({"text": "a"})").problem, "no-store");
  EXPECT_EQ(parts.Call("POST", "/v1/reviews", R"({"text": "a", "policy": "hate"})").problem,
            "no-store");
}

}  // namespace
}  // namespace safeguard::http
