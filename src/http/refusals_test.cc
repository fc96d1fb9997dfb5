// What the service refuses, and how it says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class RefusalsTest : public ::testing::Test {
 protected:
  Response Call(const std::string& target, const Json& body) {
    return parts.Call("POST", target, body.dump());
  }
  // Also held against the document.
  Response Judge(const Json& body, const std::string& path = "/v1/judge") {
    static const OpenApiCheck check;
    Response response = Call(path, body);
    EXPECT_EQ(check.CheckResponse("post", path, response), "");
    return response;
  }
  Response Publish(const std::string& text) {
    return Call("/v1/policies", {{"id", "spam"}, {"text", text}});
  }
  Response Promote(int version, const Json& body) {
    return Call("/v1/policies/spam/versions/" + std::to_string(version) + "/promote", body);
  }

  TestService parts;
};

TEST_F(RefusalsTest, SaysWhatAPathCanBeAskedWith) {
  const Response response = parts.Call("DELETE", "/v1/policies");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(FindHeader(response.headers, "allow"), "GET, HEAD, POST");
}

TEST_F(RefusalsTest, TakesJsonInUtf8AndNothingThatOnlyLooksLikeIt) {
  const std::string body = R"({"text": "a", "policies": ["hate"]})";
  const auto call = [&](const char* type, std::vector<Header> headers = {}) {
    headers.push_back({"content-type", type});
    return parts.Call("POST", "/v1/judge", body, std::move(headers));
  };
  for (const char* type : {"application/json", "Application/JSON ; charset=\"UTF-8\"",
                           "application/json;charset=utf-8;profile=x"}) {
    EXPECT_EQ(call(type).status, 200) << type;
  }
  for (const char* type : {"application/jsonp", "application/json; charset=latin1", "text/json"}) {
    EXPECT_EQ(call(type).status, 415) << type;
  }
  EXPECT_EQ(call("application/json", {{"content-encoding", "identity"}}).status, 200);
  const Response packed = call("application/json", {{"content-encoding", "gzip"}});
  EXPECT_EQ(packed.status, 415);
  EXPECT_EQ(packed.problem, "encoding-not-accepted");
  EXPECT_EQ(FindHeader(packed.headers, "accept-encoding"), "identity");
}

TEST_F(RefusalsTest, AContentThatIsTooLongToWaitForIsSaidToBe) {
  const std::string text((std::size_t{256} << 10) + 1, 'x');
  const Response one = Judge({{"text", text}, {"policies", {"hate"}}});
  EXPECT_EQ(one.status, 413);
  EXPECT_EQ(one.problem, "content-too-long");
  EXPECT_THAT(JsonOf(one)["hint"].get<std::string>(), HasSubstr("/v1/jobs"));
  const Response batch =
      Judge({{"contents", {{{"text", "a"}}, {{"text", text}}}}}, "/v1/judge/batch");
  EXPECT_EQ(JsonOf(batch)["pointer"], "/contents/1");
  EXPECT_EQ(Call("/v1/jobs", {{"text", text}, {"policies", {"hate"}}}).status, 202);
}

TEST_F(RefusalsTest, ABatchHasMoreTimeThanOneContent) {
  parts.service->SetTimeout(std::chrono::milliseconds(1));
  std::unique_lock gate(parts.judge.gate);
  Json contents = Json::array();
  for (int c = 0; c < 256; ++c) {
    contents.push_back({{"text", "text " + std::to_string(c)}});
  }
  const auto times = [&](const Json& batch) {
    const auto begin = std::chrono::steady_clock::now();
    Judge({{"contents", batch}, {"policies", {"hate"}}}, "/v1/judge/batch");
    return std::chrono::steady_clock::now() - begin;
  };
  EXPECT_GE(times(contents), std::chrono::milliseconds(16)) << "once for each 16";
}

TEST_F(RefusalsTest, NamesTheVersionsThatThereAre) {
  const auto ask = [&](const char* policy) {
    return Judge({{"text", "a"}, {"policies", {policy}}});
  };
  const ShippedPolicy& hate = *parts.shelf->FindShipped("hate");
  const Response none = ask("hate@9");
  EXPECT_EQ(none.status, 404);
  EXPECT_THAT(JsonOf(none)["detail"].get<std::string>(),
              HasSubstr("there is hate@" + hate.policy.version + ", which ships"));
  for (const std::string& name : {"hate@" + hate.policy.version, std::string("hate@shipped"),
                                  "hate@" + hate.policy.hash.substr(0, 8)}) {
    const Response found = ask(name.c_str());
    ASSERT_EQ(found.status, 200) << found.body;
    EXPECT_EQ(JsonOf(found)["verdicts"][0]["policy_hash"], hate.policy.hash);
  }
  Publish("# Spam\n\n## Violates\n- S1 Bad.\n");
  EXPECT_THAT(JsonOf(ask("spam@7"))["detail"].get<std::string>(), HasSubstr("there is spam@1"));
  EXPECT_THAT(JsonOf(ask("nothing@7"))["detail"].get<std::string>(), HasSubstr("no policy"));
}

TEST_F(RefusalsTest, APolicyWithErrorsDoesNotComeToAnswer) {
  Publish("# Only a title\n");
  EXPECT_EQ(Promote(1, {{"to", "shadow"}}).status, 200) << "a shadow answers nobody";
  const Response refused = Promote(1, {{"to", "active"}});
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.problem, "policy-has-errors");
  EXPECT_EQ(JsonOf(refused)["findings"][0]["check"], "no-rules");
  EXPECT_EQ(Promote(1, {{"to", "active"}, {"force", true}}).status, 200);
}

}  // namespace
}  // namespace safeguard::http
