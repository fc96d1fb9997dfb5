// Which text and which labelled cases a job is judged with.
#include "apps/commands/job_policies.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "apps/fake_services.h"
#include "apps/input/policy_catalog.h"

namespace safeguard::apps {
namespace {

class JobPoliciesTest : public ::testing::Test {
 protected:
  // A folder with data, in which no policy was published.
  void SetUp() override { std::filesystem::create_directories(folder.Path("data/audit")); }

  std::size_t CasesOf(const moderation::Policy& policy, const std::string& text) {
    moderation::JudgedPolicy wanted;
    wanted.policy = policy.Reference();
    wanted.text = text;
    const auto prepared = policies.Find(wanted);
    EXPECT_TRUE(prepared) << prepared.error().message;
    return dynamic_cast<const FakePrepared&>(**prepared).golden();
  }

  FakeServices services;
  FakeJudge judge;
  TestFolder folder;
  JobPolicies policies{services, folder.Path("data"), judge, nullptr};
};

TEST_F(JobPoliciesTest, AShippedPolicyIsJudgedWithItsLabelledCasesAsClassifyDoes) {
  const PolicyCatalog catalog(services.shipped_policies(), folder.Path("data"));
  const auto alpha = catalog.Load("alpha", "", Golden::kRead);
  ASSERT_TRUE(alpha) << alpha.error().message;
  ASSERT_FALSE(alpha->golden.empty());
  EXPECT_EQ(CasesOf(alpha->policy, alpha->bytes), alpha->golden.size());
}

TEST_F(JobPoliciesTest, APolicyOfTheSameNameWithOtherBytesLendsNoCases) {
  const std::string text = "# Alpha\n\n## Violates\n- X1.a Anything at all.\n";
  const auto other = moderation::ReadPolicy(text, "alpha");
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(CasesOf(*other, text), 0U);
}

TEST_F(JobPoliciesTest, AStoreThatCannotBeReadIsToldAndNotJudgedAround) {
  const std::string broken = folder.Write("data/policies.db", std::string(8192, 'x'));
  const PolicyCatalog shipped(services.shipped_policies(), "");
  const auto alpha = shipped.Load("alpha", "", Golden::kRead);
  ASSERT_TRUE(alpha) << alpha.error().message;
  moderation::JudgedPolicy wanted;
  wanted.policy = alpha->policy.Reference();
  wanted.text = alpha->bytes;
  EXPECT_FALSE(policies.Find(wanted)) << broken;
}

}  // namespace
}  // namespace safeguard::apps
