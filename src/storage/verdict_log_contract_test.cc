// What every VerdictLog promises. A new implementation is added at the end.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "moderation/memory_store.h"
#include "moderation/verdict_log.h"
#include "storage/stores.h"
#include "storage/test_stores.h"

namespace safeguard::storage {
namespace {

using moderation::Channel;
using moderation::Content;
using moderation::Outcome;
using moderation::UndeterminedReason;
using moderation::Verdict;
using moderation::VerdictLog;
using moderation::VerdictPage;
using moderation::VerdictQuery;
using moderation::VerdictRecord;

struct Kind {
  const char* name;
  std::function<std::unique_ptr<VerdictLog>(const std::string& folder)> open;
};

VerdictRecord Record(const std::string& text, const std::string& version, moderation::TimeMs when,
                     bool keep_content) {
  Content content = moderation::UserMessage(text);
  content.id = "id of " + text;
  content.surface = "comment";
  content.language = "pt-BR";
  Verdict verdict;
  verdict.policy = {"spam", version, "hash" + version};
  verdict.outcome = Outcome::kViolation;
  verdict.reason = UndeterminedReason::kNone;
  verdict.score = 0.1 + 0.2;
  verdict.category = "SP";
  verdict.rule_ids = {"SP1", "SP2"};
  verdict.decided_by = {"screen", "minilm", "abc", {}};
  return RecordOf(verdict, content, Channel::kActive, when, keep_content);
}

class VerdictLogContract : public ::testing::TestWithParam<Kind> {
 protected:
  void Append(const VerdictRecord& record) { ASSERT_TRUE(log->Append(std::span(&record, 1))); }
  std::vector<VerdictRecord> All(VerdictQuery query) { return log->Scan(query).value().records; }

  TestFolder folder;
  std::unique_ptr<VerdictLog> log = GetParam().open(folder.path());
};

TEST_P(VerdictLogContract, KeepsHowAVerdictCameAbout) {
  VerdictRecord told = Record("a", "3", 1, false);
  told.provenance.settings = {{"effort", "low"}};
  told.provenance.path.push_back(
      {"screen", "s", Outcome::kSafe, UndeterminedReason::kNone, 0.25, 0, "below the band"});
  told.provenance.setup = R"({"build":{"version":"1"}})";
  VerdictRecord same_setup = Record("b", "3", 2, false);
  same_setup.provenance.setup = told.provenance.setup;
  const VerdictRecord untold = Record("c", "3", 3, false);
  Append(told);
  Append(same_setup);
  Append(untold);
  const std::vector<VerdictRecord> records = All({});
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].provenance.settings, told.provenance.settings);
  ASSERT_EQ(records[0].provenance.path.size(), 1U);
  EXPECT_EQ(records[0].provenance.path[0].score, 0.25);
  EXPECT_EQ(records[0].provenance.path[0].why, "below the band");
  EXPECT_EQ(records[0].provenance.setup, told.provenance.setup);
  EXPECT_EQ(records[1].provenance.setup, told.provenance.setup);
  EXPECT_EQ(records[2].provenance.setup, "");
}

TEST_P(VerdictLogContract, GivesBackWhatWasAppended) {
  const VerdictRecord written = Record("caf\xC3\xA9", "3", 1234567890123, true);
  Append(written);
  const std::vector<VerdictRecord> records = All({});
  ASSERT_EQ(records.size(), 1U);
  const VerdictRecord& read = records[0];
  EXPECT_GT(read.sequence, 0);
  EXPECT_EQ(read.when, written.when);
  EXPECT_EQ(read.content_hash, ContentHash(*written.content));
  ASSERT_TRUE(read.content);
  EXPECT_EQ(read.content->messages[0].text, "caf\xC3\xA9");
  EXPECT_EQ(read.content->kind, written.content->kind);
  EXPECT_EQ(read.content->surface, "comment");
  EXPECT_EQ(read.content_id, written.content_id);
  EXPECT_EQ(read.language, "pt-BR");
  EXPECT_EQ(read.policy.id, "spam");
  EXPECT_EQ(read.policy.version, "3");
  EXPECT_EQ(read.policy.hash, "hash3");
  EXPECT_EQ(read.channel, Channel::kActive);
  EXPECT_EQ(read.outcome, Outcome::kViolation);
  EXPECT_EQ(read.reason, UndeterminedReason::kNone);
  EXPECT_EQ(read.score, 0.1 + 0.2) << "exactly";
  EXPECT_EQ(read.category, "SP");
  EXPECT_EQ(read.rule_ids, written.rule_ids);
  EXPECT_EQ(read.layer, "screen");
  EXPECT_EQ(read.model, "minilm");
  EXPECT_EQ(read.model_hash, "abc");
}

TEST_P(VerdictLogContract, ContentStaysOutUnlessAsked) {
  Append(Record("secret", "1", 1, false));
  Append(Record("secret", "2", 2, true));
  const std::vector<VerdictRecord> records = All({});
  EXPECT_FALSE(records[0].content);
  EXPECT_TRUE(records[1].content);
  EXPECT_EQ(records[0].content_hash, records[1].content_hash);
  EXPECT_EQ(All({.only_with_content = true}).size(), 1U);
}

TEST_P(VerdictLogContract, UndeterminedVerdictsKeepTheirReasonAndHaveNoScore) {
  for (int reason = 1; reason <= static_cast<int>(UndeterminedReason::kInternalError); ++reason) {
    const Verdict verdict =
        Undetermined({"spam", "1", "h"}, static_cast<UndeterminedReason>(reason), "why");
    Append(RecordOf(verdict, moderation::UserMessage("x"), Channel::kShadow, 1, false));
    const VerdictRecord read = All({}).back();
    EXPECT_EQ(read.outcome, Outcome::kUndetermined);
    EXPECT_EQ(static_cast<int>(read.reason), reason);
    EXPECT_FALSE(read.score);
  }
}

TEST_P(VerdictLogContract, ConversationsComeBackWhole) {
  Content content;
  content.kind = moderation::ContentKind::kConversation;
  for (const moderation::Role role :
       {moderation::Role::kSystem, moderation::Role::kDeveloper, moderation::Role::kUser,
        moderation::Role::kAssistant, moderation::Role::kTool}) {
    content.messages.push_back({role, "text\nof " + std::string(ToString(role))});
  }
  Append(RecordOf(Verdict{}, content, Channel::kDirect, 1, true));
  const Content read = *All({})[0].content;
  EXPECT_EQ(ContentHash(read), ContentHash(content));
  EXPECT_NE(ContentHash(read), ContentHash(moderation::UserMessage("text")));
}

TEST_P(VerdictLogContract, QueriesByPolicyVersionChannelOutcomeAndTime) {
  for (int i = 0; i < 10; ++i) {
    VerdictRecord record = Record(std::to_string(i), i < 5 ? "1" : "2", 100 * i, false);
    record.channel = i % 2 == 0 ? Channel::kActive : Channel::kShadow;
    record.outcome = i == 9 ? Outcome::kSafe : Outcome::kViolation;
    record.policy.id = i == 0 ? "ham" : "spam";
    Append(record);
  }
  EXPECT_EQ(All({.policy_id = "spam"}).size(), 9U);
  EXPECT_EQ(All({.policy_id = "spam", .policy_version = "2"}).size(), 5U);
  EXPECT_EQ(All({.channel = Channel::kShadow}).size(), 5U);
  EXPECT_EQ(All({.outcome = Outcome::kSafe}).size(), 1U);
  EXPECT_EQ(All({.from = 300, .until = 500}).size(), 2U);
  EXPECT_EQ(log->Count({.policy_id = "spam", .channel = Channel::kActive}).value(), 4U);
  EXPECT_EQ(log->Count({.from = 300, .after = 7, .limit = 1}).value(), 7U);
  EXPECT_FALSE(log->Scan({.policy_version = "2"}));
}

TEST_P(VerdictLogContract, PagesCoverEverythingOnceInOrder) {
  std::vector<VerdictRecord> batch;
  for (int i = 0; i < 25; ++i) {
    batch.push_back(Record(std::to_string(i), "1", i, false));
  }
  ASSERT_TRUE(log->Append(batch));
  VerdictQuery query{.limit = 10};
  std::vector<std::string> ids;
  for (VerdictPage page{.records = {}, .next = 0, .end = false}; !page.end;) {
    page = log->Scan(query).value();
    EXPECT_LE(page.records.size(), 10U);
    for (const VerdictRecord& record : page.records) {
      ids.push_back(record.content_id);
    }
    query.after = page.next;
  }
  ASSERT_EQ(ids.size(), 25U);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(ids[i], "id of " + std::to_string(i));
  }
  Append(Record("late", "1", 99, false));
  EXPECT_EQ(log->Scan(query)->records.size(), 1U) << "the cursor goes on with what came later";
  EXPECT_FALSE(log->Scan({.limit = 0}));
  EXPECT_FALSE(log->Scan({.limit = 1'000'000}));
}

TEST_P(VerdictLogContract, APageHoldsABoundedAmountOfContent) {
  for (int i = 0; i < 4; ++i) {
    Append(Record(std::string(3 << 19, static_cast<char>('a' + i)), "1", i, true));
  }
  const VerdictPage page = log->Scan({}).value();
  EXPECT_EQ(page.records.size(), 3U);
  EXPECT_FALSE(page.end);
  EXPECT_EQ(log->Scan({.after = page.next})->records.size(), 1U);
}

TEST_P(VerdictLogContract, AKeyIsRecordedOnceAndWhatItChangedIsKept) {
  VerdictRecord late = Record("x", "1", 1, false);
  late.key = "job 7";
  late.provisional = moderation::EarlierVerdict{
      Outcome::kUndetermined, UndeterminedReason::kUncertain, 0.5, {"SP2", "SP9"}, "screen"};
  VerdictRecord again = late;
  again.outcome = Outcome::kSafe;
  Append(late);
  Append(again);
  const std::vector<VerdictRecord> both = {again, Record("y", "1", 2, false)};
  ASSERT_TRUE(log->Append(both));
  const std::vector<VerdictRecord> records = All({});
  ASSERT_EQ(records.size(), 2U) << "the first record of a key stays, others go on";
  EXPECT_EQ(records[0].outcome, Outcome::kViolation);
  EXPECT_EQ(records[0].key, "job 7");
  EXPECT_EQ(records[0].provisional, late.provisional);
  EXPECT_FALSE(records[1].provisional);
  EXPECT_EQ(records[1].key, "");
  const moderation::VerdictChange change = ChangeFrom(*records[0].provisional, records[0]);
  EXPECT_TRUE(change.outcome);
  EXPECT_DOUBLE_EQ(change.score.value(), 0.1 + 0.2 - 0.5);
  EXPECT_EQ(change.rules_added, std::vector<std::string>{"SP1"});
  EXPECT_EQ(change.rules_dropped, std::vector<std::string>{"SP9"});
  again.score.reset();
  again.provisional->outcome = Outcome::kSafe;
  EXPECT_FALSE(ChangeFrom(*again.provisional, again).outcome);
  EXPECT_FALSE(ChangeFrom(*again.provisional, again).score);
}

INSTANTIATE_TEST_SUITE_P(Logs, VerdictLogContract,
                         ::testing::Values(Kind{"Memory",
                                                [](const std::string&) {
                                                  return moderation::MemoryVerdictLog();
                                                }},
                                           Kind{"Sqlite",
                                                [](const std::string& folder) {
                                                  auto opened =
                                                      OpenVerdictLog(folder, {.create = true});
                                                  EXPECT_TRUE(opened) << Describe(opened.error());
                                                  return opened ? std::move(*opened) : nullptr;
                                                }}),
                         [](const auto& named) { return named.param.name; });

}  // namespace
}  // namespace safeguard::storage
