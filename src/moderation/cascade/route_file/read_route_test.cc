#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "moderation/route_file.h"

namespace safeguard::moderation {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kWhole = R"(route: comments
policies:
  - spam
  - policy: hate
    severity: 5
    false_alarm: 0.2
    band: [0.1, 0.8]
    languages: [en, de]
    recall_bound: 0.9
    screen: dedicated
lists: [terms.yaml, hashes.yaml]
screen: {model: /models, kind: trained}
reasoners:
  - {name: low, model: /models/20b, effort: low, precision: int8, tokens: 400, unsure: [0.3, 0.7]}
  - {name: vote, model: /models/20b, effort: high, samples: 5, temperature: 1}
on_failure: {lists: undetermined, screen: next, reasoner: undetermined}
unanswered: provisional
time: {budget_ms: 2000, p99_ms: 800, finish_ms: 90000}
audit: {safe: 0.01, violation: 0.05, later: on, window_s: 600, windows: 6}
budget: {tokens_per_second: 500, money_per_day: 20, price_per_million_tokens: 0.5, burst_s: 5}
degrade: [audit, shed]
language_gate: known
tamper_defence: on
need_canary: no
review: {undetermined: yes}
seed: 7
)";

TEST(RouteFile, EveryKeyIsRead) {
  const Result<RouteFile> file = ReadRouteFile(kWhole);
  ASSERT_TRUE(file.has_value()) << Describe(file.error());
  const RouteSettings& route = file->settings;
  EXPECT_EQ(route.name, "comments");
  ASSERT_EQ(route.policies.size(), 2U);
  EXPECT_EQ(route.policies[0].policy, "spam");
  EXPECT_EQ(route.policies[1].severity, 5);
  EXPECT_EQ(route.policies[1].band->high, 0.8);
  EXPECT_EQ(route.policies[1].recall_bound, 0.9);
  EXPECT_EQ(PolicySettings(route, "hate").false_alarm, 0.2);
  EXPECT_EQ(PolicySettings(route, "other").severity, 1);
  EXPECT_EQ(file->lists.size(), 2U);
  EXPECT_EQ(file->screen_kind, "trained");
  EXPECT_EQ(route.policies[0].screen, "") << "the route's";
  EXPECT_EQ(route.policies[1].screen, "dedicated");
  EXPECT_EQ(route.finish_budget, std::chrono::seconds(90));
  EXPECT_EQ(file->screen_model, "/models");
  EXPECT_EQ(route.reasoners[0].unsure->low, 0.3);
  EXPECT_EQ(route.reasoners[0].precision, "int8");
  EXPECT_EQ(route.reasoners[1].precision, "default");
  EXPECT_EQ(route.reasoners[1].samples, 5U);
  EXPECT_EQ(route.on_list_failure, OnFailure::kUndetermined);
  EXPECT_EQ(route.on_screen_failure, OnFailure::kNext);
  EXPECT_EQ(route.unanswered, Unanswered::kProvisional);
  EXPECT_EQ(route.time_budget, std::chrono::seconds(2));
  EXPECT_EQ(route.governor.latency_p99, std::chrono::milliseconds(800));
  EXPECT_TRUE(route.audit.later);
  EXPECT_EQ(route.audit.window, std::chrono::minutes(10));
  EXPECT_EQ(route.governor.budget.burst, std::chrono::seconds(5));
  EXPECT_EQ(route.governor.order,
            (std::vector<Degradation>{Degradation::kAudit, Degradation::kShed}));
  EXPECT_TRUE(route.language_gate);
  EXPECT_FALSE(route.gate_unknown) << "`known`";
  EXPECT_FALSE(route.need_canary);
  EXPECT_TRUE(route.review_undetermined);
  EXPECT_EQ(route.seed, 7U);
}

TEST(RouteFile, AnEmptyOneIsAScreenAlone) {
  const Result<RouteFile> file = ReadRouteFile("# nothing yet\n");
  ASSERT_TRUE(file.has_value()) << Describe(file.error());
  EXPECT_TRUE(file->settings.reasoners.empty());
}

struct Fault {
  const char* yaml;
  const char* says;
};

class RouteFileFault : public testing::TestWithParam<Fault> {};

TEST_P(RouteFileFault, IsSaidWithItsPlace) {
  const Result<RouteFile> file = ReadRouteFile(GetParam().yaml);
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, RouteFileFault,
    testing::Values(
        Fault{"route: a\nbudjet: {share: 1}\n", "route line 2: `budjet` is not known"},
        Fault{"budget:\n  share: much\n", "route line 2: `budget.share` must be a number"},
        Fault{"budget: {tokens_per_second: 0}\n", "`budget.tokens_per_second` must be"},
        Fault{"policies:\n  - policy: a\n    band: [0.8, 0.1]\n", "line 3: `policies.band`"},
        Fault{"policies: [a, a]\n", "named twice"},
        Fault{"policies: hate\n", "`policies` must be a list"},
        Fault{"unanswered: safe\n", "must be one of undetermined, provisional"},
        Fault{"time: {budget_ms: 100, p99_ms: 200}\n", "p99_ms must be"},
        Fault{"reasoners: [{name: low}]\n", "the reasoner low needs model"},
        Fault{"reasoners: [{name: low, model: m, samples: 99}]\n", "`reasoners.samples`"},
        Fault{"reasoners: [{name: low, model: m, precision: int4}]\n",
              "`reasoners.precision` must be one of default, f32, int16, int8, bf16"},
        Fault{"audit: {safe: 0.1}\n", "an audit needs a reasoner"},
        Fault{"degrade: [effort, sleep]\n", "`degrade` must be of"},
        Fault{"degrade: [effort, effort]\n", "twice"},
        Fault{"route: a\nroute: b\n", "line 2: `route` is there twice"},
        Fault{"budget: {money_per_day: 3}\n", "needs price_per_million_tokens"},
        Fault{"screen: &x {model: a}\n", "an anchor (&name) is not accepted"},
        Fault{"- a\n- b\n", "a route must be `key: value` lines"},
        Fault{"route: \"a\n", "route line"}));

TEST(RouteFile, LimitsHold) {
  EXPECT_EQ(ReadRouteFile(std::string(kRouteBytesMax + 1, '#')).error().code, ErrorCode::kLimit);
  EXPECT_FALSE(ReadRouteFile(std::string_view("a\0b", 3)).has_value());
}

}  // namespace
}  // namespace safeguard::moderation
