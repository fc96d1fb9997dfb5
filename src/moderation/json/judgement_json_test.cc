#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "moderation/content_json.h"
#include "moderation/judgement_job.h"

namespace safeguard::moderation {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Judgement Example() {
  Judgement judgement;
  judgement.content = UserMessage("caf\xC3\xA9 \"quoted\"\n");
  judgement.content.id = "c1";
  judgement.content.surface = "comment";
  judgement.content.language = "fr";
  judgement.policies = {
      {{"spam", "3", "h3"},
       "",
       Channel::kActive,
       {Outcome::kUndetermined, UndeterminedReason::kUncertain, 0.1 + 0.2, {"SP1"}, "screen"}},
      {{"own", "1", "h1"}, "# Own\n", Channel::kDirect, {Outcome::kSafe, {}, {}, {}, "screen"}}};
  judgement.webhook = "https://example.com/hook";
  judgement.route = "comments";
  judgement.route_file = "/etc/comments.yaml";
  judgement.why = "audit";
  judgement.audit_weight = 20;
  judgement.keep_content = true;
  return judgement;
}

TEST(JudgementJson, ComesBackWhole) {
  const Judgement written = Example();
  const NewJob job = JobOf(written).value();
  EXPECT_EQ(job.kind, "judge");
  const Judgement read = JudgementFromJson(job.payload).value();
  EXPECT_EQ(read.content.messages[0].text, written.content.messages[0].text);
  EXPECT_EQ(read.content.id, "c1");
  EXPECT_EQ(read.content.surface, "comment");
  EXPECT_EQ(read.content.language, "fr");
  ASSERT_EQ(read.policies.size(), 2U);
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_EQ(read.policies[p].policy.id, written.policies[p].policy.id);
    EXPECT_EQ(read.policies[p].policy.version, written.policies[p].policy.version);
    EXPECT_EQ(read.policies[p].policy.hash, written.policies[p].policy.hash);
    EXPECT_EQ(read.policies[p].text, written.policies[p].text);
    EXPECT_EQ(read.policies[p].channel, written.policies[p].channel);
    EXPECT_EQ(read.policies[p].provisional, written.policies[p].provisional);
  }
  EXPECT_EQ(read.webhook, written.webhook);
  EXPECT_EQ(read.route, "comments");
  EXPECT_EQ(read.why, "audit");
  EXPECT_EQ(read.audit_weight, 20);
  EXPECT_TRUE(read.keep_content);
}

TEST(JudgementJson, TheFingerprintIsOfTheQuestionAlone) {
  const Judgement one = Example();
  Judgement same = one;
  same.policies[0].provisional.score = 0.9;
  same.content.id = "another name";
  EXPECT_EQ(JobOf(one)->fingerprint, JobOf(same)->fingerprint);
  Judgement other = one;
  other.content.messages[0].text += "!";
  EXPECT_NE(JobOf(one)->fingerprint, JobOf(other)->fingerprint);
  other = one;
  other.policies[1].policy.hash = "h2";
  EXPECT_NE(JobOf(one)->fingerprint, JobOf(other)->fingerprint);
  Judgement asked = one;
  asked.why = "asked";
  other = asked;
  other.route = "direct-messages";
  EXPECT_NE(JobOf(asked)->fingerprint, JobOf(other)->fingerprint);
}

TEST(JudgementJson, RefusesWhatItDidNotWrite) {
  const nlohmann::json whole = nlohmann::json::parse(JobOf(Example())->payload);
  for (const auto& item : whole.items()) {
    nlohmann::json broken = whole;
    broken.erase(item.key());
    // Only what earlier queues did not have may be missing.
    EXPECT_EQ(JudgementFromJson(broken.dump()).has_value(), item.key() == "route_file")
        << "without " << item.key();
    broken[item.key()] = nullptr;
    EXPECT_FALSE(JudgementFromJson(broken.dump())) << "null " << item.key();
  }
  for (const auto& item : whole["policies"][0].items()) {
    nlohmann::json broken = whole;
    broken["policies"][0].erase(item.key());
    EXPECT_FALSE(JudgementFromJson(broken.dump())) << "policy without " << item.key();
  }
  for (const char* text : {"", "null", "[]", "{", "{\"kind\": 1}"}) {
    EXPECT_FALSE(JudgementFromJson(text)) << text;
    EXPECT_FALSE(NoticeFromJson(text)) << text;
  }
  Judgement none = Example();
  none.policies.clear();
  EXPECT_EQ(JobOf(none).error().code, ErrorCode::kLimit);
  Judgement far = Example();
  far.webhook.resize(kWebhookUrlBytesMax + 1, 'x');
  EXPECT_EQ(JobOf(far).error().code, ErrorCode::kLimit);
}

VerdictRecord FinalRecord() {
  Verdict verdict;
  verdict.policy = {"spam", "3", "h3"};
  verdict.outcome = Outcome::kViolation;
  verdict.reason = UndeterminedReason::kNone;
  verdict.score = 0.75;
  verdict.category = "SP";
  verdict.rule_ids = {"SP2"};
  verdict.reasoning = "a chain of thought";
  verdict.decided_by = {"reasoner", "gpt-oss-safeguard-20b", "mh", {}};
  VerdictRecord record =
      RecordOf(verdict, Example().content, Channel::kActive, 1234567890123, false);
  record.key = "j1/0";
  record.provisional = EarlierVerdict{
      Outcome::kUndetermined, UndeterminedReason::kUncertain, 0.5, {"SP1"}, "screen"};
  return record;
}

TEST(RecordsJson, ComeBackWhole) {
  std::vector<VerdictRecord> written = {FinalRecord(), FinalRecord()};
  written[1].score.reset();
  written[1].provisional.reset();
  const std::string json = RecordsJson(written);
  const std::vector<VerdictRecord> read = RecordsFromJson(json).value();
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(RecordsJson(read), json);
  EXPECT_EQ(read[0].score, 0.75);
  EXPECT_EQ(read[0].provisional, written[0].provisional);
  EXPECT_FALSE(read[1].score || read[1].provisional);
  EXPECT_EQ(read[0].content_hash, ContentHash(Example().content));
  const nlohmann::json whole = nlohmann::json::parse(json);
  for (const auto& item : whole[0].items()) {
    if (item.key() != "provisional" && item.key() != "provenance") {
      nlohmann::json without = whole;
      without[0].erase(item.key());
      EXPECT_FALSE(RecordsFromJson(without.dump())) << item.key();
    }
  }
  EXPECT_FALSE(RecordsFromJson("{}"));
}

TEST(EventJson, SaysWhatChangedAndNothingThatPeopleWrote) {
  Job job;
  job.id = "j1";
  job.what.key = "order-7";
  const std::string text = FinalEventJson(job, {FinalRecord()}, 1234567890123);
  EXPECT_THAT(text, Not(HasSubstr("caf")));
  EXPECT_THAT(text, Not(HasSubstr("chain of thought")));
  EXPECT_EQ(nlohmann::ordered_json::parse(text).dump(1), R"({
 "type": "verdict.final",
 "timestamp": "2009-02-13T23:31:30.123Z",
 "data": {
  "job": "j1",
  "key": "order-7",
  "content": {
   "id": "c1",
   "hash": ")" + ContentHash(Example().content) + R"("
  },
  "verdicts": [
   {
    "policy": "spam",
    "policy_version": "3",
    "policy_hash": "h3",
    "outcome": "violation",
    "reason": null,
    "score": 0.75,
    "rule_ids": [
     "SP2"
    ],
    "decided_by": "reasoner",
    "category": "SP",
    "model": "gpt-oss-safeguard-20b",
    "provisional": {
     "outcome": "undetermined",
     "reason": "uncertain",
     "score": 0.5,
     "rule_ids": [
      "SP1"
     ],
     "decided_by": "screen"
    },
    "changed": {
     "outcome": true,
     "score": 0.25,
     "rules_added": [
      "SP2"
     ],
     "rules_dropped": [
      "SP1"
     ]
    }
   }
  ]
 }
})");
  const std::string abandoned = AbandonedEventJson(job, Example(), "no model", 0);
  EXPECT_THAT(abandoned, HasSubstr("\"type\":\"verdict.abandoned\""));
  EXPECT_THAT(abandoned, HasSubstr("\"problem\":\"no model\""));
  EXPECT_THAT(abandoned, Not(HasSubstr("caf")));
}

}  // namespace
}  // namespace safeguard::moderation
