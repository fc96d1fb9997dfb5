// The proxy with a slow judge behind it, and what the streams of responses and messages say of the
// judging.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/fake_upstream.h"
#include "http/proxy/proxy.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

std::string Event(const std::string& name, Json data) {
  data["type"] = name;
  return "event: " + name + "\ndata: " + data.dump() + "\n\n";
}

std::string ResponsesStream(const std::string& text) {
  const Json response = {{"id", "resp_1"}, {"object", "response"}, {"model", "gpt-x"}};
  return Event("response.created", {{"response", response}}) +
         Event("response.output_text.delta",
               {{"output_index", 0}, {"content_index", 0}, {"delta", text}}) +
         Event("response.completed", {{"response", response}});
}

std::string MessagesStream(const std::string& text) {
  return Event("message_start", {{"message", {{"id", "msg_1"}, {"model", "claude-x"}}}}) +
         Event("content_block_start",
               {{"index", 0}, {"content_block", {{"type", "text"}, {"text", ""}}}}) +
         Event("content_block_delta",
               {{"index", 0}, {"delta", {{"type", "text_delta"}, {"text", text}}}}) +
         Event("content_block_stop", {{"index", 0}}) +
         Event("message_delta", {{"delta", {{"stop_reason", "end_turn"}}}}) +
         Event("message_stop", Json::object());
}

std::string ChatStream(const std::string& text) {
  const auto chunk = [](const Json& delta, const Json& finish) {
    return "data: " +
           Json{{"id", "c"},
                {"choices", {{{"index", 0}, {"delta", delta}, {"finish_reason", finish}}}}}
               .dump() +
           "\n\n";
  };
  return chunk({{"content", text}}, nullptr) + chunk(Json::object(), "stop") + "data: [DONE]\n\n";
}

// The data of the last event of this name; null when there is none.
Json LastEvent(const std::string& stream, const std::string& name) {
  const std::string head = "event: " + name + "\ndata: ";
  const std::size_t at = stream.rfind(head);
  return at == std::string::npos
             ? Json(nullptr)
             : Json::parse(stream.substr(at + head.size(),
                                         stream.find('\n', at + head.size()) - at - head.size()));
}

class DegradeTest : public ::testing::Test {
 protected:
  Response Ask(const std::string& path, const std::string& text, bool stream, bool tell = false) {
    if (parts == nullptr) {
      TestOptions options;
      options.upstream = &upstream;
      options.proxy = proxy;
      options.with_slow_judge = with_slow_judge;
      parts = std::make_unique<TestService>(options);
      parts->slow_judge.sees_clearly.store(sees_clearly);
    }
    Json body = {{"model", "gpt-x"}, {"stream", stream}};
    if (path == "/v1/responses") {
      body["input"] = text;
    } else {
      body["messages"] = {{{"role", "user"}, {"content", text}}};
    }
    if (path == "/v1/messages") {
      body["max_tokens"] = 9;
    }
    if (tell) {
      body["moderation"] = Json::object();
    }
    return parts->Call("POST", path, body.dump());
  }
  void DegradeBoth() {
    proxy.guard.input_fail = guard::FailMode::kDegrade;
    proxy.guard.output_fail = guard::FailMode::kDegrade;
  }
  void Whole(const std::string& text) {
    upstream.Set({.content_type = "application/json",
                  .body = Json{{"id", "c"},
                               {"object", "chat.completion"},
                               {"choices",
                                {{{"index", 0},
                                  {"message", {{"role", "assistant"}, {"content", text}}},
                                  {"finish_reason", "stop"}}}}}
                              .dump()});
  }

  FakeUpstream upstream;
  ProxyOptions proxy;
  bool with_slow_judge = true;
  bool sees_clearly = true;
  std::unique_ptr<TestService> parts;
};

TEST_F(DegradeTest, TheSlowJudgeDecidesWhatTheOtherCannot) {
  DegradeBoth();
  Whole("an unclear answer");
  const Response response = Ask("/v1/chat/completions", "an unclear question", false, true);
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(FindHeader(response.headers, "x-safeguard-degraded"), "input, output");
  EXPECT_EQ(FindHeader(response.headers, "x-safeguard-input"), "safe");
  EXPECT_THAT(response.body, HasSubstr("an unclear answer"));
  EXPECT_EQ(JsonOf(response)["moderation"]["output"]["type"], "moderation_results");
  EXPECT_THAT(parts->LogLines(), ::testing::Contains(HasSubstr("\"event\":\"degraded\"")));
  Whole("fine");
  EXPECT_EQ(FindHeader(Ask("/v1/chat/completions", "hello", false).headers, "x-safeguard-degraded"),
            "")
      << "what is decided at once asks nobody else";
}

TEST_F(DegradeTest, WhatTheSlowJudgeForbidsDoesNotPass) {
  DegradeBoth();
  Whole("fine");
  const Response response = Ask("/v1/chat/completions", "unclear and bad", false);
  EXPECT_EQ(JsonOf(response)["choices"][0]["finish_reason"], "content_filter");
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(DegradeTest, WhatNobodyCanJudgeIsClosed) {
  DegradeBoth();
  sees_clearly = false;
  Whole("fine");
  EXPECT_EQ(Ask("/v1/chat/completions", "unclear", false).status, 503);
  Whole("unclear");
  EXPECT_EQ(Ask("/v1/chat/completions", "hello", false).status, 503);
}

TEST_F(DegradeTest, WithoutASlowJudgeDegradeIsClosed) {
  DegradeBoth();
  with_slow_judge = false;
  Whole("unclear");
  EXPECT_EQ(Ask("/v1/chat/completions", "hello", false).status, 503);
  upstream.Set({.body = ChatStream("An unclear sentence that goes on for a while. ")});
  const Response stream = Ask("/v1/chat/completions", "hello", true);
  EXPECT_EQ(stream.status, 503);
  EXPECT_EQ(FindHeader(stream.headers, "x-safeguard-failed-closed"), "output");
}

TEST_F(DegradeTest, AStreamWaitsForTheSlowJudge) {
  DegradeBoth();
  upstream.Set({.body = ChatStream("An unclear sentence that goes on for a while. ")});
  const std::string stream = WholeBody(Ask("/v1/chat/completions", "hello", true));
  EXPECT_THAT(stream, HasSubstr("An unclear sentence"));
  EXPECT_THAT(stream, Not(HasSubstr("content_not_judged")));
  EXPECT_GT(parts->slow_judge.calls.load(), 0);
  EXPECT_THAT(parts->LogLines(), ::testing::Contains(HasSubstr("\"degraded\":\"output\"")))
      << "before the last byte";
  sees_clearly = false;
  parts = nullptr;
  const Response closed = Ask("/v1/chat/completions", "hello", true);
  EXPECT_EQ(closed.status, 503) << "nothing was sent before it was judged";
  EXPECT_EQ(closed.problem, "output-not-judged");
  EXPECT_EQ(FindHeader(closed.headers, "x-safeguard-degraded"), "output");
}

TEST_F(DegradeTest, StreamsOfResponsesSayWhatWasFound) {
  upstream.Set({.body = ResponsesStream("fine")});
  EXPECT_FALSE(
      LastEvent(WholeBody(Ask("/v1/responses", "hello", true)), "response.completed")["response"]
          .contains("moderation"))
      << "nobody asked";
  const Json told =
      LastEvent(WholeBody(Ask("/v1/responses", "hello", true, true)), "response.completed");
  EXPECT_EQ(told["response"]["id"], "resp_1");
  EXPECT_EQ(told["response"]["moderation"]["output"]["type"], "moderation_result");
  EXPECT_EQ(told["response"]["moderation"]["input"]["flagged"], false);
  upstream.Set({.body = ResponsesStream("something bad")});
  const std::string stopped = WholeBody(Ask("/v1/responses", "hello", true));
  EXPECT_EQ(
      LastEvent(stopped, "response.incomplete")["response"]["moderation"]["output"]["flagged"],
      true);
  EXPECT_THAT(stopped, Not(HasSubstr("bad")));
}

TEST_F(DegradeTest, StreamsOfMessagesSayWhatWasFound) {
  upstream.Set({.body = MessagesStream("fine")});
  EXPECT_FALSE(LastEvent(WholeBody(Ask("/v1/messages", "hello", true)), "message_stop")
                   .contains("moderation"));
  const Json told = LastEvent(WholeBody(Ask("/v1/messages", "hello", true, true)), "message_stop");
  EXPECT_EQ(told["moderation"]["output"]["results"][0]["flagged"], false);
  upstream.Set({.body = MessagesStream("event: message_stop\ndata: {} is bad")});
  const std::string stopped = WholeBody(Ask("/v1/messages", "hello", true));
  EXPECT_THAT(stopped, HasSubstr("\"flagged\":true"));
  EXPECT_THAT(stopped, Not(HasSubstr("is bad")));
}

}  // namespace
}  // namespace safeguard::http
