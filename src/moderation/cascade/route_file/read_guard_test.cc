#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "moderation/route_file.h"

namespace safeguard::moderation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RouteGuard, EveryKeyIsRead) {
  const Result<RouteFile> file = ReadRouteFile(R"(route: assistant
policies: [spam, hate]
guard:
  input: block
  output: score
  input_fails: degrade
  output_fails: open
  visible_tokens: 32
  visible_ms: 250
  input_policies: [spam, hate]
  output_policies: hate
)");
  ASSERT_TRUE(file.has_value()) << Describe(file.error());
  ASSERT_TRUE(file->guard.has_value());
  const RouteGuard& guard = *file->guard;
  EXPECT_EQ(guard.input.mode, GuardMode::kBlock);
  EXPECT_EQ(guard.output.mode, GuardMode::kScore);
  EXPECT_EQ(guard.input.fails, GuardFailure::kDegrade);
  EXPECT_EQ(guard.output.fails, GuardFailure::kOpen);
  EXPECT_EQ(guard.visible_tokens, 32U);
  EXPECT_EQ(guard.visible_time, std::chrono::milliseconds(250));
  EXPECT_THAT(guard.input.policies, ElementsAre("spam", "hate"));
  EXPECT_THAT(guard.output.policies, ElementsAre("hate"));
}

TEST(RouteGuard, WhatIsNotSaidIsStrict) {
  for (const char* yaml : {"guard:\n", "guard: {}\n", "guard: {visible_ms: 0}\n"}) {
    const Result<RouteFile> file = ReadRouteFile(yaml);
    ASSERT_TRUE(file.has_value()) << Describe(file.error());
    ASSERT_TRUE(file->guard.has_value()) << yaml;
    EXPECT_EQ(file->guard->input.mode, GuardMode::kBlock);
    EXPECT_EQ(file->guard->output.fails, GuardFailure::kClosed);
    EXPECT_EQ(file->guard->visible_tokens, 0U);
    EXPECT_TRUE(file->guard->output.policies.empty()) << "all of the route's";
  }
}

TEST(RouteGuard, ARouteWithoutTheSectionGuardsNothing) {
  EXPECT_FALSE(ReadRouteFile("route: comments\n")->guard.has_value());
}

struct Fault {
  const char* yaml;
  const char* says;
};

class RouteGuardFault : public testing::TestWithParam<Fault> {};

TEST_P(RouteGuardFault, IsSaidWithItsPlace) {
  const Result<RouteFile> file = ReadRouteFile(GetParam().yaml);
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, RouteGuardFault,
    testing::Values(
        Fault{"guard:\n  inputs: block\n", "route line 2: `guard.inputs` is not known"},
        Fault{"guard: closed\n", "`guard` must be `key: value` lines"},
        Fault{"guard:\n  output: pass\n", "line 2: `guard.output` must be one of block, score"},
        Fault{"guard:\n  output_fails: safe\n", "must be one of closed, open, degrade"},
        Fault{"guard: {visible_tokens: -1}\n", "`guard.visible_tokens` must be a number from 0"},
        Fault{"guard: {visible_tokens: 100001}\n", "from 0 to 100000"},
        Fault{"guard: {visible_ms: 60001}\n", "from 0 to 60000"},
        Fault{"guard:\n  visible_tokens: 8\n  visible_ms: 0\n",
              "line 3: `guard.visible_ms` is 0: nothing is visible"},
        Fault{"guard:\n  input: score\n  input_fails: closed\n",
              "line 3: `guard.input_fails` cannot hold beside `input: score`"},
        Fault{"guard: {output: score, output_fails: degrade}\n",
              "`guard.output_fails` cannot hold"},
        Fault{"policies: [spam]\nguard:\n  output_policies: [spam, hat]\n",
              "line 3: `guard.output_policies` names \"hat\", which is none of the route's"},
        Fault{"policies: [spam]\nguard: {input_policies: []}\n",
              "`guard.input_policies` is empty: nothing would be judged"},
        Fault{"policies: [spam]\nguard: {input_policies: [spam, spam]}\n", "names \"spam\" twice"},
        Fault{"guard: {input_policies: {a: b}}\n", "`guard.input_policies` must be a list"},
        Fault{"guard: {input: block}\nguard: {input: score}\n", "`guard` is there twice"}));

}  // namespace
}  // namespace safeguard::moderation
