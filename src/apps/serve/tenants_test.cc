// Tenants as a server opens them: each with a data folder of its own.
#include "apps/serve/tenants.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "apps/commands/serve_jobs.h"
#include "apps/fake_services.h"
#include "base/utc_time.h"
#include "http/test_receiver.h"
#include "http/webhook_signature.h"
#include "moderation/judgement_job.h"

namespace safeguard::apps {
namespace {

class TenantsTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Tenants Make() {
    return Tenants(
        TenantsParts{folder_, judge_, shipped_, metrics_, {}, nullptr, [](auto judge, const Kept&) {
                       return judge;
                     }});
  }

  std::string folder_ = testing::TempDir() + "/tenants-" + std::to_string(::getpid());
  FakeJudge judge_;
  std::vector<http::ShippedPolicy> shipped_;
  http::Metrics metrics_;
};

TEST_F(TenantsTest, EachHasAFolderOfItsOwnAndIsOpenedOnce) {
  Tenants tenants = Make();
  int opened = 0;
  const auto count = [&](Tenants::Tenant&) { ++opened; };
  ASSERT_TRUE(tenants.Open({"acme", "bolt"}, count));
  ASSERT_TRUE(tenants.Open({"acme"}, count));
  EXPECT_EQ(opened, 2);
  const http::TenantParts* acme = tenants.Find("acme");
  ASSERT_NE(acme, nullptr);
  EXPECT_EQ(tenants.Find("nobody"), nullptr);
  ASSERT_TRUE(
      acme->store->Publish("spam", {"# Spam\n\n## Violates\n- S1 Bad.\n", ""}, {"maria", "", 1}));
  EXPECT_TRUE(tenants.Find("bolt")->store->PolicyIds()->empty());
  const auto mode = std::filesystem::status(TenantFolder(folder_, "acme")).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_all) << "for its owner alone";
  tenants.Stop();
}

TEST_F(TenantsTest, OneThatCannotBeOpenedKeepsNoOtherFromBeing) {
  std::filesystem::create_directories(folder_ + "/tenants");
  std::ofstream(folder_ + "/tenants/acme") << "a file where its folder should be";
  Tenants tenants = Make();
  const Status opened = tenants.Open({"acme", "bolt"}, [](Tenants::Tenant&) {});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("the tenant acme"), std::string::npos);
  EXPECT_EQ(tenants.Find("acme"), nullptr);
  EXPECT_NE(tenants.Find("bolt"), nullptr);
  tenants.Stop();
}

// What is to be told to a tenant's webhook waits for the tenant's own secrets, and is signed with
// them; a change of them holds from the next message on.
TEST_F(TenantsTest, EachSignsItsWebhooksWithItsOwnSecrets) {
  const std::string old_secret = "whsec_" + std::string(32, 'A');
  const std::string new_secret = "whsec_" + std::string(32, 'B');
  http::TestReceiver receiver([](const http::ReceivedRequest&) { return http::Answer("200 OK"); });
  WebhookArguments arguments;
  arguments.allowed = {"127.0.0.1"};
  Tenants tenants(
      TenantsParts{folder_,
                   judge_,
                   shipped_,
                   metrics_,
                   {},
                   nullptr,
                   [](auto judge, const Kept&) { return judge; },
                   nullptr,
                   nullptr,
                   nullptr,
                   [&](const std::string& folder) { return OpenTenantSender(arguments, folder); }});
  Tenants::Tenant* acme = nullptr;
  ASSERT_TRUE(tenants.Open({"acme"}, [&](Tenants::Tenant& tenant) { acme = &tenant; }));
  const std::string path = TenantSecretsPath(acme->kept.folder);
  const auto send = [&] {
    const auto sent = acme->sender->Send({receiver.Url(), "msg_1", "{}", UtcNow()});
    return sent.end == moderation::SendEnd::kDelivered ? "" : sent.problem;
  };
  const auto signed_by = [&](const std::string& secret) {
    const http::ReceivedRequest request = receiver.requests().back();
    const auto secrets = http::ReadSecrets(secret).value();
    return http::VerifyWebhook(secrets, request.Field("webhook-id"),
                               request.Field("webhook-timestamp"),
                               request.Field("webhook-signature"), request.body, UtcNow() / 1000)
        .has_value();
  };
  EXPECT_NE(send(), "") << "nothing goes out unsigned";
  std::ofstream(path) << old_secret << "\n";
  ASSERT_EQ(send(), "");
  EXPECT_TRUE(signed_by(old_secret));
  std::ofstream(path) << new_secret << "\n" << old_secret << "\n";
  ASSERT_EQ(send(), "");
  EXPECT_TRUE(signed_by(old_secret) && signed_by(new_secret));
  std::ofstream(path) << new_secret << "\n";
  ASSERT_EQ(send(), "");
  EXPECT_FALSE(signed_by(old_secret));
  tenants.Stop();
}

TEST_F(TenantsTest, NoticesWaitUntilTheyMayBeSent) {
  class Counting final : public moderation::MessageSender {
   public:
    moderation::SendOutcome Send(const moderation::OutgoingMessage&) override {
      ++sent;
      return {moderation::SendEnd::kDelivered, "", {}};
    }
    std::atomic<int> sent = 0;
  } sender;
  Tenants tenants = Make();
  Tenants::Tenant* acme = nullptr;
  ASSERT_TRUE(tenants.Open({"acme"}, [&](Tenants::Tenant& tenant) { acme = &tenant; }));
  moderation::NewJob notice{.kind = moderation::kNotifyJob,
                            .payload = moderation::NoticeJson({"https://example.com/", "m", "{}"})};
  ASSERT_TRUE(acme->kept.queue->Enqueue(std::span(&notice, 1), UtcNow()));
  std::atomic<bool> may = false;
  std::atomic<int> asked = 0;
  ServeJobs jobs(ServeJobsParts{[](const std::string&, const std::string&) {}});
  jobs.Add(
      {*acme->kept.queue, *acme->kept.verdicts, *acme->judge, *acme->shelf, nullptr, &sender, [&] {
         ++asked;
         return may.load();
       }});
  while (asked.load() < 3) {
    std::this_thread::yield();
  }
  EXPECT_EQ(sender.sent.load(), 0);
  EXPECT_EQ(acme->kept.queue->Counts("", UtcNow())->waiting, 1U) << "no attempt is spent";
  may.store(true);
  while (acme->kept.queue->Counts("", UtcNow())->done == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(sender.sent.load(), 1);
  jobs.Stop();
  tenants.Stop();
}

}  // namespace
}  // namespace safeguard::apps
