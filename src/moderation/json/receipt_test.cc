// A receipt says all of a verdict but its content, is read back as it was written, and two verdicts
// are told apart by whatever differs.
#include "moderation/receipt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "moderation/content_json.h"

namespace safeguard::moderation {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

VerdictRecord Judged() {
  Verdict verdict;
  verdict.policy = {"spam", "3", std::string(64, 'b')};
  verdict.outcome = Outcome::kViolation;
  verdict.reason = UndeterminedReason::kNone;
  verdict.score = 0.1 + 0.2;
  verdict.category = "SP2";
  verdict.rule_ids = {"SP2.a"};
  verdict.decided_by = {"reasoner",
                        "gpt-oss",
                        std::string(64, 'c'),
                        {{"effort", "low"}, {"seed", "7"}, {"prompt_ids", std::string(64, 'd')}}};
  verdict.path = {{"screen", "", Outcome::kUndetermined, UndeterminedReason::kUncertain, 0.5, 2.5,
                   "in the band"},
                  {"reasoner", "low", Outcome::kViolation, UndeterminedReason::kNone, 0.9, 80, ""}};
  Content content = UserMessage("a secret text");
  content.id = "m1";
  VerdictRecord record = RecordOf(verdict, content, Channel::kCanary, 1764374400123, true);
  record.sequence = 12;
  record.provenance.setup = R"({"build":{"version":"1","commit":"abc"},"judge":{"judge":"x"}})";
  return record;
}

TEST(ReceiptTest, IsReadBackAsItWasWritten) {
  const VerdictRecord written = Judged();
  const std::string json = ReceiptJson(written);
  EXPECT_THAT(json, Not(HasSubstr("secret"))) << "the content's hash alone";
  const Result<VerdictRecord> read = ReceiptFromJson(json);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->sequence, 12);
  EXPECT_EQ(read->when, written.when);
  EXPECT_EQ(read->score, written.score) << "to the last digit";
  EXPECT_EQ(read->channel, Channel::kCanary);
  EXPECT_EQ(read->content_hash, written.content_hash);
  EXPECT_EQ(read->provenance.settings, written.provenance.settings);
  EXPECT_EQ(Json::parse(read->provenance.setup), Json::parse(written.provenance.setup));
  EXPECT_THAT(CompareVerdicts(written, *read), ::testing::IsEmpty());
  EXPECT_EQ(ReceiptJson(*read), json);
}

TEST(ReceiptTest, WhateverDiffersIsTold) {
  const VerdictRecord then = Judged();
  const auto differs = [&](auto change) {
    VerdictRecord now = then;
    change(now);
    const std::vector<ReceiptDifference> found = CompareVerdicts(then, now);
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? std::string() : found[0].what;
  };
  EXPECT_EQ(differs([](auto& r) { r.outcome = Outcome::kSafe; }), "outcome");
  EXPECT_EQ(differs([](auto& r) { r.score = 0.3; }), "score") << "0.3 is not 0.1 + 0.2";
  EXPECT_EQ(differs([](auto& r) { r.score.reset(); }), "score");
  EXPECT_EQ(differs([](auto& r) { r.rule_ids.clear(); }), "rules");
  EXPECT_EQ(differs([](auto& r) { r.model_hash = "other"; }), "weights");
  EXPECT_EQ(differs([](auto& r) { r.policy.hash = "other"; }), "policy");
  EXPECT_EQ(differs([](auto& r) { r.provenance.settings["seed"] = "8"; }), "settings.seed");
  EXPECT_EQ(differs([](auto& r) { r.provenance.settings.erase("prompt_ids"); }),
            "settings.prompt_ids");
  EXPECT_EQ(differs([](auto& r) { r.provenance.path.pop_back(); }), "path");
  VerdictRecord slower = then;
  slower.when += 5;
  slower.sequence = 99;
  slower.provenance.path[0].ms = 1000;
  EXPECT_THAT(CompareVerdicts(then, slower), ::testing::IsEmpty()) << "times and ids do not count";
}

TEST(ReceiptTest, AnotherBuildIsTold) {
  const std::string then = R"({"build":{"commit":"abc","version":"1"},"judge":{"threads":1}})";
  const std::string now = R"({"build":{"commit":"def","version":"1"},"judge":{"threads":2}})";
  const std::vector<ReceiptDifference> found = CompareSetups(then, now);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], (ReceiptDifference{"build.commit", "abc", "def"}));
  EXPECT_THAT(CompareSetups(then, then), ::testing::IsEmpty());
  EXPECT_EQ(CompareSetups("", then).size(), 2U);
}

TEST(ReceiptTest, AVerdictFromBeforeReceiptsHasNoSetup) {
  VerdictRecord record = Judged();
  record.provenance = {};
  const Result<VerdictRecord> read = ReceiptFromJson(ReceiptJson(record));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->provenance.setup, "");
}

TEST(ReceiptTest, WhatIsNoReceiptIsSaidToBeNone) {
  for (const char* text : {"", "{}", "[]", "\xff", R"({"receipt":1})", R"({"receipt":"1"})"}) {
    const Result<VerdictRecord> read = ReceiptFromJson(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidInput);
  }
  EXPECT_THAT(ReceiptFromJson(R"({"receipt":2})").error().message, HasSubstr("form"));
  EXPECT_FALSE(ReceiptFromJson(std::string(100'000, '[')));
  EXPECT_FALSE(ReceiptFromJson(std::string(kReceiptBytesMax + 1, ' ')));
}

// Each field once taken out, and once of another type: an error, or a receipt that is whole.
TEST(ReceiptTest, NoFieldIsGuessed) {
  const Json whole = Json::parse(ReceiptJson(Judged()));
  std::size_t refused = 0;
  for (const auto& [name, value] : whole.items()) {
    Json without = whole;
    without.erase(name);
    refused += ReceiptFromJson(without.dump()) ? 0 : 1;
    Json wrong = whole;
    wrong[name] = true;
    refused += ReceiptFromJson(wrong.dump()) ? 0 : 1;
  }
  EXPECT_EQ(refused, 2 * whole.size() - 4) << "setup and signature alone may be missing";
}

TEST(ReceiptTest, ThePoliciesOfAJointPromptAreToldInOrder) {
  Policy spam;
  spam.id = "spam";
  spam.hash = std::string(64, 'b');
  Policy hate;
  hate.id = "\"hate\" ";
  hate.hash = std::string(64, 'c');
  const std::vector<const Policy*> asked = {&spam, &hate};
  std::map<std::string, std::string> settings = {JointPoliciesSetting(asked)};
  const Result<std::vector<PolicyReference>> read = JointPoliciesOf(settings);
  ASSERT_TRUE(read && read->size() == 2);
  EXPECT_EQ(read->at(0).id, spam.id);
  EXPECT_EQ(read->at(1).id, hate.id);
  EXPECT_EQ(read->at(1).hash, hate.hash);
  EXPECT_TRUE(JointPoliciesOf({{"effort", "low"}})->empty());
  for (const char* text : {"", "[]", "{}", "[1]", R"([{"id":"x"}])", R"([{"id":"x","hash":1}])"}) {
    settings.begin()->second = text;
    EXPECT_FALSE(JointPoliciesOf(settings)) << text;
  }
}

TEST(ProvenanceTest, IsKeptWithRecordsOfJobs) {
  const std::vector<VerdictRecord> written = {Judged()};
  const Result<std::vector<VerdictRecord>> read = RecordsFromJson(RecordsJson(written));
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[0].provenance.settings, written[0].provenance.settings);
  EXPECT_EQ((*read)[0].provenance.setup, written[0].provenance.setup);
  EXPECT_EQ((*read)[0].provenance.path.size(), 2U);
  EXPECT_FALSE(ProvenanceFromJson("{}"));
}

}  // namespace
}  // namespace safeguard::moderation
