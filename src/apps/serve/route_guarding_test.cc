// A route file's guard on its way to the proxy, and who decides where it degrades.
#include "apps/serve/route_guarding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "apps/fake_services.h"
#include "http/test_route.h"

namespace safeguard::apps {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RouteGuardingTest : public ::testing::Test {
 protected:
  LoadedRoute Load(const std::string& yaml) {
    RouteRequest request;
    request.path = folder.Write("route.yaml", yaml);
    Result<LoadedRoute> loaded = LoadRoute(request, services);
    EXPECT_TRUE(loaded) << Describe(loaded.error());
    return std::move(*loaded);
  }

  TestFolder folder;
  FakeServices services;
};

TEST_F(RouteGuardingTest, WhatTheFileSaysIsWhatTheProxyKeeps) {
  const LoadedRoute route = Load(R"(route: assistant
policies: [alpha, beta]
guard:
  input: score
  output_fails: degrade
  visible_tokens: 32
  visible_ms: 250
  output_policies: [beta]
)");
  const std::vector<std::string> names = {"alpha", "beta@1f0c"};
  const Result<http::GuardOptions> options = GuardOptionsOf(route, names);
  ASSERT_TRUE(options) << Describe(options.error());
  EXPECT_EQ(options->input, http::ProxyMode::kScore);
  EXPECT_EQ(options->output, http::ProxyMode::kBlock);
  EXPECT_EQ(options->input_fail, guard::FailMode::kClosed);
  EXPECT_EQ(options->output_fail, guard::FailMode::kDegrade);
  EXPECT_EQ(options->stream.contract.tokens_max, 32U);
  EXPECT_EQ(options->stream.contract.visible_max, std::chrono::milliseconds(250));
  EXPECT_THAT(options->input_policies, IsEmpty()) << "all of the route's";
  EXPECT_THAT(options->output_policies, ElementsAre("beta@1f0c")) << "as the shelf calls it";
  EXPECT_TRUE(guard::CheckSettings(options->stream));
  EXPECT_TRUE(Degrades(*route.file.guard));
  EXPECT_FALSE(Degrades({}));
}

TEST_F(RouteGuardingTest, AFileOfThePolicyIsNamedAsItIs) {
  const std::string path = folder.Write("own.md", "# Own\n\n## Violates\n- O1 Bad.\n");
  const LoadedRoute route =
      Load("policies: [alpha, \"" + path + "\"]\nguard: {input_policies: [\"" + path + "\"]}\n");
  const std::vector<std::string> names = {"alpha", "own@12"};
  EXPECT_THAT(GuardOptionsOf(route, names)->input_policies, ElementsAre("own@12"));
}

TEST_F(RouteGuardingTest, APolicyThatTheRouteHasNotIsAnError) {
  const LoadedRoute route = Load("guard: {input_policies: [alfa]}\n");
  const std::vector<std::string> names(route.policies.size(), "x");
  const Result<http::GuardOptions> options = GuardOptionsOf(route, names);
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().message, HasSubstr("alfa"));
}

class SlowRouteTest : public ::testing::Test {
 protected:
  http::TestRoute MakeRoute() {
    moderation::RouteSettings settings;
    settings.name = "assistant";
    return {settings, {"hate"}, {.shipped = house.shipped, .metrics = house.metrics, .now = [] {
                                   return 0;
                                 }}};
  }
  static moderation::Verdict Ask(http::Judging& judging, const std::string& policy) {
    http::JudgeJob job;
    job.policies = {policy};
    job.contents.push_back(moderation::Completion("something unclear"));
    job.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    std::promise<Result<http::JudgeAnswer>> promise;
    EXPECT_TRUE(judging.Submit(std::move(job), [&](Result<http::JudgeAnswer> answer) {
      promise.set_value(std::move(answer));
    }));
    Result<http::JudgeAnswer> answer = promise.get_future().get();
    EXPECT_TRUE(answer) << Describe(answer.error());
    return answer ? answer->verdicts.at(0) : moderation::Verdict{};
  }

  http::TestService house;
};

TEST_F(SlowRouteTest, TheRoutesReasonersDecide) {
  http::TestRoute route = MakeRoute();
  SlowRoute slow({.cascade = *route.cascade, .shelf = *route.shelf, .metrics = house.metrics});
  const moderation::Verdict verdict = Ask(slow.judging(), "hate");
  EXPECT_EQ(verdict.outcome, moderation::Outcome::kSafe);
  EXPECT_EQ(verdict.decided_by.layer, "reasoner");
  EXPECT_EQ(route.screen->calls.load(), 0) << "it has said what it can";
}

TEST_F(SlowRouteTest, TheServersSlowJudgeComesFirstAndKnowsTheRoutesOwnPolicies) {
  http::TestRoute route = MakeRoute();
  http::FakeJudge server;
  server.sees_clearly.store(true);
  const std::vector<http::ShippedPolicy> own = {http::Shipped("house-rules")};
  SlowRoute slow({.cascade = *route.cascade,
                  .shelf = *route.shelf,
                  .slow_judge = &server,
                  .own = own,
                  .metrics = house.metrics});
  EXPECT_EQ(Ask(slow.judging(), "house-rules").outcome, moderation::Outcome::kSafe);
  EXPECT_EQ(server.calls.load(), 1);
  EXPECT_EQ(route.reasoner->judge.calls.load(), 0);
}

}  // namespace
}  // namespace safeguard::apps
