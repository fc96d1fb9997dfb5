// Routes at the proxy: which one a request goes under, whose judge judges it, and what is promised.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/guard/test_streams.h"
#include "http/proxy/routed_proxy.h"

namespace safeguard::http {
namespace {

using guard::WireFormat;
using ::testing::HasSubstr;

constexpr WireFormat kChat = WireFormat::kOpenAiChat;

class RoutesTest : public ::testing::Test {
 protected:
  void Start(bool need_route = false) {
    GuardOptions lenient;
    lenient.input = ProxyMode::kScore;
    lenient.output = ProxyMode::kScore;
    proxy.Add("", own, {});
    proxy.Add("strict", strict, {});
    proxy.Add("lenient", scoring, lenient);
    proxy.Start(need_route);
    proxy.upstream.Set({.content_type = "application/json",
                        .body = R"({"choices": [{"index": 0, "finish_reason": "stop",)"
                                R"("message": {"role": "assistant", "content": "fine"}}]})"});
  }
  Response Send(std::vector<Header> headers, std::map<std::string, std::string> values = {}) {
    return proxy.Send(kChat, "something bad", false, std::move(headers), std::move(values)).get();
  }

  FakeJudge own;
  FakeJudge strict;
  FakeJudge scoring;
  RoutedProxy proxy;
};

TEST_F(RoutesTest, TheHeaderOrThePathChoosesTheRouteAndItsJudge) {
  Start();
  const Response none = Send({});
  EXPECT_EQ(JsonOf(none)["choices"][0]["finish_reason"], "content_filter");
  EXPECT_EQ(FindHeader(none.headers, kRouteHeader), "");
  EXPECT_EQ(own.calls.load(), 1);
  const Response blocked = Send({{kRouteHeader, "strict"}});
  EXPECT_EQ(JsonOf(blocked)["choices"][0]["finish_reason"], "content_filter");
  EXPECT_EQ(FindHeader(blocked.headers, kRouteHeader), "strict");
  EXPECT_EQ(strict.calls.load(), 1);
  EXPECT_TRUE(proxy.upstream.requests().empty());
  const Response scored = Send({}, {{"route", "lenient"}});
  EXPECT_EQ(JsonOf(scored)["choices"][0]["message"]["content"], "fine");
  EXPECT_EQ(FindHeader(scored.headers, kRouteHeader), "lenient");
  EXPECT_EQ(FindHeader(scored.headers, "x-safeguard-input"), "violation");
  EXPECT_EQ(scoring.calls.load(), 2) << "the request and the answer";
  EXPECT_EQ(own.calls.load() + strict.calls.load(), 2);
  EXPECT_EQ(FindHeader(proxy.upstream.requests().at(0).headers, kRouteHeader), "")
      << "it is no matter of the upstream's";
  proxy.AwaitLine("\"route\":\"lenient\"");
  EXPECT_THAT(proxy.metrics.Text(),
              HasSubstr(R"(safeguard_guarded_total{route="lenient",state="completed"} 1)"));
}

TEST_F(RoutesTest, ARouteThatIsNotThereOrNotOneIsRefused) {
  Start();
  const Response unknown = Send({{kRouteHeader, "strickt"}});
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.problem, "unknown-route");
  EXPECT_EQ(JsonOf(unknown)["error"]["code"], "unknown-route") << "in the shape of that API";
  EXPECT_THAT(unknown.body, HasSubstr("strict, lenient"));
  EXPECT_EQ(FindHeader(unknown.headers, kRouteHeader), "");
  EXPECT_EQ(Send({{kRouteHeader, "strict"}}, {{"route", "lenient"}}).status, 400);
  EXPECT_EQ(Send({{kRouteHeader, "lenient"}, {kRouteHeader, "strict"}}).status, 400)
      << "a second header does not hide behind the first";
  EXPECT_EQ(Send({{kRouteHeader, "strict"}}, {{"route", "strict"}}).status, 200);
  EXPECT_TRUE(proxy.upstream.requests().empty());
}

TEST_F(RoutesTest, ARouteMayBeRequired) {
  Start(true);
  const Response none = Send({});
  EXPECT_EQ(none.status, 400);
  EXPECT_EQ(none.problem, "route-required");
  EXPECT_THAT(none.body, HasSubstr("strict, lenient"));
  EXPECT_EQ(own.calls.load(), 0);
  EXPECT_EQ(Send({{kRouteHeader, "strict"}}).status, 200);
}

TEST_F(RoutesTest, AProblemOfARouteNamesItToo) {
  proxy.settings.exchanges_max = 0;
  Start();
  const Response overloaded = Send({{kRouteHeader, "strict"}});
  EXPECT_EQ(overloaded.status, 429);
  EXPECT_EQ(FindHeader(overloaded.headers, kRouteHeader), "strict");
}

TEST_F(RoutesTest, WindowsAreJudgedInPassingAndTheWholeIsNot) {
  Start();
  std::vector<guard::Said> said;
  for (int i = 0; i < 12; ++i) {
    said.push_back({"This is sentence number " + std::to_string(i) + " of an answer. "});
  }
  for (const WireFormat format :
       {kChat, WireFormat::kOpenAiResponses, WireFormat::kAnthropicMessages}) {
    proxy.upstream.Set({.body = guard::StreamIn(format, said)});
    const int before = strict.in_passing.load();
    const int calls = strict.calls.load();
    const std::string stream = WholeBody(proxy.Ask("strict", format, "hello", true));
    EXPECT_EQ(guard::Read(format, stream).end.empty(), false);
    EXPECT_GE(strict.in_passing.load() - before, 3);
    // The request, the whole answer, and each call with windows.
    EXPECT_GE(strict.calls.load() - calls, 3);
  }
  EXPECT_EQ(own.in_passing.load(), 0);
}

}  // namespace
}  // namespace safeguard::http
