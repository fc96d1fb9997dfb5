// The review queue on the disk: what was filed is there until somebody has decided it.
#include "moderation/review_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "storage/stores.h"
#include "storage/test_jobs.h"

namespace safeguard::storage {
namespace {

using moderation::Outcome;
using moderation::ReviewCase;
using moderation::ReviewDecision;
using moderation::ReviewItem;
using moderation::UndeterminedReason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ReviewItem Item(const std::string& key, double priority, const std::string& policy = "spam") {
  ReviewItem item;
  item.key = key;
  item.route = "comments";
  item.content = moderation::UserMessage("text of " + key);
  item.content.id = "id-" + key;
  item.content.surface = "comment";
  item.content.language = "de";
  item.verdict = moderation::Undetermined({policy, "3", "h"}, UndeterminedReason::kUncertain,
                                          "the second opinions do not agree");
  item.verdict.score = 0.5;
  item.verdict.decided_by.layer = "reasoner";
  item.why = item.verdict.detail;
  item.priority = priority;
  return item;
}

ReviewDecision Violation() {
  return {Outcome::kViolation, {"SP2.a"}, "SP2", "ada", "sells followers", 5000};
}

class Reviews : public ::testing::Test {
 protected:
  std::unique_ptr<moderation::ReviewQueue> Open(const moderation::ReviewLimits& limits = {}) {
    auto opened = OpenReviewQueue(folder.path(), limits, {.create = true});
    EXPECT_TRUE(opened) << Describe(opened.error());
    return std::move(*opened);
  }
  std::vector<std::string> Keys(const moderation::ReviewQuery& query) {
    std::vector<std::string> keys;
    const std::vector<ReviewCase> cases = queue->List(query).value();
    for (const ReviewCase& found : cases) {
      keys.push_back(found.key);
    }
    return keys;
  }

  TestFolder folder;
  std::unique_ptr<moderation::ReviewQueue> queue = Open();
};

TEST_F(Reviews, WhatWasFiledComesBackWholeAfterARestart) {
  const std::int64_t id = queue->File(Item("a", 2), 1000).value();
  queue = nullptr;
  queue = Open();
  const ReviewCase found = queue->Find(id).value();
  EXPECT_EQ(found.content.messages[0].text, "text of a");
  EXPECT_EQ(found.content.id, "id-a");
  EXPECT_EQ(found.content.surface, "comment");
  EXPECT_EQ(found.content.language, "de");
  EXPECT_EQ(found.policy.version, "3");
  EXPECT_EQ(found.verdict.reason, UndeterminedReason::kUncertain);
  EXPECT_EQ(found.verdict.score, 0.5);
  EXPECT_EQ(found.why, "the second opinions do not agree");
  EXPECT_EQ(found.filed, 1000);
  EXPECT_FALSE(found.decision);
}

TEST_F(Reviews, TheMostUrgentComesFirstAndTheSameKeyIsTheSameCase) {
  const std::int64_t low = queue->File(Item("low", 0.1), 1).value();
  ASSERT_TRUE(queue->File(Item("high", 5), 2));
  ASSERT_TRUE(queue->File(Item("other", 1, "hate"), 3));
  EXPECT_EQ(queue->File(Item("low", 9), 4).value(), low);
  EXPECT_THAT(Keys({}), ElementsAre("high", "other", "low"));
  EXPECT_THAT(Keys({.limit = 1}), ElementsAre("high"));
  EXPECT_THAT(Keys({.policy_id = "hate"}), ElementsAre("other"));
  EXPECT_THAT(Keys({.route = "dm"}), ElementsAre());
  EXPECT_THAT(Keys({.after = low, .by_id = true}), ElementsAre("high", "other"));
  EXPECT_EQ(queue->List({.after = 1}).error().code, ErrorCode::kInvalidInput);
}

TEST_F(Reviews, ADecisionIsKeptWithWhoAndWhyAndReplacedOnlyOnPurpose) {
  const std::int64_t id = queue->File(Item("a", 2), 1000).value();
  const ReviewCase decided = queue->Decide(id, Violation(), false).value();
  EXPECT_EQ(decided.decision->by, "ada");
  EXPECT_EQ(decided.decision->why, "sells followers");
  EXPECT_THAT(decided.decision->rule_ids, ElementsAre("SP2.a"));
  EXPECT_EQ(decided.decisions, 1U);
  EXPECT_THAT(queue->Decide(id, Violation(), false).error().message,
              HasSubstr("decided by ada: violation"));
  const ReviewDecision safe{Outcome::kSafe, {}, "", "bob", "a joke among friends", 6000};
  EXPECT_EQ(queue->Decide(id, safe, true)->decisions, 2U);
  EXPECT_EQ(queue->Find(id)->decision->by, "bob");
  EXPECT_EQ(queue->Counts()->open, 0U);
  EXPECT_EQ(queue->Counts()->decided, 1U);
  EXPECT_EQ(queue->File(Item("a", 2), 7000).value(), id) << "what was decided is not opened again";
  EXPECT_EQ(queue->Counts()->open, 0U);
  EXPECT_EQ(queue->Decide(99, safe, false).error().code, ErrorCode::kNotFound);
}

TEST_F(Reviews, ADecisionNamesAPersonAReasonAndASide) {
  const std::int64_t id = queue->File(Item("a", 2), 1000).value();
  for (const auto& spoil : std::vector<std::function<void(ReviewDecision&)>>{
           [](ReviewDecision& d) { d.by = ""; }, [](ReviewDecision& d) { d.why = ""; },
           [](ReviewDecision& d) { d.why = std::string(5000, 'x'); },
           [](ReviewDecision& d) { d.outcome = Outcome::kUndetermined; },
           [](ReviewDecision& d) { d.outcome = Outcome::kSafe; }}) {
    ReviewDecision decision = Violation();
    spoil(decision);
    EXPECT_FALSE(queue->Decide(id, decision, false));
  }
  EXPECT_FALSE(queue->Find(id)->decision);
}

TEST_F(Reviews, AreBounded) {
  queue = Open({.open_max = 2});
  const std::int64_t first = queue->File(Item("a", 1), 1).value();
  ASSERT_TRUE(queue->File(Item("b", 1), 1));
  EXPECT_EQ(queue->File(Item("c", 1), 1).error().code, ErrorCode::kLimit);
  EXPECT_TRUE(queue->File(Item("a", 1), 1)) << "it is there already";
  ASSERT_TRUE(queue->Decide(first, Violation(), false));
  EXPECT_TRUE(queue->File(Item("c", 1), 1));
  ReviewItem large = Item("d", 1);
  large.content.messages[0].text.assign(moderation::kReviewContentBytesMax + 1, 'x');
  EXPECT_EQ(queue->File(large, 1).error().code, ErrorCode::kLimit);
  EXPECT_FALSE(queue->File(Item("", 1), 1));
  EXPECT_FALSE(queue->File(Item("e", std::numeric_limits<double>::quiet_NaN()), 1));
}

TEST_F(Reviews, DecidedCasesAreForgottenOpenOnesNever) {
  const std::int64_t id = queue->File(Item("a", 1), 1).value();
  const std::int64_t open = queue->File(Item("b", 1), 1).value();
  ASSERT_TRUE(queue->Decide(id, Violation(), false));
  EXPECT_EQ(queue->Prune(5000).value(), 0U);
  EXPECT_EQ(queue->Prune(5001).value(), 1U);
  EXPECT_FALSE(queue->Find(id));
  EXPECT_TRUE(queue->Find(open));
  EXPECT_GT(queue->File(Item("a", 1), 1).value(), open) << "no id is given twice";
}

TEST_F(Reviews, ADecisionIsARecordAndAGoldenCase) {
  const std::int64_t id = queue->File(Item("a", 2), 1000).value();
  const ReviewCase decided = queue->Decide(id, Violation(), false).value();
  const moderation::VerdictRecord record = RecordOfDecision(decided, false);
  EXPECT_EQ(record.layer, "review");
  EXPECT_EQ(record.model, "ada");
  EXPECT_EQ(record.when, 5000);
  EXPECT_EQ(record.key, "review/1/1");
  EXPECT_EQ(record.provisional->reason, UndeterminedReason::kUncertain);
  EXPECT_FALSE(record.content);
  const moderation::GoldenCase golden = GoldenOfDecision(decided);
  EXPECT_EQ(golden.content.id, "review-1");
  EXPECT_EQ(golden.expected, Outcome::kViolation);
  EXPECT_EQ(golden.label, "SP2");
}

// Several processes file and decide at once, and some are killed: what was acknowledged is there.
TEST_F(Reviews, SeveralProcessesLoseNothing) {
  constexpr int kEach = 20;
  queue = nullptr;
  std::vector<pid_t> children;
  for (int child = 0; child < 3; ++child) {
    children.push_back(::fork());
    if (children.back() == 0) {
      const auto own = Open();
      for (int i = 0; i < kEach; ++i) {
        const std::string key = std::to_string(child) + "." + std::to_string(i);
        const auto filed = own->File(Item(key, i), i);
        EXPECT_TRUE(filed) << Describe(filed.error());
        std::ofstream(folder.Path("acknowledged"), std::ios::app) << key << std::endl;
        if (child == 2 && i == kEach / 2) {
          Die();
        }
      }
      ::_exit(::testing::Test::HasFailure() ? 1 : 0);
    }
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  }
  queue = Open();
  std::set<std::string> there;
  for (const std::string& key : Keys({.limit = 1000})) {
    there.insert(key);
  }
  std::ifstream in(folder.Path("acknowledged"));
  std::size_t acknowledged = 0;
  for (std::string key; std::getline(in, key); ++acknowledged) {
    EXPECT_TRUE(there.contains(key)) << key;
  }
  EXPECT_EQ(acknowledged, std::size_t{2 * kEach + kEach / 2 + 1});
}

TEST_F(Reviews, WhoTakesACaseHasItForAWhile) {
  queue->File(Item("lesser", 1), 1000).value();
  const std::int64_t urgent = queue->File(Item("urgent", 5), 1000).value();
  const ReviewCase taken = queue->Take("ada", 2000, 3000).value().value();
  EXPECT_EQ(taken.id, urgent);
  EXPECT_EQ(taken.holder, "ada");
  EXPECT_EQ(queue->Take("bob", 2000, 3000)->value().key, "lesser") << "not the one ada has";
  EXPECT_FALSE(queue->Take("eve", 2999, 4000).value()) << "both are held";
  queue = nullptr;
  queue = Open();
  const ReviewCase again = queue->Take("eve", 3000, 4000).value().value();
  EXPECT_EQ(again.id, urgent) << "ada's time is up";
  EXPECT_EQ(again.lease, taken.lease + 1);
  EXPECT_EQ(queue->Release(urgent, taken.lease).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(queue->Release(urgent, again.lease));
  EXPECT_EQ(queue->Take("ada", 3000, 4000)->value().id, urgent) << "given back";
  EXPECT_TRUE(queue->Decide(urgent, Violation(), false));
  EXPECT_EQ(queue->Release(urgent, again.lease + 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(queue->Take("eve", 9000, 9500)->value().key, "lesser") << "what is decided is not open";
}

}  // namespace
}  // namespace safeguard::storage
