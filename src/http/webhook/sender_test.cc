// The sender against a receiver on this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_receiver.h"
#include "http/webhook_sender.h"
#include "http/webhook_signature.h"

namespace safeguard::http {
namespace {

using moderation::MessageSender;
using moderation::OutgoingMessage;
using moderation::SendEnd;
using moderation::SendOutcome;
using ::testing::HasSubstr;

class WebhookSender : public ::testing::Test {
 protected:
  WebhookOptions Options(std::vector<std::string> allowed = {"127.0.0.0/8"}) {
    WebhookOptions options;
    options.secrets = [this]() -> Result<std::vector<std::string>> { return secrets; };
    options.allowed = std::move(allowed);
    return options;
  }
  SendOutcome Send(const std::string& url, const WebhookOptions& options) {
    auto sender = OpenWebhookSender(options);
    EXPECT_TRUE(sender);
    return (*sender)->Send({url, "msg_1", body, 1'700'000'000'123});
  }
  SendOutcome Send(const std::string& url) { return Send(url, Options()); }

  std::vector<std::string> secrets = {std::string(32, 'n'), std::string(32, 'o')};
  std::string body = "{\"type\":\"verdict.final\"}";
  std::string answer = Answer("200 OK");
  TestReceiver receiver{[this](const ReceivedRequest&) { return answer; }};
};

TEST_F(WebhookSender, SendsWhatAReceiverCanVerify) {
  EXPECT_EQ(Send(receiver.Url()).end, SendEnd::kDelivered);
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/hook");
  EXPECT_EQ(requests[0].body, body);
  EXPECT_EQ(requests[0].Field("content-type"), "application/json");
  EXPECT_EQ(requests[0].Field("webhook-id"), "msg_1");
  EXPECT_EQ(requests[0].Field("webhook-timestamp"), "1700000000");
  for (const std::string& secret : secrets) {
    EXPECT_TRUE(VerifyWebhook({secret}, "msg_1", "1700000000",
                              requests[0].Field("webhook-signature"), requests[0].body,
                              1'700'000'100));
  }
}

TEST_F(WebhookSender, AskedForSecretsAtEveryMessage) {
  const auto sender = OpenWebhookSender(Options()).value();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(sender->Send({receiver.Url(), "msg_1", body, 1'000'000}).end, SendEnd::kDelivered);
    secrets = {std::string(32, 'x')};
  }
  EXPECT_TRUE(VerifyWebhook(secrets, "msg_1", "1000",
                            receiver.requests().at(1).Field("webhook-signature"), body, 1000));
  WebhookOptions options = Options();
  options.secrets = []() -> Result<std::vector<std::string>> {
    return Fail(ErrorCode::kNotFound, "there is no secret file");
  };
  const SendOutcome outcome = Send(receiver.Url(), options);
  EXPECT_EQ(outcome.end, SendEnd::kRetry);
  EXPECT_THAT(outcome.problem, HasSubstr("no secret file"));
  EXPECT_EQ(receiver.requests().size(), 2U) << "nothing goes out unsigned";
}

TEST_F(WebhookSender, TellsWhatIsWorthTryingAgain) {
  for (const char* status : {"201 Created", "204 No Content", "299 Fine"}) {
    answer = Answer(status);
    EXPECT_EQ(Send(receiver.Url()).end, SendEnd::kDelivered) << status;
  }
  for (const char* status : {"400 Bad", "401 No", "404 Not Found", "429 Slow", "500 Broken"}) {
    answer = Answer(status, "", "we are\x01 busy");
    const SendOutcome outcome = Send(receiver.Url());
    EXPECT_EQ(outcome.end, SendEnd::kRetry) << status;
    EXPECT_FALSE(outcome.retry_after_ms);
    EXPECT_EQ(outcome.problem,
              "the webhook answered " + std::string(status).substr(0, 3) + ": we are  busy");
  }
  answer = Answer("410 Gone");
  EXPECT_EQ(Send(receiver.Url()).end, SendEnd::kHopeless);
  answer = Answer("503 Busy", "Retry-After: 120\r\n");
  EXPECT_EQ(Send(receiver.Url()).retry_after_ms, 120'000);
  answer = Answer("503 Busy", "Retry-After: soon\r\n");
  EXPECT_FALSE(Send(receiver.Url()).retry_after_ms);
  answer = Answer("503 Busy", "Retry-After: -5\r\n");
  EXPECT_FALSE(Send(receiver.Url()).retry_after_ms);
}

TEST_F(WebhookSender, FollowsNoRedirect) {
  TestReceiver other([](const ReceivedRequest&) { return Answer("200 OK"); });
  answer = Answer("307 Elsewhere", "Location: " + other.Url() + "\r\n");
  const SendOutcome outcome = Send(receiver.Url());
  EXPECT_EQ(outcome.end, SendEnd::kRetry);
  EXPECT_THAT(outcome.problem, HasSubstr("307, a redirect, and none is followed"));
  EXPECT_TRUE(other.requests().empty());
}

TEST_F(WebhookSender, RefusesPrivateAddressesUnlessAllowed) {
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433",
                           "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "169.254.169.254"}) {
    std::string url = receiver.Url(host);
    for (const char* scheme : {"http", "https"}) {
      const SendOutcome outcome = Send(scheme + url.substr(4), Options({"10.0.0.0/8"}));
      EXPECT_EQ(outcome.end, SendEnd::kHopeless) << scheme << " " << host;
      EXPECT_THAT(outcome.problem, HasSubstr("is a private address")) << scheme << " " << host;
    }
  }
  EXPECT_TRUE(receiver.requests().empty());
  EXPECT_EQ(Send(receiver.Url("localhost"), Options({"127.0.0.1", "::1"})).end,
            SendEnd::kDelivered);
  EXPECT_FALSE(OpenWebhookSender(Options({"localhost"}))) << "a name is no range";
}

TEST_F(WebhookSender, SendsToThePublicWithTlsAlone) {
  // Nothing is connected to: the address is refused before.
  const SendOutcome outcome = Send("http://1.1.1.1/hook");
  EXPECT_EQ(outcome.end, SendEnd::kHopeless);
  EXPECT_THAT(outcome.problem, HasSubstr("without TLS"));
}

TEST_F(WebhookSender, UsesNoProxy) {
  ::setenv("http_proxy", receiver.Url().c_str(), 1);
  ::setenv("all_proxy", receiver.Url().c_str(), 1);
  TestReceiver target([](const ReceivedRequest&) { return Answer("200 OK"); });
  EXPECT_EQ(Send(target.Url()).end, SendEnd::kDelivered);
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_EQ(target.requests().size(), 1U);
  EXPECT_TRUE(receiver.requests().empty());
}

TEST_F(WebhookSender, AnAnswerWithoutEndIsCut) {
  answer = Answer("200 OK", "", std::string(300'000, 'x'));
  EXPECT_EQ(Send(receiver.Url()).end, SendEnd::kDelivered) << "the status was an answer";
  answer = Answer("500 Broken", "", std::string(300'000, 'x'));
  const SendOutcome outcome = Send(receiver.Url());
  EXPECT_EQ(outcome.end, SendEnd::kRetry);
  EXPECT_LT(outcome.problem.size(), 300U);
  answer = "HTTP/1.1 500 X\r\n" + std::string(300'000, 'h') + ": x\r\n\r\n";
  EXPECT_EQ(Send(receiver.Url()).end, SendEnd::kRetry);
}

TEST_F(WebhookSender, SilenceNonsenseAndNobodyAreFailures) {
  WebhookOptions options = Options();
  options.total_max = std::chrono::milliseconds(100);
  answer.clear();
  EXPECT_EQ(Send(receiver.Url(), options).end, SendEnd::kRetry);
  answer = "hello\r\n\r\n";
  EXPECT_EQ(Send(receiver.Url()).end, SendEnd::kRetry);
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthat is not all";
  EXPECT_EQ(Send(receiver.Url()).end, SendEnd::kDelivered);
  EXPECT_EQ(Send("http://127.0.0.1:1/").end, SendEnd::kRetry);
}

TEST_F(WebhookSender, ChecksUrls) {
  for (const char* good :
       {"https://example.com", "http://example.com:8080/a?b=c", "https://[2606:4700::1111]/x"}) {
    EXPECT_TRUE(CheckWebhookUrl(good)) << good;
  }
  for (const std::string& bad :
       {std::string("ftp://example.com/"), std::string("file:///etc/passwd"),
        std::string("https://user:secret@example.com/"), std::string(""), std::string("https://"),
        std::string("nonsense"), std::string("gopher://x/"), std::string("https://a\0b/", 12),
        "https://example.com/" + std::string(2048, 'x')}) {
    EXPECT_FALSE(CheckWebhookUrl(bad)) << bad;
    EXPECT_EQ(Send(bad).end, SendEnd::kHopeless) << bad;
  }
}

}  // namespace
}  // namespace safeguard::http
