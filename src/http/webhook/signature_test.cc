#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/base64.h"
#include "http/webhook_signature.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecretText = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

TEST(WebhookSignature, IsThatOfStandardWebhooks) {
  // The example that the reference libraries of Standard Webhooks test themselves with.
  const auto secrets = ReadSecrets(kSecretText).value();
  EXPECT_EQ(
      SignWebhook(secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}"),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, SecretsRotateWithoutAGap) {
  const std::string fresh = "whsec_" + Base64(std::string(32, 'n'));
  const auto old_only = ReadSecrets(kSecretText).value();
  const auto both =
      ReadSecrets("# newest first\n" + fresh + "\r\n\n " + kSecretText + "\n").value();
  const auto new_only = ReadSecrets(fresh).value();
  ASSERT_EQ(both.size(), 2U);
  const std::string signatures = SignWebhook(both, "id", 1000, "body");
  for (const auto& receiver : {old_only, both, new_only}) {
    EXPECT_TRUE(VerifyWebhook(receiver, "id", "1000", signatures, "body", 1000));
  }
  EXPECT_TRUE(
      VerifyWebhook(both, "id", "1000", SignWebhook(old_only, "id", 1000, "body"), "body", 1000));
  EXPECT_FALSE(VerifyWebhook(new_only, "id", "1000", SignWebhook(old_only, "id", 1000, "body"),
                             "body", 1000));
}

TEST(WebhookSignature, CoversIdTimeAndBody) {
  EXPECT_TRUE(rc::check([](const std::string& id, const std::string& body, unsigned time) {
    const std::vector<std::string> secrets = {std::string(24, 's')};
    const std::string signature = SignWebhook(secrets, id, time, body);
    const std::string when = std::to_string(time);
    RC_ASSERT(VerifyWebhook(secrets, id, when, signature, body, time).has_value());
    RC_ASSERT(!VerifyWebhook(secrets, id + "x", when, signature, body, time));
    RC_ASSERT(!VerifyWebhook(secrets, id, when, signature, body + " ", time));
    RC_ASSERT(!VerifyWebhook(secrets, id, std::to_string(time + 1), signature, body, time));
    RC_ASSERT(!VerifyWebhook({std::string(24, 't')}, id, when, signature, body, time));
  }));
}

TEST(WebhookSignature, OldAndUnreadableOnesAreRefused) {
  const std::vector<std::string> secrets = {std::string(24, 's')};
  const std::string signature = SignWebhook(secrets, "id", 1000, "body");
  EXPECT_TRUE(VerifyWebhook(secrets, "id", "1000", signature, "body", 1300));
  EXPECT_THAT(VerifyWebhook(secrets, "id", "1000", signature, "body", 1301).error().message,
              HasSubstr("timestamp"));
  EXPECT_FALSE(VerifyWebhook(secrets, "id", "1000", signature, "body", 699));
  for (const char* time : {"", "-1", "1000x", " 1000", "99999999999999999999"}) {
    EXPECT_FALSE(VerifyWebhook(secrets, "id", time, signature, "body", 1000)) << time;
  }
  for (const char* text : {"", "v1,", "v1", "v2,abc", " ", "v1,abc v1,"}) {
    EXPECT_FALSE(VerifyWebhook(secrets, "id", "1000", text, "body", 1000)) << text;
  }
  EXPECT_TRUE(VerifyWebhook(secrets, "id", "1000", "v1a,xyz v1,no " + signature, "body", 1000));
  std::string many;
  for (int i = 0; i < 100; ++i) {
    many += "v1,no ";
  }
  EXPECT_FALSE(VerifyWebhook(secrets, "id", "1000", many + signature, "body", 1000))
      << "no endless work for whoever sends";
}

TEST(WebhookSecrets, AreCheckedAndNeverShown) {
  EXPECT_FALSE(ReadSecrets(""));
  EXPECT_FALSE(ReadSecrets("# nothing\n\n"));
  for (const std::string& wrong :
       {std::string("secret"), std::string("whsec_"), std::string("whsec_!!!"),
        "whsec_" + Base64(std::string(23, 'x')), "whsec_" + Base64(std::string(65, 'x')),
        Base64(std::string(32, 'x'))}) {
    const auto read = ReadSecrets(std::string(kSecretText) + "\n" + wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_THAT(read.error().message, HasSubstr("line 2"));
    EXPECT_THAT(Describe(read.error()), Not(HasSubstr(Base64(std::string(23, 'x')))));
  }
  std::string many;
  for (int i = 0; i < 11; ++i) {
    many += std::string(kSecretText) + "\n";
  }
  EXPECT_FALSE(ReadSecrets(many));
}

}  // namespace
}  // namespace safeguard::http
