// Every fail mode, on every side, in every API, whole and streaming: what acts is in the response,
// in the log and in the metrics, with its route.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "http/guard/test_streams.h"
#include "http/proxy/routed_proxy.h"

namespace safeguard::http {
namespace {

using guard::FailMode;
using guard::WireFormat;
using ::testing::HasSubstr;
using Json = nlohmann::json;

const char* HeaderOf(FailMode mode) {
  return mode == FailMode::kOpen     ? "x-safeguard-failed-open"
         : mode == FailMode::kClosed ? "x-safeguard-failed-closed"
                                     : "x-safeguard-degraded";
}

const char* EventOf(FailMode mode) {
  return mode == FailMode::kOpen     ? "failed-open"
         : mode == FailMode::kClosed ? "failed-closed"
                                     : "degraded";
}

std::string WholeAnswer(WireFormat format, const std::string& text) {
  switch (format) {
    case WireFormat::kOpenAiResponses:
      return Json{{"id", "r"},
                  {"object", "response"},
                  {"output",
                   {{{"type", "message"},
                     {"role", "assistant"},
                     {"content", {{{"type", "output_text"}, {"text", text}}}}}}}}
          .dump();
    case WireFormat::kAnthropicMessages:
      return Json{{"id", "m"},
                  {"type", "message"},
                  {"role", "assistant"},
                  {"content", {{{"type", "text"}, {"text", text}}}}}
          .dump();
    default:
      return Json{{"id", "c"},
                  {"choices",
                   {{{"index", 0},
                     {"message", {{"role", "assistant"}, {"content", text}}},
                     {"finish_reason", "stop"}}}}}
          .dump();
  }
}

// The moderation object of a whole answer, or of the last event of a stream that has one.
Json ModerationIn(const std::string& body, bool stream) {
  if (!stream) {
    return Json::parse(body).value("moderation", Json::object());
  }
  guard::SseParser parser(body.size() + 1);
  std::vector<guard::SseEvent> events;
  EXPECT_TRUE(parser.Feed(body, events));
  Json last = Json::object();
  for (const guard::SseEvent& event : events) {
    Json json = Json::parse(event.data, nullptr, false);
    if (json.is_object() && json.contains("response")) {
      json = json["response"];
    }
    last = json.is_object() && json.contains("moderation") ? json["moderation"] : last;
  }
  return last;
}

using Case = std::tuple<WireFormat, bool, FailMode>;  // does it stream?

class FailModesTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    GuardOptions fails;
    fails.input_fail = mode();
    fails.output_fail = mode();
    slow.sees_clearly.store(true);
    proxy.Add("", judge, {});
    proxy.Add("tried", judge, fails, &slow);
    proxy.Start();
    Say({"A fine sentence."});
  }
  static WireFormat format() { return std::get<0>(GetParam()); }
  static bool stream() { return std::get<1>(GetParam()); }
  static FailMode mode() { return std::get<2>(GetParam()); }

  void Say(const std::vector<std::string>& texts) {
    std::string whole;
    std::vector<guard::Said> said;
    for (const std::string& text : texts) {
      whole += text;
      said.push_back({text});
    }
    proxy.upstream.Set(stream() ? UpstreamScript{.body = guard::StreamIn(format(), said)}
                                : UpstreamScript{.content_type = "application/json",
                                                 .body = WholeAnswer(format(), whole)});
  }
  // Says everywhere that the mode has acted on this side, and no other. What acts on an answer that
  // streams comes behind the head, in the event that ends it.
  void Check(const Response& response, const std::string& side) {
    const bool streams = response.stream != nullptr;
    for (const FailMode other : {FailMode::kOpen, FailMode::kClosed, FailMode::kDegrade}) {
      const bool told = other == mode() && !(streams && side == "output");
      EXPECT_EQ(FindHeader(response.headers, HeaderOf(other)), told ? side : "");
    }
    const std::string body = streams ? WholeBody(response) : response.body;
    if (streams || response.status != 200) {
      Json expected = Json::object();
      expected[side] = Json::array({guard::ToString(mode())});
      EXPECT_EQ(ModerationIn(body, streams)["fail_modes"], expected) << body;
    }
    proxy.AwaitLine("\"event\":\"proxied\"");
    const std::string lines = proxy.Lines();
    EXPECT_THAT(lines, HasSubstr(std::string("\"event\":\"") + EventOf(mode()) + "\""));
    EXPECT_THAT(lines, HasSubstr("\"side\":\"" + side + "\""));
    EXPECT_THAT(lines, HasSubstr("\"route\":\"tried\""));
    EXPECT_THAT(proxy.metrics.Text(),
                HasSubstr(std::string("safeguard_fail_modes_total{mode=\"") +
                          guard::ToString(mode()) + "\",route=\"tried\",side=\"" + side + "\"} 1"));
  }
  FakeJudge judge;
  FakeJudge slow;
  RoutedProxy proxy;
};

TEST_P(FailModesTest, OfTheRequest) {
  const Response response = proxy.Ask("tried", format(), "an unclear question", stream());
  const bool closed = mode() == FailMode::kClosed;
  EXPECT_EQ(response.status, closed ? 503 : 200) << response.body;
  EXPECT_EQ(response.problem, closed ? "input-not-judged" : "");
  Check(response, "input");
  EXPECT_EQ(proxy.upstream.requests().size(), closed ? 0U : 1U);
}

TEST_P(FailModesTest, OfTheAnswer) {
  Say({"An unclear sentence that goes on for a good while."});
  const Response response = proxy.Ask("tried", format(), "hello", stream());
  const bool closed = mode() == FailMode::kClosed && !stream();
  EXPECT_EQ(response.status, closed ? 503 : 200) << response.body;
  EXPECT_EQ(response.problem, closed ? "output-not-judged" : "");
  Check(response, "output");
}

TEST_P(FailModesTest, OfTheAnswerAfterSomeOfItWasSeen) {
  if (!stream()) {
    GTEST_SKIP() << "a whole answer is sent at once";
  }
  std::string more;
  for (int i = 0; i < 60; ++i) {
    more += "and more of it ";
  }
  Say({"This first sentence is long enough to be a window. ", more + ". ",
       "And then one that is unclear to anybody who reads it."});
  const Response response = proxy.Ask("tried", format(), "hello", true);
  ASSERT_EQ(response.status, 200) << response.body;
  const std::string body = WholeBody(response);
  EXPECT_EQ(ModerationIn(body, true)["fail_modes"]["output"],
            Json::array({guard::ToString(mode())}))
      << body;
  const guard::Seen seen = guard::Read(format(), body);
  EXPECT_THAT(seen.content, HasSubstr("This first sentence"));
  EXPECT_EQ(seen.content.find("unclear") == std::string::npos, mode() == FailMode::kClosed);
  if (mode() == FailMode::kClosed) {
    EXPECT_EQ(seen.end, "error");
  }
}

TEST_P(FailModesTest, WhatTheSlowJudgeCannotDecideEitherIsClosed) {
  if (mode() != FailMode::kDegrade) {
    GTEST_SKIP() << "nobody else is asked";
  }
  slow.sees_clearly.store(false);
  Say({"An unclear sentence that goes on for a good while."});
  const Response response = proxy.Ask("tried", format(), "hello", stream());
  const std::string body = stream() ? WholeBody(response) : response.body;
  EXPECT_EQ(ModerationIn(body, stream())["fail_modes"]["output"],
            Json::array({"degrade", "closed"}));
  EXPECT_EQ(body.find("An unclear"), std::string::npos);
  if (!stream()) {
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(FindHeader(response.headers, "x-safeguard-degraded"), "output");
    EXPECT_EQ(FindHeader(response.headers, "x-safeguard-failed-closed"), "output");
  }
}

TEST_P(FailModesTest, NoneActsWhereAllIsJudged) {
  const Response response = proxy.Ask("tried", format(), "hello", stream());
  EXPECT_EQ(response.status, 200);
  const std::string body = stream() ? WholeBody(response) : response.body;
  EXPECT_EQ(body.find("fail_modes"), std::string::npos);
  EXPECT_EQ(proxy.metrics.Text().find("safeguard_fail_modes_total{"), std::string::npos);
}

std::string NameOf(const ::testing::TestParamInfo<Case>& info) {
  const WireFormat format = std::get<0>(info.param);
  return std::string(format == WireFormat::kOpenAiChat        ? "Chat"
                     : format == WireFormat::kOpenAiResponses ? "Responses"
                                                              : "Messages") +
         (std::get<1>(info.param) ? "Stream" : "Whole") + "_" +
         guard::ToString(std::get<2>(info.param));
}

INSTANTIATE_TEST_SUITE_P(
    All, FailModesTest,
    ::testing::Combine(::testing::Values(WireFormat::kOpenAiChat, WireFormat::kOpenAiResponses,
                                         WireFormat::kAnthropicMessages),
                       ::testing::Bool(),
                       ::testing::Values(FailMode::kClosed, FailMode::kOpen, FailMode::kDegrade)),
    NameOf);

}  // namespace
}  // namespace safeguard::http
