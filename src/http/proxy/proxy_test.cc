// The guarding proxy between a client and an upstream that does what upstreams do: answers, floods,
// stalls, dies, and says what it must not.
#include "http/proxy/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/fake_upstream.h"
#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;
using Then = UpstreamScript::Then;
using namespace std::chrono_literals;

std::string ChatStream(const std::vector<std::string>& texts) {
  std::string stream;
  const auto chunk = [&](const Json& delta, const Json& finish) {
    const Json json = {{"id", "chatcmpl-1"},
                       {"object", "chat.completion.chunk"},
                       {"created", 1},
                       {"model", "gpt-x"},
                       {"choices", {{{"index", 0}, {"delta", delta}, {"finish_reason", finish}}}}};
    stream += "data: " + json.dump() + "\n\n";
  };
  for (const std::string& text : texts) {
    chunk({{"content", text}}, nullptr);
  }
  chunk(Json::object(), "stop");
  return stream + "data: [DONE]\n\n";
}

std::string MessagesStream(const std::string& text) {
  const auto event = [](const std::string& name, Json data) {
    data["type"] = name;
    return "event: " + name + "\ndata: " + data.dump() + "\n\n";
  };
  return event("message_start", {{"message",
                                  {{"id", "msg_1"},
                                   {"type", "message"},
                                   {"role", "assistant"},
                                   {"content", Json::array()},
                                   {"model", "claude-x"},
                                   {"stop_reason", nullptr},
                                   {"usage", {{"input_tokens", 3}, {"output_tokens", 1}}}}}}) +
         event("content_block_start",
               {{"index", 0}, {"content_block", {{"type", "text"}, {"text", ""}}}}) +
         event("content_block_delta",
               {{"index", 0}, {"delta", {{"type", "text_delta"}, {"text", text}}}}) +
         event("content_block_stop", {{"index", 0}}) +
         event("message_delta",
               {{"delta", {{"stop_reason", "end_turn"}}}, {"usage", {{"output_tokens", 5}}}}) +
         event("message_stop", Json::object());
}

std::string Completion(const std::string& text) {
  return Json({{"id", "chatcmpl-1"},
               {"object", "chat.completion"},
               {"created", 1},
               {"model", "gpt-x"},
               {"choices",
                {{{"index", 0},
                  {"message", {{"role", "assistant"}, {"content", text}}},
                  {"finish_reason", "stop"}}}},
               {"usage", {{"prompt_tokens", 3}, {"completion_tokens", 2}, {"total_tokens", 5}}}})
      .dump();
}

std::string ContentOf(const std::string& stream) {
  std::string text;
  for (std::size_t at = stream.find("data: {"); at != std::string::npos;
       at = stream.find("data: {", at + 1)) {
    const Json json = Json::parse(stream.substr(at + 6, stream.find("\n\n", at) - at - 6));
    for (const Json& choice : json.value("choices", Json::array())) {
      text += choice["delta"].value("content", "");
    }
  }
  return text;
}

class ProxyTest : public ::testing::Test {
 protected:
  void Start() {
    TestOptions options;
    options.upstream = &upstream;
    options.proxy = proxy;
    parts = std::make_unique<TestService>(options);
  }
  Response Ask(Json body, const std::string& path = "/v1/chat/completions",
               std::vector<Header> headers = {}) {
    if (parts == nullptr) {
      Start();
    }
    if (!body.contains("model")) {
      body["model"] = "gpt-x";
    }
    return parts->Call("POST", path, body.dump(), std::move(headers));
  }
  static Json Question(const std::string& text = "hello", bool stream = false) {
    Json body = {{"messages", {{{"role", "user"}, {"content", text}}}}};
    if (stream) {
      body["stream"] = true;
    }
    return body;
  }
  void Whole(const std::string& text) {
    upstream.Set({.content_type = "application/json", .body = Completion(text)});
  }

  FakeUpstream upstream;
  ProxyOptions proxy;
  std::unique_ptr<TestService> parts;
};

TEST_F(ProxyTest, PassesOnWhatIsSafeAndSaysThatItWasJudged) {
  Whole("a fine answer");
  Json body = Question();
  body["temperature"] = 0.5;
  body["moderation"] = {{"policy", {{"input", {{"mode", "score"}}}}}};
  const Response response = Ask(body, "/v1/chat/completions", {{"authorization", "Bearer mine"}});
  ASSERT_EQ(response.status, 200) << response.body;
  const Json json = JsonOf(response);
  EXPECT_EQ(json["choices"][0]["message"]["content"], "a fine answer");
  EXPECT_EQ(json["moderation"]["input"]["type"], "moderation_results");
  EXPECT_EQ(json["moderation"]["output"]["results"][0]["flagged"], false);
  EXPECT_EQ(FindHeader(response.headers, "x-safeguard-input"), "safe");
  EXPECT_EQ(FindHeader(response.headers, "x-safeguard-output"), "safe");
  const UpstreamRequest sent = upstream.requests().at(0);
  EXPECT_EQ(sent.path, "/chat/completions");
  const Json forwarded = Json::parse(sent.body);
  EXPECT_EQ(forwarded["temperature"], 0.5);
  EXPECT_FALSE(forwarded.contains("moderation")) << "it is ours";
  EXPECT_EQ(FindHeader(sent.headers, "authorization"), "Bearer mine");
}

TEST_F(ProxyTest, ARequestThatBreaksAPolicyNeverReachesTheUpstream) {
  const Response response = Ask(Question("a bad one"));
  ASSERT_EQ(response.status, 200);
  const Json json = JsonOf(response);
  EXPECT_EQ(json["choices"][0]["finish_reason"], "content_filter");
  EXPECT_EQ(json["moderation"]["input"]["results"][0]["flagged"], true);
  EXPECT_EQ(json["moderation"]["input"]["results"][0]["categories"]["hate"], true);
  EXPECT_TRUE(upstream.requests().empty());
  const Response streamed = Ask(Question("a bad one", true));
  const std::string stream = WholeBody(streamed);
  EXPECT_THAT(stream, HasSubstr("content_filter"));
  EXPECT_THAT(stream, HasSubstr("\"flagged\":true"));
  EXPECT_TRUE(stream.ends_with("data: [DONE]\n\n"));
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(ProxyTest, AllTextOfARequestIsJudgedWhereverItStands) {
  Whole("fine");
  const Json tool = {{"type", "function"},
                     {"function",
                      {{"name", "f"},
                       {"description", "a bad tool"},
                       {"parameters", {{"type", "object"}, {"properties", Json::object()}}}}}};
  const std::vector<std::pair<const char*, Json>> places = {
      {"/messages/0/content", {{{"type", "text"}, {"text", "bad"}}}},
      {"/messages/1", {{"role", "system"}, {"content", "bad"}}},
      {"/messages/1", {{"role", "assistant"}, {"content", nullptr}, {"refusal", "bad"}}},
      {"/messages/1",
       {{"role", "assistant"},
        {"content", nullptr},
        {"tool_calls",
         {{{"id", "c1"},
           {"type", "function"},
           {"function", {{"name", "f"}, {"arguments", R"({"q": "\u0062ad"})"}}}}}}}},
      {"/messages/1", {{"role", "tool"}, {"tool_call_id", "c1"}, {"content", "bad"}}},
      {"/tools", Json::array({tool})},
      {"/stop", {"a bad end"}},
      {"/metadata", {{"note", "a bad note"}}},
      {"/unheard_of", "something bad"},
  };
  for (const auto& [pointer, value] : places) {
    Json body = Question();
    body[Json::json_pointer(pointer)] = value;
    const Response response = Ask(body);
    ASSERT_EQ(response.status, 200) << pointer << response.body;
    EXPECT_EQ(JsonOf(response)["choices"][0]["finish_reason"], "content_filter") << pointer;
  }
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(ProxyTest, WhatCannotBeReadIsRefusedAndNotPassed) {
  const std::vector<std::pair<const char*, Json>> wrong = {
      {"/messages/0/content", {{{"type", "image_url"}, {"image_url", {{"url", "https://x"}}}}}},
      {"/messages/0/content", {{{"type", "input_audio"}, {"input_audio", {{"data", "x"}}}}}},
      {"/messages/0/content", {{{"type", "file"}, {"file", {{"file_id", "f"}}}}}},
      {"/messages/0/role", "narrator"},
      {"/messages", "text"},
      {"/audio", {{"voice", "x"}}},
      {"/modalities", {"text", "audio"}},
      {"/web_search_options", {{"x", 1}}},
      {"/tools", {{{"type", "web_search"}}}},
      {"/stream", "yes"},
      {"/model", 7},
      {"/moderation", "block"},
      {"/moderation", {{"policy", {{"input", {{"mode", "off"}}}}}}},
  };
  for (const auto& [pointer, value] : wrong) {
    Json body = Question();
    body[Json::json_pointer(pointer)] = value;
    const Response response = Ask(body);
    EXPECT_EQ(response.status, 400) << pointer << response.body;
  }
  Json body = Question();
  body["input"] = "hi";
  body["previous_response_id"] = "resp_1";
  EXPECT_EQ(Ask(body, "/v1/responses").status, 400);
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(ProxyTest, ARequestMayAskForMoreThanTheOperatorNeverForLess) {
  Whole("fine");
  Json body = Question("bad");
  body["moderation"] = {{"policy", {{"input", {{"mode", "score"}}}}}};
  EXPECT_EQ(JsonOf(Ask(body))["choices"][0]["finish_reason"], "content_filter");
  proxy.guard.input = ProxyMode::kScore;
  Start();
  const Json scored = JsonOf(Ask(Question("bad")));
  EXPECT_EQ(scored["choices"][0]["message"]["content"], "fine");
  body["moderation"]["policy"]["input"]["mode"] = "block";
  EXPECT_EQ(JsonOf(Ask(body))["choices"][0]["finish_reason"], "content_filter");
}

TEST_F(ProxyTest, ScoresAreTold) {
  proxy.guard.input = ProxyMode::kScore;
  proxy.guard.output = ProxyMode::kScore;
  Whole("a bad answer");
  Json body = Question("a bad question");
  body["moderation"] = Json::object();
  const Json json = JsonOf(Ask(body));
  EXPECT_EQ(json["choices"][0]["message"]["content"], "a bad answer");
  EXPECT_EQ(json["moderation"]["input"]["results"][0]["flagged"], true);
  EXPECT_EQ(json["moderation"]["output"]["results"][0]["flagged"], true);
}

TEST_F(ProxyTest, AnAnswerThatBreaksAPolicyIsStopped) {
  Whole("something bad");
  const Response response = Ask(Question());
  const Json json = JsonOf(response);
  EXPECT_EQ(json["choices"][0]["finish_reason"], "content_filter");
  EXPECT_TRUE(json["choices"][0]["message"]["content"].is_null());
  EXPECT_EQ(json["usage"]["total_tokens"], 5) << "it was spent";
  EXPECT_EQ(json["moderation"]["output"]["results"][0]["flagged"], true);
  EXPECT_THAT(response.body, Not(HasSubstr("something")));
}

TEST_F(ProxyTest, WhatIsUndeterminedFailsClosedWithAnErrorArm) {
  Whole("an unclear answer");
  const Response output = Ask(Question());
  EXPECT_EQ(output.status, 503);
  EXPECT_EQ(output.problem, "output-not-judged");
  EXPECT_EQ(JsonOf(output)["moderation"]["output"]["type"], "error");
  EXPECT_EQ(JsonOf(output)["moderation"]["output"]["code"], "undetermined");
  EXPECT_THAT(output.body, Not(HasSubstr("an unclear answer")));
  const Response input = Ask(Question("an unclear question"));
  EXPECT_EQ(input.status, 503);
  EXPECT_EQ(input.problem, "input-not-judged");
  EXPECT_EQ(FindHeader(input.headers, "x-safeguard-input"), "undetermined");
}

TEST_F(ProxyTest, FailingOpenIsTheOperatorsChoiceAndIsTold) {
  proxy.guard.input_fail = guard::FailMode::kOpen;
  proxy.guard.output_fail = guard::FailMode::kOpen;
  Whole("an unclear answer");
  const Response response = Ask(Question("an unclear question"));
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(FindHeader(response.headers, "x-safeguard-failed-open"), "input, output");
  EXPECT_THAT(parts->metrics.Text(), HasSubstr("safety_unscanned_total 2"));
  std::string all;
  for (const std::string& line : parts->LogLines()) {
    all += line;
  }
  EXPECT_THAT(all, HasSubstr("failed-open"));
  EXPECT_THAT(all, Not(HasSubstr("unclear question"))) << "content stays out of logs";
}

TEST_F(ProxyTest, AJudgeThatTakesTooLongLeavesItUndetermined) {
  proxy.guard.judge_time_max = 20ms;
  Start();
  std::unique_lock gate(parts->judge.gate);
  const Response response = Ask(Question());
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.problem, "input-not-judged");
  EXPECT_TRUE(upstream.requests().empty());
  gate.unlock();
}

TEST_F(ProxyTest, AStreamIsTheSameHoweverItIsCut) {
  const std::string body = ChatStream({"The f", "irst sentence is \xC3\xA9t\xC3\xA9. ",
                                       "The second follows it, ", "and a third one as well."});
  std::string first;
  for (const std::size_t piece : {0UL, 1UL, 2UL, 7UL, 64UL}) {
    upstream.Set({.body = body, .piece = piece});
    const Response response = Ask(Question("hello", true));
    ASSERT_EQ(response.content_type, "text/event-stream");
    EXPECT_EQ(FindHeader(response.headers, "x-safeguard-input"), "safe");
    const std::string stream = WholeBody(response);
    EXPECT_EQ(
        ContentOf(stream),
        "The first sentence is \xC3\xA9t\xC3\xA9. The second follows it, and a third one as well.");
    first = first.empty() ? stream : first;
    EXPECT_EQ(stream, first) << piece;
  }
}

TEST_F(ProxyTest, NothingOfAViolationIsSeenHoweverItIsCut) {
  const std::string clean(200, 'x');
  const std::string body =
      ChatStream({"A clean start. " + clean + ". ", "Then something b", "ad", " and more."});
  for (std::size_t piece = 1; piece <= body.size(); piece += piece < 40 ? 1 : 97) {
    upstream.Set({.body = body, .piece = piece});
    const std::string stream = WholeBody(Ask(Question("hello", true)));
    EXPECT_EQ(ContentOf(stream).find("bad"), std::string::npos) << piece;
    EXPECT_THAT(stream, HasSubstr("content_filter")) << piece;
    EXPECT_THAT(stream, HasSubstr("\"flagged\":true")) << piece;
    EXPECT_TRUE(stream.ends_with("data: [DONE]\n\n"));
  }
}

TEST_F(ProxyTest, TheModerationChunkComesWhereItIsAskedFor) {
  upstream.Set({.body = ChatStream({"fine"})});
  Json body = Question("hello", true);
  EXPECT_THAT(WholeBody(Ask(body)), Not(HasSubstr("moderation_results")));
  body["moderation"] = Json::object();
  const std::string stream = WholeBody(Ask(body));
  EXPECT_THAT(stream, HasSubstr("\"output\":{\"type\":\"moderation_results\""));
  EXPECT_TRUE(stream.ends_with("data: [DONE]\n\n"));
}

TEST_F(ProxyTest, AnUpstreamThatStallsDiesOrBabblesEndsInAnError) {
  proxy.guard.stream.limits.stall_max = 50ms;
  const std::string whole = ChatStream({"A sentence that is fine. "});
  const std::string half = whole.substr(0, whole.find("data: [DONE]"));
  const std::string cut = whole.substr(0, whole.size() / 3);
  for (const UpstreamScript& script : {UpstreamScript{.body = half, .then = Then::kSilence},
                                       UpstreamScript{.body = half, .then = Then::kBroken},
                                       UpstreamScript{.body = half, .then = Then::kEnd}}) {
    upstream.Set(script);
    const Response response = Ask(Question("hello", true));
    if (response.stream == nullptr) {
      EXPECT_EQ(response.status, 502) << "it ended before anything was sent";
      continue;
    }
    const std::string stream = WholeBody(response);
    EXPECT_THAT(stream, HasSubstr("content_not_judged"));
    EXPECT_TRUE(stream.ends_with("data: [DONE]\n\n"));
  }
  for (const UpstreamScript& script :
       {UpstreamScript{.body = cut, .then = Then::kEnd},
        UpstreamScript{.body = "", .then = Then::kSilence},
        UpstreamScript{.body = "data: <html>\n\n"},
        UpstreamScript{.content_type = "text/html", .body = "<html>"},
        UpstreamScript{.reachable = false}}) {
    upstream.Set(script);
    const Response response = Ask(Question("hello", true));
    ASSERT_EQ(response.stream, nullptr) << "nothing was sent yet: an error of HTTP";
    EXPECT_EQ(response.status, 502) << response.body;
  }
}

TEST_F(ProxyTest, AnErrorOfTheUpstreamIsToldWithoutItsSentences) {
  upstream.Set({.status = 429,
                .content_type = "application/json",
                .body = R"({"error": {"message": "You are bad", "code": "rate_limit_exceeded"}})"});
  for (const bool stream : {false, true}) {
    const Response response = Ask(Question("hello", stream));
    EXPECT_EQ(response.status, 429);
    EXPECT_THAT(response.body, HasSubstr("rate_limit_exceeded"));
    EXPECT_THAT(response.body, Not(HasSubstr("You are")));
  }
  upstream.Set({.status = 401, .content_type = "application/json", .body = "{}"});
  EXPECT_EQ(Ask(Question()).status, 502) << "its key is not the caller's matter";
}

TEST_F(ProxyTest, AnAnswerThatIsNotUnderstoodDoesNotPass) {
  for (const char* body :
       {"<html>", "[]", R"({"choices": 1})", R"({"a": 1, "a": 2, "choices": []})",
        R"({"choices": [{"message": {"audio": {"data": "x"}}}]})"}) {
    upstream.Set({.content_type = "application/json", .body = body});
    EXPECT_EQ(Ask(Question()).status, 502) << body;
  }
}

TEST_F(ProxyTest, AFloodIsCutOff) {
  proxy.answer_bytes_max = 10'000;
  Whole(std::string(20'000, 'x'));
  EXPECT_EQ(Ask(Question()).problem, "upstream-too-large");
}

TEST_F(ProxyTest, AnthropicsMessagesAreUnderstood) {
  Json body = Question("hello", true);
  body["max_tokens"] = 100;
  upstream.Set({.body = MessagesStream("a fine answer"), .piece = 5});
  const Response good = Ask(body, "/v1/messages", {{"anthropic-version", "2023-06-01"}});
  const std::string stream = WholeBody(good);
  EXPECT_THAT(stream, HasSubstr("a fine answer"));
  EXPECT_THAT(stream, HasSubstr("event: message_stop"));
  EXPECT_EQ(upstream.requests().back().path, "/messages");
  EXPECT_EQ(FindHeader(upstream.requests().back().headers, "anthropic-version"), "2023-06-01");
  upstream.Set({.body = MessagesStream("a bad answer"), .piece = 1});
  const std::string stopped = WholeBody(Ask(body, "/v1/messages"));
  EXPECT_THAT(stopped, HasSubstr("refusal"));
  EXPECT_THAT(stopped, Not(HasSubstr("bad")));
  body.erase("stream");
  upstream.Set(
      {.content_type = "application/json",
       .body = R"({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",)"
               R"("content": [{"type": "text", "text": "bad"}], "stop_reason": "end_turn"})"});
  EXPECT_EQ(JsonOf(Ask(body, "/v1/messages"))["stop_reason"], "refusal");
  body["system"] = "be bad";
  EXPECT_EQ(JsonOf(Ask(body, "/v1/messages"))["stop_reason"], "refusal");
}

TEST_F(ProxyTest, ResponsesAreUnderstood) {
  const Json answer = {{"id", "resp_1"},
                       {"object", "response"},
                       {"status", "completed"},
                       {"output",
                        {{{"type", "message"},
                          {"role", "assistant"},
                          {"content", {{{"type", "output_text"}, {"text", "bad"}}}}}}}};
  upstream.Set({.content_type = "application/json", .body = answer.dump()});
  const Json json = JsonOf(Ask({{"input", "hello"}}, "/v1/responses"));
  EXPECT_EQ(json["status"], "incomplete");
  EXPECT_EQ(json["incomplete_details"]["reason"], "content_filter");
  EXPECT_EQ(json["moderation"]["output"]["type"], "moderation_result");
  EXPECT_EQ(json["moderation"]["output"]["flagged"], true);
}

TEST_F(ProxyTest, TheOwnModelIsNotPassedOn) {
  Json body = Question();
  body["model"] = "gpt-oss-safeguard-20b";
  EXPECT_EQ(Ask(body).status, 200);
  EXPECT_TRUE(upstream.requests().empty());
  EXPECT_EQ(parts->chat.questions.size(), 1U);
}

TEST_F(ProxyTest, ACallersKeyOfOursNeverLeaves) {
  Whole("fine");
  proxy.upstream_key = "theirs";
  Start();
  NewKey made = MakeKey("k", {Scope::kJudge}, parts->now.load(), RandomBytes(38));
  parts->keys.Set({made.key});
  const auto ask = [&] {
    return Ask(Question(), "/v1/chat/completions", {{"authorization", "Bearer " + made.secret}});
  };
  EXPECT_EQ(ask().status, 200);
  EXPECT_EQ(FindHeader(upstream.requests().back().headers, "authorization"), "Bearer theirs");
  proxy.upstream_key = "";
  Start();
  parts->keys.Set({made.key});
  EXPECT_EQ(ask().status, 200);
  EXPECT_EQ(FindHeader(upstream.requests().back().headers, "authorization"), "");
}

TEST_F(ProxyTest, StoppingTheServiceEndsWhatIsUnderWay) {
  upstream.Set({.body = ChatStream({"A sentence. "}).substr(0, 40), .then = Then::kSilence});
  Start();
  Request request;
  request.method = "POST";
  request.path = "/v1/chat/completions";
  Json body = Question("hello", true);
  body["model"] = "gpt-x";
  request.body = body.dump();
  auto answer = parts->Start(request);
  while (upstream.requests().empty()) {
    std::this_thread::yield();
  }
  parts->service->Stop();
  EXPECT_GE(answer.get().status, 502) << "before or after the upstream began to answer";
}

TEST_F(ProxyTest, MoreAtOnceThanMayBeAreAnswered429) {
  proxy.exchanges_max = 0;
  EXPECT_EQ(Ask(Question()).status, 429);
}

}  // namespace
}  // namespace safeguard::http
