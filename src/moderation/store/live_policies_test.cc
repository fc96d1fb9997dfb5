#include "moderation/live_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "moderation/memory_store.h"

namespace safeguard::moderation {
namespace {

const Action kAction{"ada", "why", 1};

int Publish(PolicyStore& store, const std::string& text) {
  return store.Publish("spam", {"# Spam\n\n## Violates\n- SP1 " + text + "\n", ""}, kAction)
      .value()
      .version.number;
}

TEST(LivePolicies, AHeldSnapshotNeverChangesAndTheNextShowsTheChange) {
  const std::unique_ptr<PolicyStore> store = MemoryPolicyStore();
  LivePolicies live(*store);
  ASSERT_TRUE(store->Move("spam", Publish(*store, "one"), VersionState::kActive, 0, kAction));
  const auto before = live.Current().value();
  EXPECT_EQ(live.Current().value(), before) << "nothing changed, nothing is read again";
  ASSERT_TRUE(store->Move("spam", Publish(*store, "two"), VersionState::kActive, 0, kAction));
  const auto after = live.Current().value();
  EXPECT_EQ(before->Resolve("spam", "k")->version->policy.version, "1");
  EXPECT_EQ(after->Resolve("spam", "k")->version->policy.version, "2");
  EXPECT_GT(after->generation(), before->generation());
}

TEST(LivePolicies, WithoutAnActiveVersionNothingAnswers) {
  const std::unique_ptr<PolicyStore> store = MemoryPolicyStore();
  LivePolicies live(*store);
  Publish(*store, "one");
  const Result<Resolved> resolved = live.Current().value()->Resolve("spam", "k");
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, ErrorCode::kNotFound);
}

TEST(LivePolicies, TheCanaryAnswersForItsShareAndShadowsForNobody) {
  const std::unique_ptr<PolicyStore> store = MemoryPolicyStore();
  LivePolicies live(*store);
  ASSERT_TRUE(store->Move("spam", Publish(*store, "one"), VersionState::kActive, 0, kAction));
  ASSERT_TRUE(store->Move("spam", Publish(*store, "two"), VersionState::kCanary, 30, kAction));
  ASSERT_TRUE(store->Move("spam", Publish(*store, "three"), VersionState::kShadow, 0, kAction));
  const auto snapshot = live.Current().value();
  int canary = 0;
  for (int key = 0; key < 1000; ++key) {
    const Resolved resolved = snapshot->Resolve("spam", std::to_string(key)).value();
    EXPECT_EQ(resolved.version->policy.version, resolved.channel == Channel::kCanary ? "2" : "1");
    canary += resolved.channel == Channel::kCanary ? 1 : 0;
  }
  EXPECT_NEAR(canary, 300, 4 * std::sqrt(1000 * 0.3 * 0.7));
  ASSERT_EQ(snapshot->Find("spam")->shadows.size(), 1U);
  EXPECT_EQ(snapshot->Find("spam")->shadows[0]->policy.version, "3");
}

TEST(InCanary, KeysStayInAsThePercentageGrows) {
  for (int key = 0; key < 500; ++key) {
    bool in = false;
    for (const double percent : {0.0, 0.5, 1.0, 5.0, 25.0, 50.0, 99.0, 100.0}) {
      const bool now = InCanary("salt", "hash", std::to_string(key), percent);
      EXPECT_TRUE(now || !in);
      in = now;
    }
    EXPECT_TRUE(in) << "100 percent are all";
    EXPECT_FALSE(InCanary("salt", "hash", std::to_string(key), 0));
  }
}

TEST(InCanary, TheShareIsHeldForEveryVersionAndDiffersBetweenThem) {
  constexpr int kKeys = 20'000;
  int in_both = 0;
  for (const double percent : {1.0, 10.0, 50.0}) {
    const double share = percent / 100;
    const double bound = 4.5 * std::sqrt(kKeys * share * (1 - share));
    int in_one = 0;
    for (int key = 0; key < kKeys; ++key) {
      const std::string name = "account " + std::to_string(key);
      const bool one = InCanary("salt", "one", name, percent);
      in_one += one ? 1 : 0;
      in_both += one && percent == 50 && InCanary("salt", "two", name, percent) ? 1 : 0;
    }
    EXPECT_NEAR(in_one, kKeys * share, bound) << percent;
  }
  EXPECT_NEAR(in_both, kKeys / 4, 4.5 * std::sqrt(kKeys * 0.25 * 0.75)) << "independent";
}

}  // namespace
}  // namespace safeguard::moderation
