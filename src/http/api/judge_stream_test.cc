// POST /v1/judge with "stream": what a client hears, and what its hanging up does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

struct Event {
  std::string name;
  Json data;
};

std::vector<Event> EventsOf(const std::string& body) {
  std::vector<Event> events;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = body.find("\n\n", at);
    EXPECT_NE(end, std::string::npos) << "an event without its end";
    const std::string text = body.substr(at, end - at);
    const std::size_t line = text.find('\n');
    EXPECT_TRUE(text.starts_with("event: ") && text.substr(line).starts_with("\ndata: ")) << text;
    events.push_back({text.substr(7, line - 7), Json::parse(text.substr(line + 7))});
    at = end + 2;
  }
  return events;
}

class JudgeStreamTest : public ::testing::Test {
 protected:
  Response Judge(const Json& body, std::vector<Header> headers = {}) {
    return parts.Call("POST", "/v1/judge", body.dump(), std::move(headers));
  }
  template <typename Condition>
  static bool SoonTrue(Condition condition) {
    for (int i = 0; i < 5000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return condition();
  }

  TestService parts;
  OpenApiCheck check;
};

TEST_F(JudgeStreamTest, ReasoningComesWhileItIsThoughtThenTheVerdict) {
  const Response response = Judge(
      {{"text", "a bad one"}, {"id", "p1"}, {"policies", {"hate", "violence"}}, {"stream", true}});
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/event-stream");
  const std::vector<Event> events = EventsOf(WholeBody(response));
  ASSERT_EQ(events.size(), 5U);
  std::map<std::string, std::string> heard;
  for (std::size_t e = 0; e < 4; ++e) {
    EXPECT_EQ(events[e].name, "reasoning");
    EXPECT_EQ(check.Check({{"$ref", "#/components/schemas/ReasoningDelta"}}, events[e].data), "");
    heard[events[e].data["policy"].get<std::string>()] += events[e].data["delta"];
  }
  EXPECT_EQ(heard["hate"], "let me think");
  EXPECT_EQ(heard["violence"], "let me think");
  EXPECT_EQ(events[4].name, "verdict");
  EXPECT_EQ(check.Check({{"$ref", "#/components/schemas/JudgeResult"}}, events[4].data), "");
  EXPECT_EQ(events[4].data["id"], "p1");
  EXPECT_EQ(events[4].data["verdicts"][0]["outcome"], "violation");
  EXPECT_FALSE(events[4].data["verdicts"][0].contains("reasoning")) << "it was heard already";
  EXPECT_EQ(parts.log->Scan({})->records.size(), 2U) << "recorded as any other";
}

TEST_F(JudgeStreamTest, TheAcceptHeaderAsksForItToo) {
  const Response events =
      Judge({{"text", "x"}, {"policies", {"hate"}}}, {{"accept", "text/event-stream"}});
  EXPECT_EQ(EventsOf(WholeBody(events)).back().name, "verdict");
  const Response either = Judge({{"text", "x"}, {"policies", {"hate"}}},
                                {{"accept", "application/json, text/event-stream"}});
  EXPECT_EQ(either.stream, nullptr) << "a client that takes JSON gets JSON";
}

TEST_F(JudgeStreamTest, WhatIsWrongBeforeItBeginsIsAProblem) {
  const Response unknown = Judge({{"text", "x"}, {"policies", {"hat"}}, {"stream", true}});
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(JsonOf(unknown)["pointer"], "/policies");
  EXPECT_EQ(Judge({{"text", "x"}, {"stream", 1}}).status, 400);
  EXPECT_EQ(
      parts.Call("POST", "/v1/judge/batch", R"({"contents": [{"text": "x"}], "stream": true})")
          .status,
      400)
      << "a batch has no stream";
}

TEST_F(JudgeStreamTest, WhoHangsUpEndsTheThinking) {
  parts.judge.thinks_on.store(true);
  const Response response =
      Judge({{"text", "x"}, {"policies", {"hate"}}, {"stream", true}, {"timeout_ms", 60000}});
  ASSERT_TRUE(SoonTrue([&] { return response.stream->waiting() > 200; })) << "it comes as it goes";
  EXPECT_EQ(parts.judge.called_off.load(), 0);
  response.stream->Close();
  EXPECT_TRUE(SoonTrue([&] { return parts.judge.called_off.load() == 1; }));
  const Response next = Judge({{"text", "x"}, {"policies", {"hate"}}});
  EXPECT_EQ(next.status, 200) << "the worker is free again";
  const auto records = parts.log->Scan({})->records;
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records.back().outcome == moderation::Outcome::kUndetermined ||
                records.front().outcome == moderation::Outcome::kUndetermined,
            true)
      << "what was called off is undetermined, never safe";
}

TEST_F(JudgeStreamTest, AtTheDeadlineTheStreamEndsUndetermined) {
  parts.judge.thinks_on.store(true);
  const Response response =
      Judge({{"text", "x"}, {"policies", {"hate"}}, {"stream", true}, {"timeout_ms", 30}});
  const std::vector<Event> events = EventsOf(WholeBody(response));
  EXPECT_EQ(events.back().name, "verdict");
  EXPECT_EQ(events.back().data["verdicts"][0]["outcome"], "undetermined");
  EXPECT_EQ(events.back().data["verdicts"][0]["reason"], "timeout");
  parts.judge.thinks_on.store(false);
}

TEST_F(JudgeStreamTest, AStreamIsNotKeptForItsIdempotencyKey) {
  const Json body = {{"text", "x"}, {"policies", {"hate"}}, {"stream", true}};
  const std::vector<Header> key = {{"idempotency-key", "k1"}};
  const std::string first = WholeBody(Judge(body, key));
  const std::string again = WholeBody(Judge(body, key));
  EXPECT_THAT(again, HasSubstr("event: verdict"));
  EXPECT_EQ(EventsOf(first).size(), EventsOf(again).size());
  EXPECT_EQ(parts.log->Scan({})->records.size(), 1U) << "judged twice, recorded once";
}

}  // namespace
}  // namespace safeguard::http
