#include "eval/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "eval/fake_judge.h"

namespace safeguard::eval {
namespace {

using moderation::Content;
using moderation::Outcome;
using testing::ElementsAre;

Record Case(const std::string& text, std::optional<Outcome> expected) {
  Record record;
  record.content = moderation::UserMessage(text);
  record.expected = expected;
  return record;
}

moderation::Verdict ByWord(const FakePrepared&, const Content& content) {
  const bool bad = content.messages.front().text.find("bad") != std::string::npos;
  return FakeVerdict(bad ? Outcome::kViolation : Outcome::kSafe, bad ? 0.9 : 0.1);
}

std::shared_ptr<const moderation::PreparedPolicy> Prepared(FakeJudge& judge,
                                                           const moderation::Policy& policy) {
  return *judge.Prepare(policy, {});
}

TEST(RunnerTest, JudgesInBatchesAndReports) {
  FakeJudge judge(ByWord);
  const std::vector<Record> records = {Case("bad", Outcome::kViolation), Case("a", Outcome::kSafe),
                                       Case("b", std::nullopt), Case("c", Outcome::kSafe),
                                       Case("bad d", Outcome::kSafe)};
  RunOptions options;
  options.batch_size = 2;
  std::vector<std::size_t> done;
  options.progress = [&done](const Progress& progress) {
    EXPECT_EQ(progress.total, 5U);
    done.push_back(progress.done);
  };
  const EvaluationRun run = RunEvaluation(judge, Prepared(judge, FakePolicy()), records, options);
  EXPECT_THAT(judge.batches, ElementsAre(2, 2, 1));
  EXPECT_THAT(done, ElementsAre(2, 4, 5));
  EXPECT_FALSE(run.cancelled);
  ASSERT_EQ(run.results.size(), 5U);
  EXPECT_EQ(run.results[4].verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(run.results[3].verdict.outcome, Outcome::kSafe);
  EXPECT_EQ(run.results[0].latency_ms, 2);
}

TEST(RunnerTest, CancellationLeavesTheRestOut) {
  FakeJudge judge(ByWord);
  const std::vector<Record> records(7, Case("a", Outcome::kSafe));
  std::atomic<bool> cancel = false;
  RunOptions options;
  options.batch_size = 3;
  options.cancel = &cancel;
  options.progress = [&cancel](const Progress&) { cancel = true; };
  const EvaluationRun run = RunEvaluation(judge, Prepared(judge, FakePolicy()), records, options);
  EXPECT_TRUE(run.cancelled);
  EXPECT_TRUE(run.results[2].judged);
  EXPECT_FALSE(run.results[3].judged);
}

TEST(RunnerTest, AWrongNumberOfVerdictsIsUndetermined) {
  FakeJudge judge(ByWord);
  judge.drop = 1;
  const std::vector<Record> records(2, Case("a", Outcome::kSafe));
  const EvaluationRun run = RunEvaluation(judge, Prepared(judge, FakePolicy()), records, {});
  for (const CaseResult& result : run.results) {
    EXPECT_EQ(result.verdict.outcome, Outcome::kUndetermined);
    EXPECT_EQ(result.verdict.reason, moderation::UndeterminedReason::kInternalError);
  }
}

TEST(RunnerTest, SeveralPoliciesKeepTheirVerdicts) {
  FakeJudge judge([](const FakePrepared& prepared, const Content& content) {
    const bool hit = content.messages.front().text == prepared.policy().id;
    return FakeVerdict(hit ? Outcome::kViolation : Outcome::kSafe, hit ? 1 : 0);
  });
  moderation::Policy a = FakePolicy();
  a.id = "a";
  moderation::Policy b = FakePolicy();
  b.id = "b";
  const std::vector<std::shared_ptr<const moderation::PreparedPolicy>> prepared = {
      Prepared(judge, a), Prepared(judge, b)};
  const std::vector<Record> records = {Case("a", std::nullopt), Case("b", std::nullopt)};
  const std::vector<EvaluationRun> runs = RunPolicies(judge, prepared, records, {});
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].results[0].verdict.outcome, Outcome::kViolation);
  EXPECT_EQ(runs[0].results[1].verdict.outcome, Outcome::kSafe);
  EXPECT_EQ(runs[1].results[0].verdict.outcome, Outcome::kSafe);
  EXPECT_EQ(runs[1].results[1].verdict.outcome, Outcome::kViolation);
}

// Violates where the judge has seen the text in training: every violation is a leak.
moderation::Verdict BySeen(const FakePrepared& prepared, const Content& content) {
  const std::string normal = NormalText(content);
  const bool seen = std::ranges::any_of(prepared.seen(), [&normal](const std::string& text) {
    return NormalText(moderation::UserMessage(text)) == normal;
  });
  return FakeVerdict(seen ? Outcome::kViolation : Outcome::kSafe, seen ? 1 : 0);
}

TEST(RunnerTest, CrossValidationNeverScoresWhatItLearned) {
  FakeJudge judge(BySeen);
  std::vector<Record> records;
  for (int i = 0; i < 40; ++i) {
    const std::string text = "Text number " + std::to_string(i % 30);
    records.push_back(Case(i >= 30 ? "  TEXT, number " + std::to_string(i % 30) + "!" : text,
                           i % 3 == 0 ? Outcome::kViolation : Outcome::kSafe));
  }
  records.push_back(Case("not labelled", std::nullopt));
  const auto result = CrossValidate(judge, FakePolicy(), records, {.folds = 4, .seed = 9}, {});
  ASSERT_TRUE(result) << Describe(result.error());
  EXPECT_EQ(judge.prepared, 4U);
  for (const CaseResult& each : result->run.results) {
    EXPECT_TRUE(each.judged);
    EXPECT_EQ(each.verdict.outcome, Outcome::kSafe);
  }
}

TEST(RunnerTest, TrainingHoldsAllOtherFolds) {
  FakeJudge judge([](const FakePrepared& prepared, const Content&) {
    return FakeVerdict(Outcome::kSafe, static_cast<double>(prepared.seen().size()) / 100);
  });
  std::vector<Record> records;
  for (int i = 0; i < 20; ++i) {
    records.push_back(Case("t" + std::to_string(i), i < 10 ? Outcome::kViolation : Outcome::kSafe));
  }
  const auto result = CrossValidate(judge, FakePolicy(), records, {.folds = 5, .seed = 1}, {});
  ASSERT_TRUE(result);
  for (const CaseResult& each : result->run.results) {
    EXPECT_DOUBLE_EQ(*each.verdict.score, 0.16);
  }
}

TEST(RunnerTest, FoldsNeedEnoughTexts) {
  const std::vector<Record> records(10, Case("same", Outcome::kSafe));
  EXPECT_FALSE(AssignFolds(records, {.folds = 2, .seed = 1}));
  EXPECT_FALSE(AssignFolds(records, {.folds = 1, .seed = 1}));
}

TEST(RunnerTest, FoldsAreEvenStratifiedAndKeepDuplicatesTogether) {
  EXPECT_TRUE(rc::check("properties of folds", [] {
    const std::size_t folds = *rc::gen::inRange<std::size_t>(2, 7);
    const auto n = *rc::gen::inRange<int>(static_cast<int>(folds), 120);
    std::vector<Record> records;
    for (int i = 0; i < n; ++i) {
      records.push_back(
          Case("t" + std::to_string(i), *rc::gen::weightedElement<std::optional<Outcome>>(
                                            {{3, Outcome::kSafe}, {1, Outcome::kViolation}})));
    }
    const std::uint64_t seed = *rc::gen::inRange<std::uint64_t>(0, 100);
    const auto assigned = AssignFolds(records, {.folds = folds, .seed = seed});
    RC_ASSERT(assigned.has_value());
    RC_ASSERT(*assigned == *AssignFolds(records, {.folds = folds, .seed = seed}));
    for (const Outcome outcome : {Outcome::kSafe, Outcome::kViolation}) {
      std::vector<int> sizes(folds);
      for (std::size_t i = 0; i < records.size(); ++i) {
        sizes[(*assigned)[i]] += records[i].expected == outcome ? 1 : 0;
      }
      RC_ASSERT(std::ranges::max(sizes) - std::ranges::min(sizes) <= 1);
    }
    std::vector<Record> doubled = records;
    doubled.insert(doubled.end(), records.begin(), records.end());
    const auto twice = AssignFolds(doubled, {.folds = folds, .seed = seed});
    for (std::size_t i = 0; i < records.size(); ++i) {
      RC_ASSERT((*twice)[i] == (*twice)[i + records.size()]);
    }
  }));
}

TEST(RunnerTest, NormalTextSeesThroughCaseAndPunctuation) {
  const auto normal = [](const std::string& text) {
    return NormalText(moderation::UserMessage(text));
  };
  EXPECT_EQ(normal("Hello,  World!"), normal("hello world"));
  EXPECT_EQ(normal("ÄRGER"), normal("ärger"));
  EXPECT_EQ(normal("ПРИВЕТ"), normal("привет"));
  EXPECT_NE(normal("hello world 2"), normal("hello world"));
  EXPECT_NE(normal("!!!"), normal("???"));
  EXPECT_NE(normal("😀"), normal("😁"));
}

TEST(RunnerTest, CountsCasesThatThePolicyShows) {
  moderation::Policy policy = FakePolicy();
  policy.examples.push_back({.text = "Buy now!", .label = "SP2", .rule_ids = {}});
  const std::vector<Record> records = {Case("buy now", Outcome::kViolation),
                                       Case("buy later", Outcome::kSafe)};
  EXPECT_EQ(CountInPolicyExamples(policy, records), 1U);
}

}  // namespace
}  // namespace safeguard::eval
