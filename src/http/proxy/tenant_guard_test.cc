// The policies that the server's own configuration names guard every tenant's traffic.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/fake_upstream.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr const char* kHouseRules = "# House rules\n\n## Violates\n- H1 Bad things.\n";
constexpr const char* kOwnRules = "# Own rules\n\n## Violates\n- H1 Bad things, as acme has it.\n";

class TenantGuardTest : public ::testing::Test {
 protected:
  TenantGuardTest() : parts({.keys_required = true, .upstream = &upstream, .proxy = Guarded()}) {
    parts.AddTenant("acme");
    acme = AddKey("acme");
    own = AddKey("default");
    parts.keys.Set(list);
    upstream.Set({.content_type = "application/json", .body = R"({"choices": []})"});
  }
  static ProxyOptions Guarded() {
    ProxyOptions options;
    options.guard.input_policies = {"house"};
    options.guard.output_policies = {"house"};
    return options;
  }
  std::string AddKey(const std::string& tenant) {
    NewKey made = MakeKey(tenant, {Scope::kAdmin}, 0, RandomBytes(38));
    made.key.tenant = tenant;
    list.push_back(made.key);
    return made.secret;
  }
  Response Call(const std::string& key, const std::string& method, const std::string& target,
                const Json& body = nullptr) {
    return parts.Call(method, target, body.is_null() ? "" : body.dump(),
                      {{"authorization", "Bearer " + key}});
  }
  void Publish(const std::string& key, const char* text) {
    EXPECT_EQ(Call(key, "POST", "/v1/policies", {{"id", "house"}, {"text", text}}).status, 201);
    EXPECT_EQ(Call(key, "POST", "/v1/policies/house/versions/1/promote", {{"to", "active"}}).status,
              200);
  }
  Response Ask(const std::string& text) {
    return Call(acme, "POST", "/v1/chat/completions",
                {{"model", "gpt-x"}, {"messages", {{{"role", "user"}, {"content", text}}}}});
  }
  // Of the policy that the tenant's last record names.
  std::string LastHash() {
    const Json data = JsonOf(Call(acme, "GET", "/v1/verdicts?policy=house"))["data"];
    return data.empty() ? "" : data.back()["policy_hash"].get<std::string>();
  }
  static std::string HashOf(const char* text) {
    return moderation::ReadPolicy(text, "house").value().hash;
  }

  FakeUpstream upstream;
  TestService parts;
  std::vector<ApiKey> list;
  std::string acme;
  std::string own;
};

TEST_F(TenantGuardTest, ATenantThatHasThemNotIsGuardedByTheOperators) {
  Publish(own, kHouseRules);
  EXPECT_THAT(Ask("something bad").body, HasSubstr("house"));
  EXPECT_TRUE(upstream.requests().empty()) << "blocked";
  EXPECT_EQ(LastHash(), HashOf(kHouseRules)) << "in the tenant's own log";
  Ask("something good");
  EXPECT_EQ(upstream.requests().size(), 1U);
  EXPECT_EQ(JsonOf(Call(own, "GET", "/v1/verdicts"))["data"].size(), 0U);
}

TEST_F(TenantGuardTest, ATenantsOwnOfTheSameNameComesFirst) {
  Publish(own, kHouseRules);
  Publish(acme, kOwnRules);
  Ask("something bad");
  EXPECT_TRUE(upstream.requests().empty());
  EXPECT_EQ(LastHash(), HashOf(kOwnRules));
}

TEST_F(TenantGuardTest, WhatNobodyHasLetsNothingThrough) {
  const Response refused = Ask("something good");
  EXPECT_GE(refused.status, 400) << refused.body;
  EXPECT_TRUE(upstream.requests().empty());
}

TEST_F(TenantGuardTest, ATenantsRequestsDoNotReachTheOperatorsPolicies) {
  Publish(own, kHouseRules);
  const Response judged =
      Call(acme, "POST", "/v1/judge", {{"text", "something bad"}, {"policies", {"house"}}});
  EXPECT_EQ(judged.status, 404);
  EXPECT_EQ(Call(acme, "GET", "/v1/policies/house").status, 404);
}

}  // namespace
}  // namespace safeguard::http
