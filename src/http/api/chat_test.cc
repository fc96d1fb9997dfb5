// The reasoner as a model, in the shapes that OpenAI's clients read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/api/chat_input.h"
#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;
using moderation::Role;

constexpr const char* kModel = "gpt-oss-safeguard-20b";

// The data of each event; "[DONE]" as a string.
std::vector<Json> Events(const std::string& body) {
  std::vector<Json> events;
  for (std::size_t at = body.find("data: "); at != std::string::npos;
       at = body.find("data: ", at + 1)) {
    const std::string data = body.substr(at + 6, body.find("\n\n", at) - at - 6);
    events.push_back(data == "[DONE]" ? Json(data) : Json::parse(data));
  }
  return events;
}

class ChatTest : public ::testing::Test {
 protected:
  Json Question() {
    return {{"model", kModel},
            {"messages",
             {{{"role", "system"}, {"content", "# Spam\n- S1 Ads."}},
              {{"role", "user"}, {"content", {{{"type", "text"}, {"text", "buy"}}}}}}},
            {"reasoning_effort", "low"}};
  }
  Response Ask(const Json& body, const std::string& path = "/v1/chat/completions") {
    Response response = parts.Call("POST", path, body.dump());
    if (response.stream == nullptr) {
      static const OpenApiCheck check;
      EXPECT_EQ(check.CheckResponse("post", path, response), "");
    }
    return response;
  }

  TestService parts;
};

TEST_F(ChatTest, ThePolicyIsTheSystemsAndTheContentTheUsers) {
  const Response response = Ask(Question());
  ASSERT_EQ(response.status, 200) << response.body;
  ASSERT_EQ(parts.chat.questions.size(), 1U);
  const ChatQuestion& question = parts.chat.questions[0];
  ASSERT_EQ(question.messages.size(), 2U);
  EXPECT_EQ(question.messages[0].role, Role::kSystem);
  EXPECT_EQ(question.messages[1].text, "buy");
  EXPECT_EQ(question.effort, ChatEffort::kLow);
  EXPECT_EQ(question.tenant, "default");
}

TEST_F(ChatTest, ReasoningAndContentStandApart) {
  const Json json = JsonOf(Ask(Question()));
  const Json& message = json["choices"][0]["message"];
  EXPECT_EQ(message["content"], "1");
  EXPECT_EQ(message["reasoning"], "The rule S1 fits.");
  EXPECT_EQ(message["reasoning_content"], "The rule S1 fits.");
  EXPECT_EQ(json["usage"]["total_tokens"], 48);
  EXPECT_EQ(json["usage"]["completion_tokens_details"]["reasoning_tokens"], 6);
  Json without = Question();
  without["include_reasoning"] = false;
  EXPECT_THAT(Ask(without).body, Not(HasSubstr("S1 fits")));
}

TEST_F(ChatTest, StreamsChunks) {
  Json body = Question();
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  const Response response = Ask(body);
  EXPECT_EQ(response.content_type, "text/event-stream");
  const std::vector<Json> events = Events(WholeBody(response));
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[0]["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(events[1]["choices"][0]["delta"]["reasoning"], "The rule ");
  EXPECT_EQ(events[3]["choices"][0]["delta"]["content"], "1");
  EXPECT_EQ(events[4]["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(events[5]["usage"]["prompt_tokens"], 40);
  EXPECT_EQ(events[6], "[DONE]");
  EXPECT_EQ(events[0]["id"], events[5]["id"]);
}

TEST_F(ChatTest, GivesLogprobsOfTheAnswerAlone) {
  Json body = Question();
  body["logprobs"] = true;
  body["top_logprobs"] = 2;
  const Json json = JsonOf(Ask(body));
  const Json& scores = json["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(scores.size(), 1U);
  EXPECT_EQ(scores[0]["token"], "1");
  EXPECT_EQ(scores[0]["bytes"], Json::array({49}));
  EXPECT_EQ(scores[0]["top_logprobs"][1]["token"], "0");
}

TEST_F(ChatTest, AnAnswerThatWasCutSaysSo) {
  parts.chat.end.why = ChatEnd::Why::kTokenLimit;
  EXPECT_EQ(JsonOf(Ask(Question()))["choices"][0]["finish_reason"], "length");
}

TEST_F(ChatTest, WhatDidNotComeInTimeIsNoAnswer) {
  parts.chat.end.why = ChatEnd::Why::kTimeLimit;
  const Response whole = Ask(Question());
  EXPECT_EQ(whole.status, 504);
  EXPECT_EQ(whole.problem, "undetermined");
  Json body = Question();
  body["stream"] = true;
  const std::vector<Json> events = Events(WholeBody(Ask(body)));
  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(events[events.size() - 2]["error"]["code"], "undetermined");
}

TEST_F(ChatTest, AClientThatLeavesEndsTheQuestion) {
  parts.chat.silent = true;
  Json body = Question();
  body["stream"] = true;
  const Response response = Ask(body);
  response.stream->Close();
  EXPECT_THAT(parts.chat.cancelled, ElementsAre(1U));
  parts.chat.waiting({});
}

TEST_F(ChatTest, WhatTheModelRefusesIsAProblem) {
  parts.chat.refusal = Error{ErrorCode::kLimit, "the queue is full", ""};
  EXPECT_EQ(Ask(Question()).status, 429);
  parts.chat.refusal = Error{ErrorCode::kInvalidInput, "the schema uses $ref", ""};
  const Response response = Ask(Question());
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(JsonOf(response)["error"]["message"].get<std::string>(), HasSubstr("$ref"));
}

TEST_F(ChatTest, WhatWouldChangeTheAnswerAndIsNotUnderstoodIsRefused) {
  const std::vector<std::pair<const char*, Json>> wrong = {
      {"/tools", Json::array({{{"type", "function"}}})},
      {"/n", 2},
      {"/store", true},
      {"/logit_bias", {{"15", 100}}},
      {"/stop", "x"},
      {"/reasoning_effort", "minimal"},
      {"/response_format", {{"type", "json_object"}}},
      {"/top_logprobs", 3},
      {"/max_tokens", 1.5},
      {"/stream_options", Json::array()},
      {"/messages", Json::array()},
      {"/messages/1/content/0", {{"type", "image_url"}, {"image_url", {{"url", "x"}}}}},
      {"/messages/1/role", "tool"},
      {"/messages/1/name", "x"},
  };
  for (const auto& [pointer, value] : wrong) {
    Json body = Question();
    body[Json::json_pointer(pointer)] = value;
    const Response response = Ask(body);
    EXPECT_EQ(response.status, 400) << pointer << response.body;
    EXPECT_TRUE(JsonOf(response)["error"]["message"].is_string());
  }
  EXPECT_TRUE(parts.chat.questions.empty());
}

TEST_F(ChatTest, AQuestionWithoutAContentIsAMistake) {
  Json body = Question();
  body["messages"].erase(1);
  EXPECT_EQ(Ask(body).status, 400);
}

TEST_F(ChatTest, AFormatIsASchemaThatIsEnforced) {
  Json body = Question();
  body["response_format"] = {
      {"type", "json_schema"},
      {"json_schema", {{"name", "verdict"}, {"strict", true}, {"schema", {{"type", "object"}}}}}};
  EXPECT_EQ(Ask(body).status, 200);
  EXPECT_EQ(parts.chat.questions[0].format.kind, ChatFormat::Kind::kJsonSchema);
  EXPECT_EQ(parts.chat.questions[0].format.schema, R"({"type":"object"})");
}

TEST_F(ChatTest, AnotherModelIsNotThere) {
  Json body = Question();
  body["model"] = "gpt-5";
  const Response response = Ask(body);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.problem, "unknown-model");
  EXPECT_THAT(response.body, HasSubstr(kModel));
  TestService without({.with_chat = false});
  EXPECT_THAT(without.Call("POST", "/v1/chat/completions", Question().dump()).body,
              HasSubstr("--judge reasoner"));
}

TEST_F(ChatTest, BothModelsAreListed) {
  const Json data = JsonOf(parts.Call("GET", "/v1/models"))["data"];
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(data[1]["id"], kModel);
  EXPECT_EQ(parts.Call("GET", std::string("/v1/models/") + kModel).status, 200);
}

class ResponsesTest : public ChatTest {
 protected:
  Json Question() {
    return {{"model", kModel},
            {"instructions", "# Spam\n- S1 Ads."},
            {"input", "buy"},
            {"reasoning", {{"effort", "high"}}}};
  }
  Response Ask(const Json& body) { return ChatTest::Ask(body, "/v1/responses"); }
};

TEST_F(ResponsesTest, AnswersInItems) {
  const Json json = JsonOf(Ask(Question()));
  EXPECT_EQ(json["status"], "completed");
  ASSERT_EQ(json["output"].size(), 2U);
  EXPECT_EQ(json["output"][0]["content"][0]["text"], "The rule S1 fits.");
  EXPECT_EQ(json["output"][1]["content"][0]["text"], "1");
  EXPECT_EQ(parts.chat.questions[0].messages[0].role, Role::kDeveloper);
  EXPECT_EQ(parts.chat.questions[0].effort, ChatEffort::kHigh);
}

TEST_F(ResponsesTest, TakesItemsAndAFormat) {
  Json body = Question();
  body["input"] =
      Json::array({{{"role", "user"}, {"content", {{{"type", "input_text"}, {"text", "buy"}}}}},
                   {{"type", "message"}, {"role", "assistant"}, {"content", "0"}},
                   {{"type", "reasoning"}, {"id", "rs_1"}, {"summary", Json::array()}},
                   {{"role", "user"}, {"content", "are you sure?"}}});
  body["text"] = {
      {"format", {{"type", "json_schema"}, {"name", "v"}, {"schema", {{"type", "object"}}}}}};
  ASSERT_EQ(Ask(body).status, 200) << Ask(body).body;
  EXPECT_EQ(parts.chat.questions[0].messages.size(), 4U);
  EXPECT_EQ(parts.chat.questions[0].format.name, "v");
}

TEST_F(ResponsesTest, StreamsAnEventForAllThatHappens) {
  Json body = Question();
  body["stream"] = true;
  const std::string text = WholeBody(Ask(body));
  std::vector<std::string> types;
  int number = 0;
  for (const Json& event : Events(text)) {
    types.push_back(event["type"]);
    EXPECT_EQ(event["sequence_number"], number++);
    EXPECT_THAT(text, HasSubstr("event: " + types.back() + "\n"));
  }
  EXPECT_THAT(types, ElementsAre("response.created", "response.in_progress",
                                 "response.output_item.added", "response.reasoning_text.delta",
                                 "response.reasoning_text.delta", "response.reasoning_text.done",
                                 "response.output_item.done", "response.output_item.added",
                                 "response.content_part.added", "response.output_text.delta",
                                 "response.output_text.done", "response.content_part.done",
                                 "response.output_item.done", "response.completed"));
  EXPECT_EQ(Events(text).back()["response"]["output"][1]["content"][0]["text"], "1");
}

TEST_F(ResponsesTest, AnAnswerThatWasCutIsIncomplete) {
  parts.chat.end.why = ChatEnd::Why::kTokenLimit;
  const Json json = JsonOf(Ask(Question()));
  EXPECT_EQ(json["status"], "incomplete");
  EXPECT_EQ(json["incomplete_details"]["reason"], "max_output_tokens");
}

TEST_F(ResponsesTest, RefusesWhatItDoesNotUnderstand) {
  const std::vector<std::pair<const char*, Json>> wrong = {
      {"/tools", Json::array({{{"type", "web_search"}}})},
      {"/previous_response_id", "resp_1"},
      {"/input", Json::array({{{"type", "function_call_output"}, {"output", "x"}}})},
      {"/input", 7},
      {"/reasoning", "high"},
      {"/text", Json::array()},
      {"/background", true},
  };
  for (const auto& [pointer, value] : wrong) {
    Json body = Question();
    body[Json::json_pointer(pointer)] = value;
    EXPECT_EQ(Ask(body).status, 400) << pointer;
  }
}

}  // namespace
}  // namespace safeguard::http
