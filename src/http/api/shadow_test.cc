#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/api/shadow_results.h"
#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using moderation::Channel;
using moderation::Outcome;
using moderation::VerdictRecord;
using Json = nlohmann::json;

VerdictRecord Record(const std::string& version, Channel channel, Outcome outcome,
                     const std::string& hash) {
  VerdictRecord record;
  record.policy = {"spam", version, "h"};
  record.channel = channel;
  record.outcome = outcome;
  record.reason = outcome == Outcome::kUndetermined ? moderation::UndeterminedReason::kTimeout
                                                    : moderation::UndeterminedReason::kNone;
  record.content_hash = hash;
  record.content_id = "id-" + hash;
  return record;
}

TEST(ShadowResults, EachShadowHasOnePartner) {
  ShadowResults results("2");
  results.Add(Record("1", Channel::kActive, Outcome::kSafe, "a"));
  results.Add(Record("1", Channel::kActive, Outcome::kViolation, "a"));
  results.Add(Record("2", Channel::kShadow, Outcome::kSafe, "a"));
  results.Add(Record("2", Channel::kShadow, Outcome::kSafe, "a"));
  results.Add(Record("2", Channel::kShadow, Outcome::kSafe, "a"));
  results.Add(Record("3", Channel::kShadow, Outcome::kSafe, "a"));
  results.Add(Record("1", Channel::kDirect, Outcome::kSafe, "a"));
  results.Add(Record("2", Channel::kShadow, Outcome::kViolation, "b"));
  results.Add(Record("1", Channel::kCanary, Outcome::kSafe, "b"));
  EXPECT_EQ(results.shadows(), 4U) << "another version's and what was asked directly do not count";
  EXPECT_EQ(results.paired(), 3U) << "the third has nobody left";
  EXPECT_EQ(results.agreed(), 1U);
  EXPECT_EQ(results.directions().at({Outcome::kViolation, Outcome::kSafe}).count, 1U);
  EXPECT_EQ(results.directions().at({Outcome::kSafe, Outcome::kViolation}).count, 1U)
      << "the answer may be recorded after the shadow";
}

TEST(ShadowResults, ASharesIntervalHoldsAtTheEnds) {
  EXPECT_EQ(ShareOf(0, 10).low, 0);
  EXPECT_NEAR(ShareOf(0, 10).high, 0.2775, 1e-4);
  EXPECT_NEAR(ShareOf(5, 10).low, 0.2366, 1e-4);
  EXPECT_NEAR(ShareOf(5, 10).high, 0.7634, 1e-4);
  EXPECT_EQ(ShareOf(10, 10).high, 1);
}

TEST(ShadowRoute, AVersionInTheShadowStandsBesideTheActiveOne) {
  TestService parts;
  const OpenApiCheck check;
  for (const char* text :
       {"# Spam\n\n## Violates\n- S1 Bad.\n", "# Spam\n\n## Violates\n- S1 B.\n"}) {
    parts.Call("POST", "/v1/policies", Json{{"id", "spam"}, {"text", text}}.dump());
  }
  const auto promote = [&](int version, const char* to) {
    EXPECT_EQ(
        parts
            .Call("POST", "/v1/policies/spam/versions/" + std::to_string(version) + "/promote",
                  Json{{"to", to}}.dump())
            .status,
        200);
  };
  promote(1, "active");
  promote(2, "shadow");
  for (const char* text : {"bad", "good", "unclear"}) {
    parts.Call("POST", "/v1/judge",
               Json{{"text", text}, {"policies", {"spam"}}, {"id", text}}.dump());
  }
  parts.judging->Stop();  // the shadows come after the answers
  const auto shadow = [&](const std::string& version, const std::string& query = "") {
    const Response response =
        parts.Call("GET", "/v1/policies/spam/versions/" + version + "/shadow" + query);
    EXPECT_EQ(check.CheckResponse("get", "/v1/policies/{id}/versions/{version}/shadow", response),
              "");
    return response;
  };
  const Json json = JsonOf(shadow("2"));
  EXPECT_EQ(json["shadow_verdicts"], 3) << json;
  EXPECT_EQ(json["paired"], 3);
  EXPECT_EQ(json["agreed"], 3);
  EXPECT_EQ(json["agreement"]["value"], 1.0);
  EXPECT_GT(json["agreement"]["low"], 0.3);
  EXPECT_EQ(json["complete"], true);
  VerdictRecord answered = Record("1", Channel::kActive, Outcome::kSafe, "x");
  VerdictRecord other = Record("2", Channel::kShadow, Outcome::kViolation, "x");
  other.score = 0.9;
  const std::vector<VerdictRecord> both = {answered, other};
  ASSERT_TRUE(parts.log->Append(both));
  const Json more = JsonOf(shadow("2"));
  EXPECT_EQ(more["disagreements"][0]["from"], "safe");
  EXPECT_EQ(more["disagreements"][0]["to"], "violation");
  EXPECT_EQ(more["disagreements"][0]["share"]["value"], 0.25);
  EXPECT_EQ(more["disagreements"][0]["examples"][0]["id"], "id-x");
  EXPECT_EQ(more["disagreements"][0]["examples"][0]["shadow"]["score"], 0.9);
  EXPECT_EQ(JsonOf(shadow("1"))["agreement"], nullptr) << "it was never in the shadow";
  EXPECT_EQ(shadow("9").status, 404);
  EXPECT_EQ(shadow("two").status, 404);
  EXPECT_EQ(shadow("2", "?from=yesterday").status, 400);
}

}  // namespace
}  // namespace safeguard::http
