// Tenants as a server opens them: each with a data folder of its own.
#include "apps/serve/tenants.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "apps/fake_services.h"

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

}  // namespace
}  // namespace safeguard::apps
