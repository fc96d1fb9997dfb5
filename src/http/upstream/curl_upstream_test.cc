// The upstream against real sockets: what it sends, what it takes, and where it does not go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "http/test_receiver.h"
#include "http/upstream.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;
using Kind = UpstreamEvent::Kind;
using namespace std::chrono_literals;

struct Answered {
  UpstreamEvent head;
  std::string body;
  UpstreamEvent end;
};

Answered All(UpstreamCall& call) {
  Answered all;
  const auto until = Clock::now() + 20s;  // a test that would hang fails instead
  while (Clock::now() < until) {
    UpstreamEvent event = call.Next(until, true);
    if (event.kind == Kind::kHead) {
      all.head = event;
    } else if (event.kind == Kind::kBytes) {
      all.body += event.bytes;
    } else if (event.kind != Kind::kNothing) {
      all.end = event;
      return all;
    }
  }
  return all;
}

std::unique_ptr<Upstream> Open(const TestReceiver& receiver,
                               std::vector<std::string> allowed = {"127.0.0.1"}) {
  UpstreamOptions options;
  options.url = "http://127.0.0.1:" + std::to_string(receiver.port()) + "/v1/";
  options.allowed = std::move(allowed);
  auto upstream = OpenUpstream(options);
  EXPECT_TRUE(upstream);
  return std::move(*upstream);
}

TEST(UpstreamTest, PostsAndReadsTheAnswer) {
  TestReceiver receiver([](const ReceivedRequest&) {
    return Answer("200 OK", "Content-Type: text/event-stream\r\n", "data: [DONE]\n\n");
  });
  const auto upstream = Open(receiver);
  const auto call = upstream->Post({"/chat/completions", {{"authorization", "Bearer k"}}, "{}"});
  const Answered answered = All(*call);
  EXPECT_EQ(answered.head.status, 200);
  EXPECT_EQ(answered.head.content_type, "text/event-stream");
  EXPECT_EQ(answered.body, "data: [DONE]\n\n");
  EXPECT_EQ(answered.end.kind, Kind::kEnd);
  const ReceivedRequest request = receiver.requests().at(0);
  EXPECT_EQ(request.target, "/v1/chat/completions");
  EXPECT_EQ(request.Field("authorization"), "Bearer k");
  EXPECT_EQ(request.Field("content-type"), "application/json");
  EXPECT_EQ(request.body, "{}");
}

TEST(UpstreamTest, APrivateAddressIsRefusedUnlessAllowed) {
  TestReceiver receiver([](const ReceivedRequest&) { return Answer("200 OK"); });
  const auto upstream = Open(receiver, {"10.0.0.0/8"});
  const auto call = upstream->Post({"/x", {}, "{}"});
  const Answered answered = All(*call);
  EXPECT_EQ(answered.end.kind, Kind::kBroken);
  EXPECT_THAT(answered.end.problem, HasSubstr("--upstream-allow"));
  EXPECT_TRUE(receiver.requests().empty());
}

TEST(UpstreamTest, NoRedirectIsFollowed) {
  TestReceiver receiver([](const ReceivedRequest& request) {
    return request.target == "/v1/x" ? Answer("302 Found", "Location: /v1/y\r\n")
                                     : Answer("200 OK");
  });
  const auto upstream = Open(receiver);
  const auto call = upstream->Post({"/x", {}, "{}"});
  EXPECT_EQ(All(*call).head.status, 302);
  EXPECT_EQ(receiver.requests().size(), 1U);
}

TEST(UpstreamTest, AnAnswerThatBreaksOffIsBroken) {
  TestReceiver receiver([](const ReceivedRequest&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  const auto upstream = Open(receiver);
  const auto call = upstream->Post({"/x", {}, "{}"});
  const Answered answered = All(*call);
  EXPECT_EQ(answered.body, "half");
  EXPECT_EQ(answered.end.kind, Kind::kBroken);
}

TEST(UpstreamTest, AnUpstreamThatIsSilentCanBeWaitedForAndGivenUp) {
  TestReceiver receiver([](const ReceivedRequest&) { return std::string(); });
  const auto upstream = Open(receiver);
  const auto call = upstream->Post({"/x", {}, "{}"});
  EXPECT_EQ(call->Next(Clock::now() + 20ms, true).kind, Kind::kNothing);
  std::thread other([&] { call->Wake(); });
  EXPECT_EQ(call->Next(Clock::now() + 20s, true).kind, Kind::kNothing);
  other.join();
}

TEST(UpstreamTest, AFloodWaitsAtTheUpstream) {
  const std::string much(std::size_t{4} << 20, 'x');
  TestReceiver receiver([&](const ReceivedRequest&) { return Answer("200 OK", "", much); });
  const auto upstream = Open(receiver);
  const auto call = upstream->Post({"/x", {}, "{}"});
  while (call->Next(Clock::now() + 20s, false).kind != Kind::kHead) {
  }
  EXPECT_EQ(call->Next(Clock::now() + 50ms, false).kind, Kind::kNothing);
  const UpstreamEvent first = call->Next(Clock::now() + 20s, true);
  EXPECT_EQ(first.kind, Kind::kBytes);
  EXPECT_LE(first.bytes.size(), std::size_t{512} << 10);
  const std::size_t taken = first.bytes.size();
  EXPECT_EQ(taken + All(*call).body.size(), much.size());
}

TEST(UpstreamTest, AUrlThatCannotBeRightIsRefused) {
  for (const char* url : {"", "ftp://x/", "https://user@host/v1", "https://host/v1?x=1", "host"}) {
    EXPECT_FALSE(OpenUpstream({.url = url})) << url;
  }
  EXPECT_FALSE(OpenUpstream({.url = "https://host/v1", .allowed = {"10.0.0.0/99"}}));
}

}  // namespace
}  // namespace safeguard::http
