#include "engine/runtime/request_queue.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/runtime/tenant_shares.h"

namespace safeguard::engine {
namespace {

using std::chrono::seconds;

class RequestQueueTest : public testing::Test {
 protected:
  void Push(const std::string& tenant, Priority priority = Priority::kInteractive,
            std::optional<seconds> time_max = {}) {
    auto request = std::make_unique<RequestState>();
    request->request.tenant = tenant;
    request->request.priority = priority;
    request->submitted = now_;
    request->deadline = now_ + time_max.value_or(kUsualDeadline);
    request->order = ++order_;
    request->level = &shares_.Arrive(tenant);
    queue_.Push(std::move(request));
  }
  // The order of submission of the next one, which is charged.
  std::uint64_t Next(std::size_t tokens = 10) {
    RequestState* next = queue_.Next(now_, batch_running_);
    if (next == nullptr) {
      return 0;
    }
    shares_.Charge(next->request.tenant, tokens);
    taken_.push_back(queue_.Take(*next));
    return taken_.back()->order;
  }

  TenantShares shares_{{{"double", 2.0}}};
  RequestQueue queue_{seconds(60), 2};
  std::size_t batch_running_ = 0;
  Time now_{};
  std::uint64_t order_ = 0;
  std::vector<std::unique_ptr<RequestState>> taken_;
};

TEST_F(RequestQueueTest, TenantsTakeTurns) {
  for (int i = 0; i < 4; ++i) {
    Push("flood");
  }
  Push("other");
  Push("other");
  EXPECT_EQ(Next(), 1U);
  EXPECT_EQ(Next(), 5U);
  EXPECT_EQ(Next(), 2U);
  EXPECT_EQ(Next(), 6U);
  EXPECT_EQ(Next(), 3U);
}

TEST_F(RequestQueueTest, DearRequestsCountByTheirTokens) {
  for (int i = 0; i < 3; ++i) {
    Push("dear");
    Push("cheap");
  }
  EXPECT_EQ(Next(100), 1U);
  EXPECT_EQ(Next(10), 2U);
  EXPECT_EQ(Next(10), 4U);
  EXPECT_EQ(Next(10), 6U);
  EXPECT_EQ(Next(100), 3U);
}

TEST_F(RequestQueueTest, WeightsAreShares) {
  for (int i = 0; i < 9; ++i) {
    Push("double");
    Push("single");
  }
  int doubles = 0;
  for (int i = 0; i < 9; ++i) {
    doubles += Next() % 2 == 1 ? 1 : 0;
  }
  EXPECT_EQ(doubles, 6);
}

TEST_F(RequestQueueTest, WhoWasAwayNeitherSavedUpNorOwes) {
  Push("always");
  for (int i = 0; i < 50; ++i) {
    EXPECT_NE(Next(), 0U);
    Push("always");
  }
  Push("late");
  Push("late");
  EXPECT_EQ(Next(), 52U);
  EXPECT_EQ(Next(), 51U) << "one turn each, not fifty in a row";
}

TEST_F(RequestQueueTest, InteractiveFirstUntilBatchHasWaited) {
  Push("a", Priority::kBatch);
  now_ += seconds(10);
  Push("a", Priority::kBatch);
  Push("a");
  EXPECT_EQ(Next(), 3U);
  now_ += seconds(50);
  Push("b");
  EXPECT_EQ(Next(), 4U) << "the other tenant has had nothing yet";
  Push("b");
  batch_running_ = 2;
  Push("a");
  EXPECT_EQ(Next(), 5U) << "enough batch requests run";
  Push("a");
  batch_running_ = 1;
  EXPECT_EQ(Next(), 1U) << "has waited a minute, and counts as interactive";
  EXPECT_EQ(Next(), 6U);
  EXPECT_EQ(Next(), 7U);
  EXPECT_EQ(Next(), 2U);
  EXPECT_EQ(Next(), 0U);
}

TEST_F(RequestQueueTest, EarliestDeadlineOfOneTenant) {
  Push("a");
  Push("a", Priority::kInteractive, seconds(30));
  Push("a", Priority::kInteractive, seconds(5));
  EXPECT_EQ(Next(), 3U);
  EXPECT_EQ(Next(), 2U);
  now_ += kUsualDeadline;
  Push("a", Priority::kInteractive, seconds(5));
  EXPECT_EQ(Next(), 1U) << "those with limits do not pass it for ever";
}

TEST_F(RequestQueueTest, HeldBackAndEndedOnesArePassedOver) {
  Push("a");
  Push("a");
  Push("a");
  queue_.Next(now_, 0)->held = true;
  RequestState* second = queue_.Next(now_, 0);
  EXPECT_EQ(second->order, 2U);
  second->End(FinishReason::kCancelled);
  EXPECT_EQ(Next(), 3U);
  EXPECT_EQ(Next(), 0U);
  queue_.Release();
  EXPECT_EQ(queue_.TakeEnded().size(), 1U);
  EXPECT_EQ(Next(), 1U);
  EXPECT_TRUE(queue_.empty());
}

TEST(TenantSharesTest, WhatWasNotUsedIsGivenBack) {
  TenantShares shares({});
  const double& a = shares.Arrive("a");
  shares.Charge("a", 100);
  EXPECT_EQ(a, 100);
  shares.GiveBack("a", 40);
  EXPECT_EQ(a, 60);
  shares.Leave("a");
  EXPECT_EQ(shares.Arrive("b"), 0) << "the floor is where the last one started";
}

TEST(TenantSharesTest, IdleTenantsAreForgottenInTheEnd) {
  TenantShares shares({});
  for (int i = 0; i < 20'000; ++i) {
    const std::string tenant = std::to_string(i);
    shares.Arrive(tenant);
    shares.Charge(tenant, 10);
    shares.Leave(tenant);
  }
  EXPECT_LT(shares.size(), 5000U);
}

}  // namespace
}  // namespace safeguard::engine
