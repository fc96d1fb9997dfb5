// Datasets and evaluations over HTTP; every answer is held against the OpenAPI document. Who works
// on a run is played by the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/api/eval_run.h"
#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class EvalRoutesTest : public ::testing::Test {
 protected:
  Response Call(const std::string& method, const std::string& target, const std::string& pattern,
                const Json& body = nullptr) {
    return Checked(method, pattern, parts.Call(method, target, body.is_null() ? "" : body.dump()));
  }
  Response Checked(std::string method, const std::string& pattern, Response response) {
    static const OpenApiCheck check;
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
    EXPECT_EQ(check.CheckResponse(method, pattern, response), "") << method << " " << pattern;
    return response;
  }
  Response Upload(const std::string& bytes, const std::string& mapping = "") {
    Json form = {{"file", bytes}, {"name", "mine"}};
    if (!mapping.empty()) {
      form["mapping"] = mapping;
    }
    return Checked("POST", "/v1/datasets",
                   parts.Call("POST", "/v1/datasets", FormOf(form), {{"content-type", kFormType}}));
  }
  Response Start(const Json& body) { return Call("POST", "/v1/eval/runs", "/v1/eval/runs", body); }
  Json Show(const std::string& id) {
    return JsonOf(Call("GET", "/v1/eval/runs/" + id, "/v1/eval/runs/{id}"));
  }
  Response Report(const std::string& id, const std::string& query) {
    return Call("GET", "/v1/eval/runs/" + id + "/report" + query, "/v1/eval/runs/{id}/report");
  }

  TestService parts;
  std::string dataset = JsonOf(Upload("bad\ngood\ngood\n"))["dataset"];
};

TEST_F(EvalRoutesTest, ADatasetIsReadBeforeItIsKept) {
  const Json shown = JsonOf(Call("GET", "/v1/datasets/" + dataset, "/v1/datasets/{id}"));
  EXPECT_EQ(shown["name"], "mine");
  EXPECT_EQ(shown["records"], 3);
  EXPECT_EQ(shown["violations"], 1);
  const Response refused = Upload("good\n");
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.problem, "not-a-dataset");
  EXPECT_EQ(JsonOf(Call("GET", "/v1/datasets", "/v1/datasets"))["data"].size(), 1U);
  EXPECT_EQ(Call("DELETE", "/v1/datasets/" + dataset, "/v1/datasets/{id}").status, 200);
  EXPECT_EQ(Call("GET", "/v1/datasets/" + dataset, "/v1/datasets/{id}").status, 404);
  EXPECT_EQ(Start({{"dataset", dataset}, {"policies", {"hate"}}}).status, 404);
}

TEST_F(EvalRoutesTest, AMappingIsKeptWithItsDataset) {
  const Response sent = Upload("ugly\ngood\n", R"({"positive": ["ugly"], "text": "body"})");
  ASSERT_EQ(sent.status, 201) << sent.body;
  const std::string id = JsonOf(sent)["dataset"];
  const Json shown = JsonOf(Call("GET", "/v1/datasets/" + id, "/v1/datasets/{id}"));
  EXPECT_EQ(shown["mapping"], Json::parse(R"({"text": "body", "positive": ["ugly"]})"));
  EXPECT_EQ(shown["violations"], 1) << "read again as it was sent";
  EXPECT_EQ(JsonOf(Call("GET", "/v1/datasets/" + dataset, "/v1/datasets/{id}"))["mapping"],
            nullptr);
  const Response none = Upload("good\n", R"({"positive": ["ugly"]})");
  EXPECT_EQ(none.status, 422);
  EXPECT_EQ(none.problem, "wrong-mapping");
  EXPECT_EQ(JsonOf(none)["pointer"], "/mapping");
}

TEST_F(EvalRoutesTest, AMappingThatCannotBeIsSaidWithItsPlace) {
  const auto refused = [&](const std::string& mapping) {
    const Response response = Upload("bad\n", mapping);
    EXPECT_EQ(response.status, 400) << response.body;
    EXPECT_NE(JsonOf(response)["hint"], "");
    return JsonOf(response)["pointer"].get<std::string>();
  };
  EXPECT_EQ(refused("text=body"), "/mapping");
  EXPECT_EQ(refused("[1]"), "/mapping");
  EXPECT_EQ(refused(R"({"txt": "body"})"), "/mapping/txt");
  EXPECT_EQ(refused(R"({"text": 1})"), "/mapping/text");
  EXPECT_EQ(refused(R"({"text": "a", "prompt": "b"})"), "/mapping/text");
  EXPECT_EQ(refused(R"({"messages": "a", "prompt": "b"})"), "/mapping/messages");
  EXPECT_EQ(refused(R"({"label": "a", "labels": ["b"]})"), "/mapping/labels");
  EXPECT_EQ(refused(R"({"positive": ["a"], "negative": ["b", "a"]})"), "/mapping/negative");
  EXPECT_EQ(refused(R"({"positive": "a"})"), "/mapping/positive");
  EXPECT_EQ(refused("{\"text\": \"" + std::string(kMappingBytesMax, 'x') + "\"}"), "/mapping");
}

TEST_F(EvalRoutesTest, ARunIsAJobWithReports) {
  const Response started =
      Start({{"dataset", dataset}, {"policies", {"hate", "violence"}}, {"judge", "screen"}});
  ASSERT_EQ(started.status, 202) << started.body;
  const std::string id = JsonOf(started)["run"];
  EXPECT_EQ(Show(id)["state"], "waiting");
  EXPECT_EQ(Show(id)["progress"], nullptr);
  EXPECT_EQ(Show(id)["dataset_name"], "mine");
  EXPECT_EQ(Report(id, "").status, 409);
  EXPECT_EQ(JsonOf(Call("GET", "/v1/jobs", "/v1/jobs"))["data"].size(), 0U)
      << "a run is none of the judgements";

  const auto leases = parts.queue->Take({.kinds = {kEvalJob}, .worker = "w"}, parts.now).value();
  ASSERT_EQ(leases.size(), 1U);
  const EvalRun run = EvalRunOf(leases[0].job.what.payload).value();
  EXPECT_EQ(run.policies.at(1).policy.id, "violence");
  EXPECT_THAT(run.policies.at(1).text, HasSubstr("X1.a")) << "shipped ones bring their text";
  ASSERT_TRUE(parts.queue->Save(leases[0], EvalProgress(1, 3)));
  EXPECT_EQ(Show(id)["progress"]["done"], 1);
  std::vector<EvalReport> reports;
  for (const EvalPolicy& policy : run.policies) {
    EvalReport report;
    report.policy = policy.policy;
    report.cases = 3;
    report.f1 = 0.5;
    report.json_file = parts.files
                           ->Add({kSharedOwner, kReportPurpose, "r.json",
                                  R"({"of": ")" + policy.policy.id + "\"}"},
                                 1)
                           ->id;
    report.html_file =
        parts.files->Add({kSharedOwner, kReportPurpose, "r.html", "<html></html>"}, 1)->id;
    reports.push_back(report);
  }
  ASSERT_TRUE(parts.queue->Complete(leases[0], ResultOf(run, reports), {}, parts.now));
  const Json done = Show(id);
  EXPECT_EQ(done["state"], "done");
  EXPECT_EQ(done["reports"][0]["f1"], 0.5);
  EXPECT_EQ(done["reports"][0]["recall"], nullptr);
  EXPECT_EQ(JsonOf(Report(id, "?policy=violence"))["of"], "violence");
  const Response html = Report(id, "?format=html&policy=hate");
  EXPECT_EQ(html.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(std::string(FindHeader(html.headers, "content-security-policy")),
              HasSubstr("default-src 'none'"));
  EXPECT_EQ(Report(id, "").status, 400) << "which of the two?";
  EXPECT_EQ(Report(id, "?policy=hate&format=pdf").status, 400);
  EXPECT_EQ(JsonOf(Call("GET", "/v1/eval/runs?state=done", "/v1/eval/runs"))["data"].size(), 1U);
}

TEST_F(EvalRoutesTest, WhatCannotBeMeasuredIsSaidAtOnce) {
  EXPECT_EQ(Start({{"dataset", dataset}, {"policies", {"hats"}}}).status, 404);
  EXPECT_EQ(Start({{"dataset", "file-none"}, {"policies", {"hate"}}}).status, 404);
  EXPECT_EQ(Start({{"dataset", dataset}}).status, 400);
  EXPECT_EQ(Start({{"dataset", dataset}, {"policies", {"hate"}}, {"judge", "oracle"}}).status, 400);
  EXPECT_EQ(Call("GET", "/v1/eval/runs/j0", "/v1/eval/runs/{id}").status, 404);
  const std::string job = JsonOf(parts.Call("POST", "/v1/jobs", R"({"text": "x"})"))["job"];
  EXPECT_EQ(Call("GET", "/v1/eval/runs/" + job, "/v1/eval/runs/{id}").status, 404)
      << "another kind of job";
}

TEST_F(EvalRoutesTest, ARunIsCancelledOnceAndForAll) {
  const auto cancel = [&](const std::string& id) {
    return Call("POST", "/v1/eval/runs/" + id + "/cancel", "/v1/eval/runs/{id}/cancel");
  };
  const Json body = {{"dataset", dataset}, {"policies", {"hate"}}};
  const std::string waiting = JsonOf(Start(body))["run"];
  const std::string under_way = JsonOf(Start(body))["run"];
  const Json cancelled = JsonOf(cancel(waiting));
  EXPECT_EQ(cancelled["state"], "cancelled");
  EXPECT_EQ(cancelled["problem"], "cancelled by local");
  EXPECT_EQ(cancelled["progress"], nullptr);
  const auto leases = parts.queue->Take({.kinds = {kEvalJob}, .worker = "w"}, parts.now).value();
  ASSERT_EQ(leases.size(), 1U) << "nobody gets the cancelled one";
  ASSERT_TRUE(parts.queue->Save(leases[0], EvalProgress(1, 3)));
  EXPECT_EQ(cancel(under_way).status, 200);
  EXPECT_EQ(Show(under_way)["progress"]["done"], 1) << "how far it had come";
  EXPECT_EQ(Show(under_way)["dataset_name"], "mine");
  EXPECT_FALSE(parts.queue->Extend(leases[0], parts.now)) << "its worker learns of it";

  const Response again = cancel(under_way);
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.problem, "not-allowed-now");
  EXPECT_THAT(again.body, HasSubstr("is cancelled already"));
  EXPECT_EQ(Report(under_way, "").status, 409);
  EXPECT_EQ(cancel("none").status, 404);
  const std::string job = JsonOf(parts.Call("POST", "/v1/jobs", R"({"text": "x"})"))["job"];
  EXPECT_EQ(cancel(job).status, 404) << "another kind of job";
  const auto in_state = [&](const std::string& state) {
    return JsonOf(Call("GET", "/v1/eval/runs?state=" + state, "/v1/eval/runs"))["data"].size();
  };
  EXPECT_EQ(in_state("cancelled"), 2U);
  EXPECT_EQ(in_state("done"), 0U);
  const Response unknown = Call("GET", "/v1/eval/runs?state=gone", "/v1/eval/runs");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body, HasSubstr("dead, cancelled"));
}

TEST_F(EvalRoutesTest, WhatIsDoneIsNotCancelled) {
  const std::string id =
      JsonOf(Start({{"dataset", dataset}, {"policies", {"hate"}}}))["run"].get<std::string>();
  const auto leases = parts.queue->Take({.kinds = {kEvalJob}, .worker = "w"}, parts.now).value();
  const EvalRun run = EvalRunOf(leases.at(0).job.what.payload).value();
  ASSERT_TRUE(parts.queue->Complete(leases[0], ResultOf(run, {}), {}, parts.now));
  const Response refused =
      Call("POST", "/v1/eval/runs/" + id + "/cancel", "/v1/eval/runs/{id}/cancel");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("is done already"));
  EXPECT_EQ(Show(id)["state"], "done");
}

TEST(EvalRoutesWithoutAWorker, TakeNoRunThatWouldWaitForEver) {
  TestService parts{TestOptions{.works_on_evals = false}};
  const std::string dataset = JsonOf(parts.Call("POST", "/v1/datasets", FormOf({{"file", "bad\n"}}),
                                                {{"content-type", kFormType}}))["dataset"];
  const Json body = {{"dataset", dataset}, {"policies", {"hate"}}};
  const Response refused = parts.Call("POST", "/v1/eval/runs", body.dump());
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.problem, "no-worker");
  EXPECT_THAT(refused.body, HasSubstr("safeguard eval"));
  EXPECT_TRUE(parts.queue->List({.kind = kEvalJob})->jobs.empty());
}

TEST_F(EvalRoutesTest, WhatMayBeReadOfAQueueIsCheckedAgain) {
  EXPECT_FALSE(EvalRunOf("{}"));
  EXPECT_FALSE(EvalRunOf("[1"));
  EXPECT_FALSE(EvalRunOf(R"({"dataset": 1})"));
  EvalRun run{"d", "n", "me", {{{"p", "1", "h"}, "text"}}, 5, 7};
  const EvalRun again = EvalRunOf(PayloadOf(run)).value();
  EXPECT_EQ(PayloadOf(again), PayloadOf(run));
}

}  // namespace
}  // namespace safeguard::http
