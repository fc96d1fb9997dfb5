// Two tenants on one server: whatever one of them makes, the other neither sees nor reaches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr const char* kPolicy = "# Teapots\n\n## Violates\n- T1 Names a teapot of acme's.\n";

constexpr const char* kBatchLine =
    R"({"custom_id": "1", "method": "POST", "url": "/v1/moderations", "body": {"input": "a"}})";

class TenantsTest : public ::testing::Test {
 protected:
  TenantsTest() : parts({.keys_required = true}) {
    for (const char* tenant : {"acme", "bolt"}) {
      parts.AddTenant(tenant);
    }
    acme = AddKey("acme");
    bolt = AddKey("bolt");
    both = AddKey("*");
    own = AddKey("default");
    parts.keys.Set(list);
  }

  std::string AddKey(const std::string& tenant) {
    NewKey made = MakeKey(tenant, {Scope::kAdmin}, 0, RandomBytes(38));
    made.key.tenant = tenant;
    list.push_back(made.key);
    return made.secret;
  }

  Response Call(const std::string& key, const std::string& method, const std::string& target,
                const Json& body = nullptr, std::vector<Header> headers = {}) {
    headers.push_back({"authorization", "Bearer " + key});
    return parts.Call(method, target, body.is_null() ? "" : body.dump(), std::move(headers));
  }

  // What acme makes of everything that can be made; each by its path.
  struct Made {
    std::string job;
    std::string review;
    std::string file;
    std::string batch;
    std::string dataset;
    std::string run;
  };
  Made MakeEverything() {
    EXPECT_EQ(Call(acme, "POST", "/v1/policies", {{"id", "teapots"}, {"text", kPolicy}}).status,
              201);
    EXPECT_EQ(
        Call(acme, "POST", "/v1/policies/teapots/versions/1/promote", {{"to", "active"}}).status,
        200);
    EXPECT_EQ(Call(acme, "POST", "/v1/judge",
                   {{"text", "a bad secret"}, {"policies", {"teapots"}}, {"id", "post-of-acme"}})
                  .status,
              200);
    const Json job =
        JsonOf(Call(acme, "POST", "/v1/jobs", {{"text", "a bad one"}, {"policies", {"teapots"}}}));
    const Json review =
        JsonOf(Call(acme, "POST", "/v1/reviews", {{"text", "unclear"}, {"policy", "teapots"}}));
    const Json file = JsonOf(Send("/v1/files", {{"purpose", "batch"}, {"file", kBatchLine}}));
    const Json batch = JsonOf(Call(acme, "POST", "/v1/batches",
                                   {{"input_file_id", file.at("id")},
                                    {"endpoint", "/v1/moderations"},
                                    {"completion_window", "24h"}}));
    const Json dataset =
        JsonOf(Send("/v1/datasets", {{"file", "bad\ngood\n"}, {"name", "of acme"}}));
    const Json run = JsonOf(Call(acme, "POST", "/v1/eval/runs",
                                 {{"dataset", dataset.at("dataset")}, {"policies", {"teapots"}}}));
    return {job.at("job"),  review.at("review"),   file.at("id"),
            batch.at("id"), dataset.at("dataset"), run.at("run")};
  }
  Response Send(const std::string& path, const Json& fields) {
    return parts.Call("POST", path, FormOf(fields),
                      {{"content-type", kFormType}, {"authorization", "Bearer " + acme}});
  }

  TestService parts;
  std::vector<ApiKey> list;
  std::string acme;
  std::string bolt;
  std::string both;
  std::string own;
};

TEST_F(TenantsTest, WhatOneTenantMakesIsNotThereForAnother) {
  const Made made = MakeEverything();
  const std::vector<std::string> items = {"/v1/policies/teapots",
                                          "/v1/policies/teapots/versions",
                                          "/v1/policies/teapots/versions/1",
                                          "/v1/policies/teapots/history",
                                          "/v1/jobs/" + made.job,
                                          "/v1/policies/teapots/versions/1/shadow",
                                          "/v1/reviews/" + made.review,
                                          "/v1/files/" + made.file,
                                          "/v1/files/" + made.file + "/content",
                                          "/v1/batches/" + made.batch,
                                          "/v1/datasets/" + made.dataset,
                                          "/v1/eval/runs/" + made.run};
  for (const std::string& item : items) {
    EXPECT_EQ(Call(acme, "GET", item).status, 200) << item;
    for (const std::string& other : {bolt, own}) {
      EXPECT_EQ(Call(other, "GET", item).status, 404) << item << ", and not 403: it is not there";
    }
  }
  for (const std::string& other : {bolt, own}) {
    for (const std::string& change :
         {std::string("/v1/policies/teapots/versions/1/promote"),
          std::string("/v1/policies/teapots/versions/1/approve"), "/v1/jobs/" + made.job + "/retry",
          "/v1/reviews/" + made.review + "/decision", "/v1/batches/" + made.batch + "/cancel"}) {
      Json body = Json::object();
      if (change.ends_with("promote")) {
        body = {{"to", "retired"}};
      } else if (change.ends_with("decision")) {
        body = {{"lease", 1}, {"outcome", "safe"}};
      }
      EXPECT_EQ(Call(other, "POST", change, body).status, 404) << change;
    }
    EXPECT_EQ(Call(other, "POST", "/v1/judge", {{"text", "a"}, {"policies", {"teapots"}}}).status,
              404);
    EXPECT_EQ(Call(other, "POST", "/v1/reviews/next").status, 204) << "acme's waits for acme";
    for (const std::string& item : {"/v1/files/" + made.file, "/v1/datasets/" + made.dataset}) {
      EXPECT_EQ(Call(other, "DELETE", item).status, 404) << item;
    }
    EXPECT_EQ(
        Call(other, "POST", "/v1/eval/runs", {{"dataset", made.dataset}, {"policies", {"hate"}}})
            .status,
        404);
  }
}

// Every GET of the document that takes no id: a list, an export, a count.
TEST_F(TenantsTest, NoListOfAnotherTenantTellsAnythingOfIt) {
  const Made made = MakeEverything();
  const OpenApiCheck document;
  int lists = 0;
  for (const auto& [path, item] : document.document()["paths"].items()) {
    if (!item.contains("get") || path.find('{') != std::string::npos || path == "/openapi.json") {
      continue;
    }
    ++lists;
    for (const std::string& other : {bolt, own}) {
      const Response response = Call(other, "GET", path);
      for (const std::string& secret :
           {std::string("teapots"), std::string("post-of-acme"), std::string("acme"), made.job,
            "\"id\":" + made.review + ",", "\"id\":\"" + made.review + "\"", made.file, made.batch,
            made.dataset, made.run}) {
        EXPECT_THAT(response.body, Not(HasSubstr(secret))) << path;
      }
    }
  }
  EXPECT_GT(lists, 8);
  for (const char* path :
       {"/v1/policies", "/v1/verdicts", "/v1/verdicts/export", "/v1/jobs", "/v1/reviews",
        "/v1/files", "/v1/batches", "/v1/datasets", "/v1/eval/runs"}) {
    EXPECT_GT(Call(acme, "GET", path).body.size(), Call(bolt, "GET", path).body.size()) << path;
  }
}

TEST_F(TenantsTest, TheSameNameIsAnotherThingForEachTenant) {
  const auto publish = [&](const std::string& key, const std::string& rule) {
    EXPECT_EQ(Call(key, "POST", "/v1/policies",
                   {{"id", "spam"}, {"text", "# Spam\n\n## Violates\n- " + rule + "\n"}})
                  .status,
              201);
    Call(key, "POST", "/v1/policies/spam/versions/1/promote", {{"to", "active"}});
    const Response judged = Call(key, "POST", "/v1/judge", {{"text", "a"}, {"policies", {"spam"}}},
                                 {{"idempotency-key", "the same"}});
    return JsonOf(judged)["verdicts"][0]["policy_hash"].get<std::string>();
  };
  EXPECT_NE(publish(acme, "S1 One."), publish(bolt, "S1 Another."));
  EXPECT_EQ(*parts.tenants["acme"]->log->Count({}), 1U);
  EXPECT_EQ(*parts.tenants["bolt"]->log->Count({}), 1U);
  EXPECT_EQ(*parts.log->Count({}), 0U);
}

TEST_F(TenantsTest, EmbeddedPoliciesAreSeenByAll) {
  for (const std::string& key : {acme, bolt, own}) {
    EXPECT_EQ(Call(key, "GET", "/v1/policies/hate").status, 200);
    EXPECT_EQ(Call(key, "POST", "/v1/judge", {{"text", "a"}, {"policies", {"hate"}}}).status, 200);
  }
}

TEST_F(TenantsTest, AKeyOfAllTenantsSaysWhichOne) {
  const Made made = MakeEverything();
  const std::string job = "/v1/jobs/" + made.job;
  EXPECT_EQ(Call(both, "GET", job).status, 404) << "without a word it is the default tenant";
  EXPECT_EQ(Call(both, "GET", job, nullptr, {{"x-safeguard-tenant", "acme"}}).status, 200);
  EXPECT_EQ(Call(both, "GET", job, nullptr, {{"x-safeguard-tenant", "bolt"}}).status, 404);
  EXPECT_EQ(Call(both, "GET", job, nullptr, {{"x-safeguard-tenant", "none"}}).problem,
            "unknown-tenant");
  EXPECT_EQ(Call(both, "GET", job, nullptr, {{"x-safeguard-tenant", "../acme"}}).status, 400);
  EXPECT_EQ(Call(both, "GET", "/metrics").status, 200);
}

TEST_F(TenantsTest, AKeyOfOneTenantReachesNoOther) {
  const Made made = MakeEverything();
  const std::string job = "/v1/jobs/" + made.job;
  const Response asked = Call(bolt, "GET", job, nullptr, {{"x-safeguard-tenant", "acme"}});
  EXPECT_EQ(asked.problem, "tenant-not-yours") << "whether acme is there or not";
  EXPECT_EQ(Call(bolt, "GET", job, nullptr, {{"x-safeguard-tenant", "none"}}).problem,
            "tenant-not-yours");
  EXPECT_EQ(Call(bolt, "GET", "/v1/jobs", nullptr, {{"x-safeguard-tenant", "bolt"}}).status, 200);
  EXPECT_EQ(Call(bolt, "GET", "/metrics").problem, "metrics-of-all-tenants");
}

TEST_F(TenantsTest, ATenantThatIsNotOpenYetIsNotAnsweredWithAnothersData) {
  list.push_back(MakeKey("new", {Scope::kAdmin}, 0, RandomBytes(38)).key);
  const std::string late = AddKey("late");
  parts.keys.Set(list);
  const Response response = Call(late, "GET", "/v1/policies");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.problem, "tenant-not-open");
  parts.AddTenant("late");
  EXPECT_EQ(Call(late, "GET", "/v1/policies").status, 200);
}

TEST_F(TenantsTest, ATalkSharesNoCacheWithAnotherTenants) {
  const Json talk = {{"model", parts.chat.name()},
                     {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  for (const auto& [key, tenant] : {std::pair(acme, "acme"), std::pair(bolt, "bolt")}) {
    EXPECT_EQ(Call(key, "POST", "/v1/chat/completions", talk).status, 200);
    EXPECT_EQ(parts.chat.questions.back().tenant, tenant);
  }
}

TEST_F(TenantsTest, QuotasAreToldWithEveryAnswer) {
  NewKey made = MakeKey("counted", {Scope::kJudge}, 0, RandomBytes(38));
  made.key.requests_per_minute = 2;
  made.key.tokens_per_minute = 1000;
  list.push_back(made.key);
  parts.keys.Set(list);
  const Json question = {{"text", std::string(400, 'x')}, {"policies", {"hate"}}};
  const Response first = Call(made.secret, "POST", "/v1/judge", question);
  EXPECT_EQ(FindHeader(first.headers, "x-ratelimit-remaining-requests"), "1");
  EXPECT_LT(std::stoi(std::string(FindHeader(first.headers, "x-ratelimit-remaining-tokens"))), 900);
  Call(made.secret, "POST", "/v1/judge", question);
  const Response third = Call(made.secret, "POST", "/v1/judge", question);
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(FindHeader(third.headers, "retry-after"), "30");
  EXPECT_EQ(FindHeader(third.headers, "x-ratelimit-remaining-requests"), "0");
}

TEST(GaugesByTenant, AreReadWhenTheyAreAskedFor) {
  Metrics metrics;
  std::map<std::string, double> jobs = {{"default", 1}};
  metrics.SetGauges("jobs", "Jobs", "tenant", [&] { return jobs; });
  EXPECT_THAT(metrics.Text(), ::testing::HasSubstr("jobs{tenant=\"default\"} 1"));
  jobs = {{"default", 2}, {"acme", 3}};
  const std::string text = metrics.Text();
  EXPECT_THAT(text, ::testing::HasSubstr("jobs{tenant=\"default\"} 2"));
  EXPECT_THAT(text, ::testing::HasSubstr("jobs{tenant=\"acme\"} 3"));
}

}  // namespace
}  // namespace safeguard::http
