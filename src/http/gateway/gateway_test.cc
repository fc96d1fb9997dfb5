// What gateways are answered, in the shapes that they publish.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class GatewayTest : public ::testing::Test {
 protected:
  Response Post(const std::string& path, const Json& body, std::vector<Header> headers = {}) {
    return parts.Call("POST", path, body.dump(), std::move(headers));
  }
  TestService parts;
};

class LiteLlmTest : public GatewayTest {
 protected:
  Json Ask(const Json& more) {
    Json body = {{"texts", {"fine"}}, {"input_type", "request"}, {"request_data", {{"x", 1}}}};
    body.update(more);
    const Response response = Post("/beta/litellm_basic_guardrail_api", body);
    EXPECT_EQ(response.status, 200) << response.body;
    return JsonOf(response);
  }
};

TEST_F(LiteLlmTest, AnswersNoneOrBlocked) {
  EXPECT_EQ(Ask(Json::object())["action"], "NONE");
  const Json blocked = Ask({{"texts", {"fine", "bad"}}});
  EXPECT_EQ(blocked["action"], "BLOCKED");
  EXPECT_EQ(blocked["blocked_reason"], "violates harassment X1.a");
  EXPECT_EQ(Ask({{"texts", Json::array()}})["action"], "NONE") << "there was nothing to judge";
}

TEST_F(LiteLlmTest, WhatIsNotJudgedIsBlocked) {
  EXPECT_EQ(Ask({{"texts", {"unclear"}}})["action"], "BLOCKED");
  EXPECT_EQ(Ask({{"images", {"data:image/png;base64,xx"}}})["action"], "BLOCKED");
  EXPECT_EQ(
      Ask({{"tools", {{{"type", "function"}, {"function", {{"description", "bad"}}}}}}})["action"],
      "BLOCKED");
  EXPECT_EQ(Ask({{"additional_provider_specific_params", {{"policies", {"hats"}}}}})["action"],
            "BLOCKED")
      << "an unknown policy is no reason to pass";
  const Json passed = Ask({{"texts", {"unclear"}},
                           {"additional_provider_specific_params", {{"on_undetermined", "pass"}}}});
  EXPECT_EQ(passed["action"], "NONE") << "somebody asked for it";
}

TEST_F(LiteLlmTest, ParametersNameThePolicy) {
  const Json one =
      Ask({{"texts", {"bad"}}, {"additional_provider_specific_params", {{"policy_id", "hate"}}}});
  EXPECT_EQ(one["blocked_reason"], "violates hate X1.a");
}

TEST_F(LiteLlmTest, RefusesWhatItDoesNotUnderstand) {
  for (const Json& body : {Json{{"texts", "fine"}, {"input_type", "request"}},
                           Json{{"texts", {"a"}}}, Json{{"texts", {1}}, {"input_type", "request"}},
                           Json{{"texts", {"a"}},
                                {"input_type", "request"},
                                {"additional_provider_specific_params", {{"polices", {"x"}}}}}}) {
    EXPECT_EQ(Post("/beta/litellm_basic_guardrail_api", body).status, 400) << body;
  }
}

TEST_F(GatewayTest, PortkeyIsAnsweredAVerdictWhateverHappens) {
  const auto ask = [&](const Json& body, const std::string& query = "") {
    const Response response = Post("/portkey" + query, body);
    EXPECT_EQ(response.status, 200) << "an error would pass there";
    return JsonOf(response)["verdict"].get<bool>();
  };
  const auto before = [](const std::string& text) {
    return Json{
        {"eventType", "beforeRequestHook"},
        {"request",
         {{"json", {{"messages", {{{"role", "user"}, {"content", text}}}}}}, {"text", "fine"}}}};
  };
  EXPECT_TRUE(ask(before("fine")));
  EXPECT_FALSE(ask(before("bad"))) << "\"text\" is only the last message";
  EXPECT_FALSE(ask(before("unclear")));
  EXPECT_FALSE(ask(before("fine"), "?policies=hats"));
  EXPECT_TRUE(ask(before("fine"), "?policies=hate,violence"));
  EXPECT_FALSE(ask({{"eventType", "afterRequestHook"}, {"response", {{"text", "bad"}}}}));
  EXPECT_FALSE(ask({{"eventType", "other"}}));
  EXPECT_FALSE(ask({{"eventType", "afterRequestHook"}}));
  Json picture = before("fine");
  picture["request"]["json"]["messages"][0]["content"] = {
      {{"type", "image_url"}, {"image_url", {{"url", "x"}}}}};
  EXPECT_FALSE(ask(picture));
}

TEST_F(GatewayTest, AgentgatewayIsToldToPassOrReject) {
  const auto request = [&](const std::string& text) {
    return JsonOf(Post(
        "/request", {{"body", {{"messages", {{{"role", "user"}, {"content", text}}}}}}}))["action"];
  };
  EXPECT_FALSE(request("fine").contains("body"));
  EXPECT_EQ(request("bad")["status_code"], 403);
  EXPECT_THAT(request("bad")["reason"].get<std::string>(), HasSubstr("violates"));
  EXPECT_EQ(request("unclear")["status_code"], 403);
  const Json response = {
      {"body", {{"choices", {{{"message", {{"role", "assistant"}, {"content", "bad"}}}}}}}}};
  EXPECT_EQ(JsonOf(Post("/response", response))["action"]["status_code"], 403);
  EXPECT_EQ(Post("/request", {{"body", {{"prompt", "x"}}}}).status, 400);
}

TEST_F(GatewayTest, DetectorsAnswerSpansInCharacters) {
  const Response response = Post(
      "/api/v1/text/contents",
      {{"contents", {"\xC3\xA9t\xC3\xA9 bad", "fine", " "}}, {"detector_params", Json::object()}},
      {{"detector-id", "hate"}});
  ASSERT_EQ(response.status, 200) << response.body;
  const Json json = JsonOf(response);
  ASSERT_EQ(json.size(), 3U);
  ASSERT_EQ(json[0].size(), 1U);
  EXPECT_EQ(json[0][0]["start"], 4);
  EXPECT_EQ(json[0][0]["end"], 7);
  EXPECT_EQ(json[0][0]["text"], "bad");
  EXPECT_EQ(json[0][0]["detection"], "hate");
  EXPECT_EQ(json[0][0]["score"], 0.875);
  EXPECT_TRUE(json[1].empty());
  EXPECT_TRUE(json[2].empty());
}

TEST_F(GatewayTest, ADetectorThatDecidedNothingDoesNotSayThatItFoundNothing) {
  const Response response = Post("/api/v1/text/contents", {{"contents", {"fine", "unclear"}}});
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(JsonOf(response)["code"], 503);
  EXPECT_EQ(Post("/api/v1/text/contents", {{"contents", {"a"}}}, {{"detector-id", "hats"}}).status,
            404);
  EXPECT_EQ(Post("/api/v1/text/contents", {{"contents", "a"}}).status, 422);
}

TEST_F(GatewayTest, DetectorsReadChatsAndGenerations) {
  const Json chat =
      JsonOf(Post("/api/v1/text/chat", {{"messages", {{{"role", "user"}, {"content", "bad"}}}}},
                  {{"detector-id", "hate"}}));
  ASSERT_EQ(chat.size(), 1U);
  EXPECT_EQ(chat[0]["detection"], "hate");
  EXPECT_TRUE(
      JsonOf(Post("/api/v1/text/generation", {{"prompt", "fine"}, {"generated_text", "fine"}}))
          .empty());
  EXPECT_EQ(Post("/api/v1/text/generation", {{"prompt", "fine"}}).status, 422);
}

TEST_F(GatewayTest, PerspectivesClientsFindTheirScores) {
  const Response response =
      Post("/v1alpha1/comments:analyze?key=unused", {{"comment", {{"text", "a bad one"}}},
                                                     {"languages", {"en"}},
                                                     {"clientToken", "t1"},
                                                     {"requestedAttributes",
                                                      {{"TOXICITY", Json::object()},
                                                       {"IDENTITY_ATTACK", Json::object()},
                                                       {"violence", Json::object()}}}});
  ASSERT_EQ(response.status, 200) << response.body;
  const Json json = JsonOf(response);
  const Json& toxicity = json["attributeScores"]["TOXICITY"];
  EXPECT_EQ(toxicity["summaryScore"]["value"], 0.875);
  EXPECT_EQ(toxicity["summaryScore"]["type"], "PROBABILITY");
  EXPECT_EQ(toxicity["spanScores"][0]["begin"], 2);
  EXPECT_EQ(json["attributeScores"].size(), 3U);
  EXPECT_EQ(json["clientToken"], "t1");
}

TEST_F(GatewayTest, PerspectiveRefusesInGooglesShape) {
  const auto ask = [&](const Json& text, const Json& attributes) {
    return Post("/v1alpha1/comments:analyze",
                {{"comment", {{"text", text}}}, {"requestedAttributes", attributes}});
  };
  const Json toxicity = {{"TOXICITY", Json::object()}};
  EXPECT_EQ(JsonOf(ask("a", {{"FLIRTATION", Json::object()}}))["error"]["status"],
            "INVALID_ARGUMENT");
  EXPECT_EQ(ask("", toxicity).status, 400);
  EXPECT_EQ(ask("a", Json::object()).status, 400);
  EXPECT_EQ(JsonOf(ask("unclear", toxicity))["error"]["status"], "UNAVAILABLE")
      << "no score, no answer";
}

}  // namespace
}  // namespace safeguard::http
