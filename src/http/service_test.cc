// The API as a client sees it; every answer is held against the OpenAPI document.
#include "http/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

const OpenApiCheck& TheCheck() {
  static const OpenApiCheck check;
  return check;
}

constexpr const char* kSpam = "# Spam\n\n## Violates\n- S1 Bad.\n";

class ServiceTest : public ::testing::Test {
 protected:
  // Calls, and holds the answer against the document. `pattern` is the path there.
  Response Call(const std::string& method, const std::string& target, const Json& body = nullptr,
                std::vector<Header> headers = {}, std::string pattern = "") {
    pattern = pattern.empty() ? target.substr(0, target.find('?')) : pattern;
    std::string lower = method == "GET" ? "get" : "post";
    Response response =
        parts.Call(method, target, body.is_null() ? "" : body.dump(), std::move(headers));
    EXPECT_EQ(TheCheck().CheckResponse(lower, pattern, response), "") << method << " " << target;
    EXPECT_FALSE(FindHeader(response.headers, "x-request-id").empty());
    return response;
  }
  Response Publish(const std::string& text = kSpam) {
    return Call("POST", "/v1/policies", {{"id", "spam"}, {"text", text}});
  }
  Response Promote(int version, const Json& body, std::vector<Header> headers = {}) {
    return Call("POST", "/v1/policies/spam/versions/" + std::to_string(version) + "/promote", body,
                std::move(headers), "/v1/policies/{id}/versions/{version}/promote");
  }

  TestService parts;
};

TEST(OpenApiTest, EveryExampleIsWhatItsSchemaSays) {
  int examples = 0;
  const auto check_content = [&](const Json& holder, const std::string& where) {
    if (!holder.contains("content")) {
      return;
    }
    for (const auto& [type, content] : holder["content"].items()) {
      if (content.contains("example")) {
        ++examples;
        EXPECT_EQ(TheCheck().Check(content["schema"], content["example"]), "") << where;
      }
    }
  };
  for (const auto& [path, item] : TheCheck().document()["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      if (operation.contains("requestBody")) {
        check_content(operation["requestBody"], path + " request");
      }
      for (const auto& [status, response] : operation["responses"].items()) {
        const Json whole =
            response.contains("$ref") ? TheCheck().Resolve(response["$ref"]) : response;
        check_content(whole, path + " " + method + " " + status);
      }
    }
  }
  EXPECT_GT(examples, 40);
}

TEST_F(ServiceTest, EveryPathOfTheDocumentIsThereAndTakesItsExample) {
  for (const auto& [path, item] : TheCheck().document()["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      std::string body;
      std::vector<Header> headers;
      if (operation.contains("requestBody")) {
        const Json& content = operation["requestBody"]["content"];
        if (content.contains("application/json")) {
          body = content["application/json"]["example"].dump();
        } else {
          body = FormOf(content["multipart/form-data"]["example"]);
          headers = {{"content-type", kFormType}};
        }
      }
      std::string upper = method;
      std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
      const Response response = parts.Call(upper, path, body, headers);
      EXPECT_NE(response.problem, "no-such-path") << path;
      EXPECT_NE(response.status, 405) << path;
      EXPECT_NE(response.status, 400) << path << response.body;
      EXPECT_EQ(TheCheck().CheckResponse(method, path, response), "") << path;
    }
  }
}

TEST_F(ServiceTest, JudgesOneContentUnderPolicies) {
  const Response response =
      Call("POST", "/v1/judge",
           {{"text", "a bad one"}, {"policies", {"hate", "violence"}}, {"id", "post-1"}});
  ASSERT_EQ(response.status, 200) << response.body;
  const Json json = JsonOf(response);
  EXPECT_EQ(json["id"], "post-1");
  ASSERT_EQ(json["verdicts"].size(), 2U);
  EXPECT_EQ(json["verdicts"][1]["policy"], "violence");
  EXPECT_EQ(json["verdicts"][0]["outcome"], "violation");
  EXPECT_EQ(json["verdicts"][0]["evidence"][0]["start"], 2);
  EXPECT_FALSE(json["verdicts"][0].contains("reasoning")) << "nobody asked for it";
  const Response asked = Call("POST", "/v1/judge",
                              {{"text", "x"}, {"policies", {"hate"}}, {"include_reasoning", true}});
  EXPECT_EQ(JsonOf(asked)["verdicts"][0]["reasoning"], "let me think");
}

TEST_F(ServiceTest, WithoutPoliciesAllThatAreActiveJudge) {
  const Json json = JsonOf(Call("POST", "/v1/judge", {{"text", "a"}}));
  EXPECT_EQ(json["verdicts"].size(), 5U) << "the shipped ones, none of a pack";
}

TEST_F(ServiceTest, JudgesBatchesInOrder) {
  const Json json = JsonOf(Call(
      "POST", "/v1/judge/batch",
      {{"contents", {{{"text", "bad"}, {"id", "1"}}, {{"text", "b"}}}}, {"policies", {"hate"}}}));
  ASSERT_EQ(json["results"].size(), 2U);
  EXPECT_EQ(json["results"][0]["id"], "1");
  EXPECT_EQ(json["results"][0]["verdicts"][0]["outcome"], "violation");
  EXPECT_EQ(json["results"][1]["verdicts"][0]["outcome"], "safe");
}

TEST_F(ServiceTest, ProblemsSayWhatToDo) {
  const Response response = Call("POST", "/v1/judge", {{"text", "a"}, {"policies", {"hats"}}});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const Json json = JsonOf(response);
  EXPECT_EQ(json["type"], "urn:safeguard:problem:unknown-policy");
  EXPECT_EQ(json["pointer"], "/policies");
  EXPECT_THAT(json["hint"].get<std::string>(), HasSubstr("/v1/policies"));
  EXPECT_EQ(json["request_id"], std::string(FindHeader(response.headers, "x-request-id")));
}

TEST_F(ServiceTest, RefusesWhatIsNoRequestOfTheApi) {
  EXPECT_EQ(parts.Call("GET", "/v2/judge").status, 404);
  EXPECT_EQ(parts.Call("DELETE", "/v1/judge").status, 405);
  EXPECT_EQ(parts.Call("GET", "/v1/policies/%zz").status, 404);
  EXPECT_EQ(parts.Call("GET", "/" + std::string(10'000, 'a')).status, 404);
  EXPECT_EQ(parts.Call("GET", "").status, 404);
  EXPECT_EQ(parts.Call("POST", "/v1/judge", "{}", {{"content-type", "text/plain"}}).status, 415);
  EXPECT_EQ(parts.Call("POST", "/v1/judge", "{").status, 400);
  EXPECT_EQ(parts.Call("HEAD", "/healthz").status, 200);
}

TEST_F(ServiceTest, WithoutKeysNoWebPageCanReachItByANameOfItsOwn) {
  const std::string body = R"({"text": "a", "policies": ["hate"]})";
  EXPECT_EQ(parts.Call("POST", "/v1/judge", body, {{"host", "evil.example"}}).status, 421);
  EXPECT_EQ(parts.Call("POST", "/v1/judge", body, {{"host", "127.0.0.1.evil.example"}}).status,
            421);
  for (const char* host : {"localhost", "127.0.0.1:8080", "[::1]:8080"}) {
    EXPECT_EQ(parts.Call("POST", "/v1/judge", body, {{"host", host}}).status, 200) << host;
  }
}

TEST_F(ServiceTest, ARequestSentTwiceActsOnce) {
  const std::vector<Header> key = {{"idempotency-key", "k1"}};
  const Json body = {{"text", "bad"}, {"policies", {"hate"}}};
  const Response first = Call("POST", "/v1/judge", body, key);
  const Response second = Call("POST", "/v1/judge", body, key);
  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(FindHeader(second.headers, "idempotency-replayed"), "true");
  EXPECT_EQ(parts.judge.calls.load(), 1);
  EXPECT_EQ(*parts.log->Count({}), 1U);
  const Response other = parts.Call("POST", "/v1/judge", R"({"text": "other"})", key);
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.problem, "idempotency-key-reused");
}

TEST_F(ServiceTest, APolicyLivesItsLife) {
  const Response published = Publish();
  ASSERT_EQ(published.status, 201) << published.body;
  EXPECT_EQ(FindHeader(published.headers, "location"), "/v1/policies/spam/versions/1");
  EXPECT_EQ(Publish().status, 200) << "the same bytes are the same version";
  EXPECT_EQ(Publish(std::string(kSpam) + "- S2 Worse.\n").status, 201);
  EXPECT_EQ(Promote(1, {{"to", "active"}}).status, 200);
  EXPECT_EQ(
      JsonOf(Call("POST", "/v1/judge",
                  {{"text", "bad"}, {"policies", {"spam"}}}))["verdicts"][0]["policy_version"],
      "1");
  EXPECT_EQ(Promote(2, {{"to", "active"}, {"note", "stricter"}}).status, 200);
  const Response rolled = Call("POST", "/v1/policies/spam/rollback", {{"note", "too strict"}}, {},
                               "/v1/policies/{id}/rollback");
  EXPECT_EQ(JsonOf(rolled)["version"], 1);
  const Json shown = JsonOf(Call("GET", "/v1/policies/spam", nullptr, {}, "/v1/policies/{id}"));
  EXPECT_EQ(shown["active"], 1);
  EXPECT_EQ(shown["versions"], 2);
  const Json history =
      JsonOf(Call("GET", "/v1/policies/spam/history", nullptr, {}, "/v1/policies/{id}/history"));
  EXPECT_EQ(history["data"].size(), 5U);
  EXPECT_EQ(history["data"][4]["why"], "too strict");
  const Json version = JsonOf(Call("GET", "/v1/policies/spam/versions/2", nullptr, {},
                                   "/v1/policies/{id}/versions/{version}"));
  EXPECT_THAT(version["text"].get<std::string>(), HasSubstr("S2 Worse"));
  const Json versions =
      JsonOf(Call("GET", "/v1/policies/spam/versions", nullptr, {}, "/v1/policies/{id}/versions"));
  EXPECT_EQ(versions["data"][0]["version"], 2) << "newest first";
}

TEST_F(ServiceTest, AStepThatIsNotLegalIsAConflict) {
  Publish();
  EXPECT_EQ(
      Call("POST", "/v1/policies/spam/rollback", nullptr, {}, "/v1/policies/{id}/rollback").status,
      409);
  EXPECT_EQ(Promote(1, {{"to", "canary"}}).status, 400) << "of how many percent?";
  EXPECT_EQ(Promote(7, {{"to", "active"}}).status, 404);
  EXPECT_EQ(Call("POST", "/v1/policies", {{"id", "no/slash"}, {"text", kSpam}}).status, 422);
}

TEST_F(ServiceTest, EtagsKeepTwoPeopleFromOverwritingEachOther) {
  Publish();
  const Response seen = Call("GET", "/v1/policies/spam", nullptr, {}, "/v1/policies/{id}");
  const std::string etag(FindHeader(seen.headers, "etag"));
  ASSERT_FALSE(etag.empty());
  EXPECT_EQ(
      Call("GET", "/v1/policies/spam", nullptr, {{"if-none-match", etag}}, "/v1/policies/{id}")
          .status,
      304);
  EXPECT_EQ(Promote(1, {{"to", "shadow"}}, {{"if-match", etag}}).status, 200);
  const Response late = Promote(1, {{"to", "active"}}, {{"if-match", etag}});
  EXPECT_EQ(late.status, 412);
  EXPECT_EQ(late.problem, "changed-meanwhile");
}

TEST_F(ServiceTest, ListsByPages) {
  Publish();
  std::vector<std::string> ids;
  std::string cursor;
  do {
    const Json page =
        JsonOf(Call("GET", "/v1/policies?limit=4" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const Json& policy : page["data"]) {
      ids.push_back(policy["id"]);
    }
    cursor = page["next_cursor"].is_null() ? "" : page["next_cursor"].get<std::string>();
  } while (!cursor.empty());
  EXPECT_EQ(ids.size(), 14U);
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_EQ(Call("GET", "/v1/policies?limit=0").status, 400);
  EXPECT_EQ(Call("GET", "/v1/policies?limt=1").status, 400);
}

TEST_F(ServiceTest, TheLogIsReadByPages) {
  for (int i = 0; i < 5; ++i) {
    Call("POST", "/v1/judge", {{"text", i % 2 == 0 ? "bad" : "fine"}, {"policies", {"hate"}}});
  }
  const Json first = JsonOf(Call("GET", "/v1/verdicts?limit=2&outcome=violation"));
  ASSERT_EQ(first["data"].size(), 2U);
  EXPECT_FALSE(first["data"][0].contains("text")) << "content stays out";
  const Json second = JsonOf(Call("GET", "/v1/verdicts?limit=2&outcome=violation&cursor=" +
                                             first["next_cursor"].get<std::string>()));
  EXPECT_EQ(second["data"].size(), 1U);
  EXPECT_TRUE(second["next_cursor"].is_null());
  EXPECT_EQ(Call("GET", "/v1/verdicts?outcome=fine").status, 400);
  EXPECT_EQ(Call("GET", "/v1/verdicts?cursor=-1").status, 400);
  EXPECT_EQ(Call("GET", "/v1/verdicts?from=yesterday").status, 400);
}

TEST_F(ServiceTest, AVerdictHasAReceipt) {
  const Json judged =
      JsonOf(Call("POST", "/v1/judge", {{"text", "a bad one"}, {"policies", {"hate"}}}));
  ASSERT_EQ(judged["verdicts"].size(), 1U);
  const Json record = JsonOf(Call("GET", "/v1/verdicts"))["data"][0];
  const std::string id = record["sequence"].dump();
  const auto receipt_of = [&](const std::string& sequence) {
    return Call("GET", "/v1/verdicts/" + sequence + "/receipt", nullptr, {},
                "/v1/verdicts/{id}/receipt");
  };
  const Response response = receipt_of(id);
  ASSERT_EQ(response.status, 200) << response.body;
  const Json receipt = Json::parse(response.body);
  EXPECT_EQ(receipt["content"]["hash"], record["content_hash"]);
  EXPECT_EQ(receipt["verdict"]["outcome"], judged["verdicts"][0]["outcome"]);
  EXPECT_EQ(receipt["policy"]["hash"], judged["verdicts"][0]["policy_hash"]);
  EXPECT_EQ(response.body.find("a bad one"), std::string::npos) << "the content stays out";
  const auto signature = moderation::CheckReceiptSignature(response.body);
  ASSERT_TRUE(signature);
  EXPECT_EQ(signature->state, moderation::SignatureState::kValid);
  EXPECT_EQ(signature->key, parts.key.public_key);
  EXPECT_EQ(receipt_of("999").status, 404);
  EXPECT_EQ(receipt_of("1x").status, 404);
  EXPECT_EQ(receipt_of("0").status, 404);
}

TEST_F(ServiceTest, ModerationsAnswersInOpenAisShape) {
  const Response response = Call("POST", "/v1/moderations", {{"input", {"a bad one", "fine"}}});
  ASSERT_EQ(response.status, 200) << response.body;
  const Json json = JsonOf(response);
  ASSERT_EQ(json["results"].size(), 2U);
  EXPECT_EQ(json["results"][0]["categories"].size(), 13U);
  EXPECT_EQ(json["results"][0]["flagged"], true);
  EXPECT_EQ(json["results"][0]["categories"]["hate/threatening"], true);
  EXPECT_EQ(json["results"][1]["flagged"], false);
  EXPECT_EQ(json["results"][1]["safety"]["verdicts"]["hate"]["outcome"], "safe");
}

TEST_F(ServiceTest, OwnCategoriesStandBesideOpenAis) {
  Publish();
  Promote(1, {{"to", "active"}});
  const Json json = JsonOf(
      Call("POST", "/v1/moderations", {{"input", "bad"}, {"safety", {{"policies", {"spam"}}}}}));
  EXPECT_EQ(json["results"][0]["categories"]["spam"], true);
  EXPECT_EQ(json["results"][0]["categories"].size(), 14U);
}

TEST_F(ServiceTest, WhatIsUndecidedIsNeverCalledSafeUnlessSomebodyAskedForIt) {
  const auto ask = [&](const Json& safety) {
    Json body = {{"input", "unclear"}};
    if (!safety.is_null()) {
      body["safety"] = safety;
    }
    return Call("POST", "/v1/moderations", body);
  };
  const Json flagged = JsonOf(ask(nullptr))["results"][0];
  EXPECT_EQ(flagged["flagged"], true);
  EXPECT_EQ(flagged["safety"]["undetermined"].size(), 13U);
  const Json passed = JsonOf(ask({{"on_undetermined", "pass"}}))["results"][0];
  EXPECT_EQ(passed["flagged"], false);
  EXPECT_EQ(passed["safety"]["on_undetermined"], "pass");
  const Response refused = ask({{"on_undetermined", "error"}});
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(JsonOf(refused)["error"]["message"].is_string()) << "OpenAI's clients read this";
}

TEST_F(ServiceTest, OneModelAnswers) {
  EXPECT_EQ(JsonOf(Call("GET", "/v1/models"))["data"][0]["id"], "safeguard-screen");
  EXPECT_EQ(Call("GET", "/v1/models/safeguard-screen", nullptr, {}, "/v1/models/{id}").status, 200);
  EXPECT_EQ(Call("GET", "/v1/models/gpt", nullptr, {}, "/v1/models/{id}").status, 404);
}

TEST_F(ServiceTest, SaysWhetherItIsReady) {
  EXPECT_EQ(Call("GET", "/readyz").status, 200);
  parts.service->SetReady(false);
  EXPECT_EQ(Call("GET", "/readyz").status, 503);
  EXPECT_EQ(Call("GET", "/health").status, 503);
  EXPECT_EQ(Call("GET", "/healthz").status, 200);
}

TEST_F(ServiceTest, CountsVerdictsByPolicyAndOutcome) {
  Call("POST", "/v1/judge", {{"text", "bad"}, {"policies", {"hate"}}});
  const Response metrics = Call("GET", "/metrics");
  EXPECT_THAT(metrics.body, HasSubstr("safety_verdicts_total{channel=\"direct\",layer=\"screen\","
                                      "policy=\"hate\",verdict=\"violation\",version=\"1\"} 1"));
  EXPECT_THAT(metrics.body, HasSubstr("safety_unscanned_total 0"));
}

TEST_F(ServiceTest, LogsALineOfJsonForEachRequestAndNeverItsContent) {
  Call("POST", "/v1/judge", {{"text", "a bad secret"}, {"policies", {"hate"}}},
       {{"x-request-id", "mine-1"},
        {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});
  parts.Call("POST", "/v1/judge", R"({"text": "a bad secret", "x": 1})",
             {{"x-request-id", "not\nmine"}});
  const std::vector<std::string> lines = parts.LogLines();
  ASSERT_EQ(lines.size(), 2U);
  for (const std::string& line : lines) {
    EXPECT_THAT(line, Not(HasSubstr("secret")));
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
  const Json first = Json::parse(lines[0]);
  EXPECT_EQ(first["request_id"], "mine-1");
  EXPECT_EQ(first["trace_id"], "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(first["route"], "/v1/judge");
  EXPECT_EQ(first["status"], 200);
  EXPECT_EQ(Json::parse(lines[1])["problem"], "invalid-request");
}

TEST(ServiceWithoutStoreTest, JudgesButKeepsNothing) {
  TestService parts({.with_store = false});
  EXPECT_EQ(parts.Call("POST", "/v1/judge", R"({"text": "bad"})").status, 200);
  for (const Response& refused :
       {parts.Call("POST", "/v1/policies", R"({"text": "# A\n"})"),
        parts.Call("GET", "/v1/verdicts"), parts.Call("POST", "/v1/policies/hate/rollback")}) {
    EXPECT_EQ(refused.problem, "no-store");
    EXPECT_THAT(refused.body, HasSubstr("--data-dir"));
  }
  EXPECT_EQ(JsonOf(parts.Call("GET", "/v1/policies/hate"))["source"], "shipped");
}

class ServiceWithKeysTest : public ::testing::Test {
 protected:
  std::string Add(std::set<Scope> scopes, int per_minute = 0) {
    NewKey made = MakeKey("k", std::move(scopes), parts.now.load(), RandomBytes(38));
    made.key.requests_per_minute = per_minute;
    kept.push_back(made.key);
    parts.keys.Set(kept);
    return made.secret;
  }
  int Status(const std::string& secret, const std::string& method, const std::string& path,
             const std::string& body = "") {
    std::vector<Header> headers;
    if (!secret.empty()) {
      headers.push_back({"authorization", "Bearer " + secret});
    }
    return parts.Call(method, path, body, headers).status;
  }

  TestService parts{{.keys_required = true}};
  std::vector<ApiKey> kept;
};

TEST_F(ServiceWithKeysTest, EachScopeOpensItsPartAndNoOther) {
  const std::string judge = Add({Scope::kJudge});
  const std::string writer = Add({Scope::kPolicyWrite});
  const std::string reviewer = Add({Scope::kReview});
  const std::string admin = Add({Scope::kAdmin});
  const std::string content = R"({"text": "a", "policies": ["hate"]})";
  const std::string policy = R"({"id": "spam", "text": "# Spam\n"})";
  struct Case {
    std::string key;
    int judge, publish, verdicts, list;
  };
  for (const Case& one : {Case{judge, 200, 403, 403, 200}, Case{writer, 403, 201, 403, 200},
                          Case{reviewer, 403, 403, 200, 200}, Case{admin, 200, 200, 200, 200},
                          Case{"", 401, 401, 401, 401}, Case{"sg_wrong", 401, 401, 401, 401}}) {
    EXPECT_EQ(Status(one.key, "POST", "/v1/judge", content), one.judge);
    EXPECT_EQ(Status(one.key, "POST", "/v1/policies", policy), one.publish);
    EXPECT_EQ(Status(one.key, "GET", "/v1/verdicts"), one.verdicts);
    EXPECT_EQ(Status(one.key, "GET", "/v1/policies"), one.list);
  }
  EXPECT_EQ(Status("", "GET", "/healthz"), 200);
  EXPECT_EQ(Status("", "GET", "/metrics"), 401);
}

TEST_F(ServiceWithKeysTest, AQuotaIsAnswered429WithHowLongToWait) {
  const std::string key = Add({Scope::kJudge}, 1);
  EXPECT_EQ(Status(key, "GET", "/v1/models"), 200);
  const Response response =
      parts.Call("GET", "/v1/models", "", {{"authorization", "Bearer " + key}});
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(FindHeader(response.headers, "retry-after"), "60");
}

TEST_F(ServiceWithKeysTest, AnIdempotencyKeyBelongsToItsCaller) {
  const std::string one = Add({Scope::kJudge});
  const std::string two = Add({Scope::kJudge});
  const std::string body = R"({"text": "a", "policies": ["hate"]})";
  for (const std::string& key : {one, two}) {
    const Response response = parts.Call(
        "POST", "/v1/judge", body, {{"authorization", "Bearer " + key}, {"idempotency-key", "k"}});
    EXPECT_TRUE(FindHeader(response.headers, "idempotency-replayed").empty());
  }
}

TEST_F(ServiceTest, TheFirstKeyLocksALocalServer) {
  EXPECT_EQ(parts.Call("GET", "/v1/models").status, 200);
  parts.keys.Set({MakeKey("k", {Scope::kJudge}, 1, RandomBytes(38)).key});
  EXPECT_EQ(parts.Call("GET", "/v1/models").status, 401);
}

TEST(OverloadTest, IsAnswered429) {
  TestService parts({.judging = {.queue_contents_max = 1}});
  std::unique_lock gate(parts.judge.gate);
  Request request;
  request.method = "POST";
  request.path = "/v1/judge";
  request.body = R"({"text": "a", "policies": ["hate"], "timeout_ms": 60000})";
  auto first = parts.Start(request);
  while (parts.judge.entered.load() < 1) {
    std::this_thread::yield();
  }
  auto second = parts.Start(request);
  const Response third = parts.Start(request).get();
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(FindHeader(third.headers, "retry-after"), "1");
  gate.unlock();
  EXPECT_EQ(first.get().status, 200);
  EXPECT_EQ(second.get().status, 200);
}

}  // namespace
}  // namespace safeguard::http
