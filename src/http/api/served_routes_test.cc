// Judging by a route: which layers answer, what is put off, and what the server tells of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/openapi_check.h"
#include "http/test_parts.h"
#include "http/test_route.h"
#include "moderation/judgement_job.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

moderation::RouteSettings Comments() {
  moderation::RouteSettings settings;
  settings.name = "comments";
  settings.policies = {{.policy = "hate", .severity = 5}};
  settings.time_budget = std::chrono::seconds(2);
  settings.unanswered = moderation::Unanswered::kProvisional;
  return settings;
}

class ServedRoutesTest : public ::testing::Test {
 protected:
  // Routes "comments" and "dm", under hate and violence, and one whose policy is nowhere.
  ServedRoutesTest()
      : parts({.make_routes = [this](TestService& service) {
          const TestRouteParts given{service.shipped,   service.store.get(),
                                     service.log.get(), service.queue.get(),
                                     service.metrics,   [&service] { return service.now.load(); }};
          moderation::RouteSettings dm = Comments();
          dm.name = "dm";
          std::vector<ServedRoute> routes;
          for (const moderation::RouteSettings& settings : {Comments(), dm}) {
            made.push_back(std::make_unique<TestRoute>(
                settings, std::vector<std::string>{"hate", "violence"}, given));
            routes.push_back(*made.back()->served);
          }
          moderation::RouteSettings lost = Comments();
          lost.name = "lost";
          made.push_back(
              std::make_unique<TestRoute>(lost, std::vector<std::string>{"nosuch"}, given));
          routes.push_back(*made.back()->served);
          return routes;
        }}) {}
  void TearDown() override {
    for (const auto& route : made) {
      route->judging->Stop();  // it writes to the parts, which go first
    }
  }

  Response Call(const std::string& method, const std::string& target, const Json& body = nullptr,
                std::string pattern = "", std::vector<Header> headers = {}) {
    const Response response =
        parts.Call(method, target, body.is_null() ? "" : body.dump(), std::move(headers));
    pattern = pattern.empty() ? target : pattern;
    EXPECT_EQ(check.CheckResponse(method == "GET" ? "get" : "post", pattern, response), "");
    return response;
  }
  Json Judge(const std::string& text) {
    return JsonOf(Call("POST", "/v1/judge", {{"text", text}, {"route", "comments"}}));
  }
  Result<moderation::Judgement> JudgementOf(const std::string& job) {
    return moderation::JudgementFromJson(parts.queue->Find(job)->what.payload);
  }
  std::vector<moderation::VerdictRecord> Recorded() { return parts.log->Scan({})->records; }

  OpenApiCheck check;
  std::vector<std::unique_ptr<TestRoute>> made;
  TestService parts;
};

TEST_F(ServedRoutesTest, TheScreenDecidesWhatIsClearAndTheReasonerTheRest) {
  const Json clear = Judge("a bad one");
  EXPECT_EQ(clear["route"], "comments");
  ASSERT_EQ(clear["verdicts"].size(), 2U);
  EXPECT_EQ(clear["verdicts"][0]["policy"], "hate");
  EXPECT_EQ(clear["verdicts"][1]["policy"], "violence");
  EXPECT_EQ(clear["verdicts"][0]["decided_by"], "screen");
  EXPECT_EQ(clear["verdicts"][0]["outcome"], "violation");

  const Json unclear = Judge("an unclear one");
  const Json& verdict = unclear["verdicts"][0];
  EXPECT_EQ(verdict["decided_by"], "reasoner");
  EXPECT_EQ(verdict["outcome"], "safe");
  EXPECT_EQ(verdict["settings"]["reasoner"], "low");
  ASSERT_EQ(verdict["path"].size(), 2U);
  EXPECT_EQ(verdict["path"][0]["layer"], "screen");
  EXPECT_EQ(verdict["path"][0]["outcome"], "undetermined");
  EXPECT_EQ(verdict["path"][1]["name"], "low");
  EXPECT_EQ(Recorded().size(), 4U) << "recorded as any verdict";
  EXPECT_EQ(parts.judge.entered.load(), 0) << "the judge of plain checks is another one";
}

TEST_F(ServedRoutesTest, ABatchIsJudgedInOrder) {
  const Response response =
      Call("POST", "/v1/judge/batch",
           {{"contents", {{{"text", "unclear"}, {"id", "1"}}, {{"text", "bad"}, {"id", "2"}}}},
            {"route", "comments"}});
  const Json json = JsonOf(response);
  EXPECT_EQ(json["route"], "comments");
  EXPECT_EQ(json["results"][0]["verdicts"][0]["decided_by"], "reasoner");
  EXPECT_EQ(json["results"][1]["verdicts"][1]["outcome"], "violation");
}

TEST_F(ServedRoutesTest, AStreamSaysTheVerdictAlone) {
  const Response response =
      parts.Call("POST", "/v1/judge", R"({"text": "unclear", "route": "dm", "stream": true})");
  ASSERT_NE(response.stream, nullptr) << response.body;
  const std::string body = WholeBody(response);
  EXPECT_THAT(body, HasSubstr("event: verdict"));
  EXPECT_THAT(body, HasSubstr(R"("route":"dm")"));
}

TEST_F(ServedRoutesTest, PoliciesFollowTheStore) {
  Call("POST", "/v1/policies",
       {{"id", "hate"}, {"text", "# Hate\n\n## Violates\n- H9.z Whatever is bad.\n"}});
  Call("POST", "/v1/policies/hate/versions/1/promote", {{"to", "active"}},
       "/v1/policies/{id}/versions/{version}/promote");
  const Json after = Judge("fine");
  EXPECT_EQ(after["verdicts"][0]["policy_version"], "1");
  EXPECT_EQ(after["verdicts"][0]["channel"], "active");
  const Response lost = Call("POST", "/v1/judge", {{"text", "fine"}, {"route", "lost"}});
  EXPECT_EQ(lost.status, 503) << "it is the operator who has to do something";
  EXPECT_EQ(lost.problem, "route-unusable");
  EXPECT_EQ(JsonOf(lost)["pointer"], "/route");
}

TEST_F(ServedRoutesTest, WhatIsWrongIsTold) {
  const Response both =
      Call("POST", "/v1/judge", {{"text", "a"}, {"route", "comments"}, {"policies", {"hate"}}});
  EXPECT_EQ(both.status, 400);
  EXPECT_EQ(JsonOf(both)["pointer"], "/route");
  EXPECT_EQ(Call("POST", "/v1/judge", {{"text", "a"}, {"route", ""}}).status, 400);
  EXPECT_EQ(
      Call("POST", "/v1/jobs", {{"text", "a"}, {"route", "dm"}, {"policies", {"hate"}}}).status,
      400);
  for (const char* path : {"/v1/judge", "/v1/jobs"}) {
    const Response unknown = Call("POST", path, {{"text", "a"}, {"route", "coments"}});
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(unknown.problem, "unknown-route");
    EXPECT_THAT(unknown.body, HasSubstr("comments, dm, lost"));
  }
}

TEST_F(ServedRoutesTest, RoutesAreTheDefaultTenantsAlone) {
  parts.AddTenant("acme");
  NewKey acme = MakeKey("acme", {Scope::kJudge}, 0, RandomBytes(38));
  acme.key.tenant = "acme";
  parts.keys.Set({acme.key});
  const std::vector<Header> headers = {{"authorization", "Bearer " + acme.secret}};
  const Response response =
      Call("POST", "/v1/judge", {{"text", "a"}, {"route", "comments"}}, "", headers);
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("the default tenant's"));
  EXPECT_THAT(response.body, ::testing::Not(HasSubstr("dm"))) << "nor which there are";
  EXPECT_TRUE(JsonOf(Call("GET", "/v1/routes", nullptr, "", headers))["data"].empty());
}

TEST_F(ServedRoutesTest, ASlowReasonerHoldsUpNoPlainCheck) {
  std::future<Response> slow;
  {
    const std::lock_guard held(made[0]->reasoner->judge.gate);
    Request request;
    request.method = "POST";
    request.path = "/v1/judge";
    request.body = R"({"text": "unclear", "route": "comments", "timeout_ms": 60000})";
    slow = parts.Start(std::move(request));
    while (made[0]->reasoner->judge.entered.load() == 0) {
      std::this_thread::yield();
    }
    EXPECT_EQ(Call("POST", "/v1/judge", {{"text", "bad"}, {"policies", {"hate"}}}).status, 200);
    EXPECT_EQ(Call("POST", "/v1/judge", {{"text", "bad"}, {"route", "dm"}}).status, 200);
  }
  EXPECT_EQ(JsonOf(slow.get())["verdicts"][0]["decided_by"], "reasoner");
}

TEST_F(ServedRoutesTest, TheDeadlineOfARequestHoldsWhateverTheRouteDoes) {
  Response late;
  {
    const std::lock_guard held(made[0]->reasoner->judge.gate);
    late =
        Call("POST", "/v1/judge", {{"text", "unclear"}, {"route", "comments"}, {"timeout_ms", 30}});
  }
  EXPECT_EQ(JsonOf(late)["verdicts"][0]["outcome"], "undetermined");
  EXPECT_EQ(JsonOf(late)["verdicts"][0]["reason"], "timeout");
  EXPECT_EQ(TimeOf(parts.routes[0]), std::chrono::milliseconds(2250)) << "where it names none";
}

TEST_F(ServedRoutesTest, WhatIsLateIsPutOffAndSaidToBe) {
  made[0]->reasoner->takes.store(std::chrono::seconds(5));
  const Json json = Judge("unclear");
  for (const Json& verdict : json["verdicts"]) {
    EXPECT_EQ(verdict["outcome"], "undetermined") << "the screen had not decided";
    EXPECT_EQ(verdict["provisional"], true);
  }
  const auto jobs = parts.queue->List({})->jobs;
  ASSERT_EQ(jobs.size(), 2U);
  const auto judgement = JudgementOf(jobs[0].id);
  ASSERT_TRUE(judgement);
  EXPECT_EQ(judgement->route, "comments");
  EXPECT_EQ(judgement->route_file, "/routes/comments.yaml");
  EXPECT_EQ(judgement->why, "latency");
}

TEST_F(ServedRoutesTest, AJobNamesTheRouteThatJudgesIt) {
  const Response ticket =
      Call("POST", "/v1/jobs", {{"text", "unclear"}, {"route", "comments"}, {"id", "post-1"}});
  EXPECT_EQ(ticket.status, 202);
  const auto jobs = parts.queue->List({})->jobs;
  ASSERT_EQ(jobs.size(), 1U);
  const auto judgement = JudgementOf(jobs[0].id);
  ASSERT_TRUE(judgement);
  EXPECT_EQ(judgement->route, "comments");
  EXPECT_EQ(judgement->route_file, "/routes/comments.yaml");
  EXPECT_EQ(judgement->why, "asked");
  ASSERT_EQ(judgement->policies.size(), 2U);
  EXPECT_EQ(judgement->policies[0].policy.id, "hate");
  EXPECT_THAT(judgement->policies[0].text, HasSubstr("# hate")) << "it is in no store";
}

TEST_F(ServedRoutesTest, TellsWhichRoutesThereAreAndWhatTheyCounted) {
  Judge("bad");
  Judge("unclear");
  const Json list = JsonOf(Call("GET", "/v1/routes"))["data"];
  ASSERT_EQ(list.size(), 3U);
  EXPECT_TRUE(list[2]["policies"][0]["policy_version"].is_null()) << "nothing answers";
  EXPECT_EQ(list[0]["name"], "comments");
  EXPECT_EQ(list[0]["policies"][0]["policy"], "hate");
  EXPECT_EQ(list[0]["policies"][0]["severity"], 5);
  EXPECT_EQ(list[0]["unanswered"], "provisional");
  EXPECT_EQ(list[0]["time"]["budget_ms"], 2000);
  EXPECT_EQ(list[0]["layers"][1]["name"], "low");
  const Json one = JsonOf(Call("GET", "/v1/routes/comments", nullptr, "/v1/routes/{name}"));
  EXPECT_EQ(one["counters"]["decided_by_screen"], 2);
  EXPECT_EQ(one["counters"]["decided_by_reasoner"], 2);
  EXPECT_EQ(one["counters"]["asked_low"], 2);
  EXPECT_EQ(one["waiting"], 0);
  EXPECT_EQ(Call("GET", "/v1/routes/nosuch", nullptr, "/v1/routes/{name}").status, 404);

  const std::string metrics = parts.Call("GET", "/metrics").body;
  for (const char* line :
       {R"(safeguard_route_verdicts_total{layer="reasoner",route="comments"} 2)",
        R"(safeguard_route_verdicts_total{layer="screen",route="comments"} 2)",
        R"(safeguard_route_outcomes_total{outcome="violation",route="comments"} 2)",
        R"(safeguard_route_asked_total{reasoner="low",route="comments"} 2)",
        R"(safeguard_route_governor_total{answer="granted",purpose="decide",route="comments"} 2)",
        R"(safeguard_route_level{route="comments",step="shed"} 0)",
        R"(safeguard_route_waiting_contents{route="dm"} 0)",
        "# TYPE safeguard_route_verdicts_total counter"}) {
    EXPECT_THAT(metrics, HasSubstr(line));
  }
}

}  // namespace
}  // namespace safeguard::http
