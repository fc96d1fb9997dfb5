#include "eval/blast_radius.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "eval/fake_judge.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

std::vector<Record> MakeRecords(std::size_t count) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < count; ++i) {
    Record record;
    record.line = i + 1;
    record.content = moderation::UserMessage(std::to_string(i));
    record.content.language = i % 4 == 0 ? "de" : "en";
    record.content.surface = i % 2 == 0 ? "dm" : "comment";
    records.push_back(std::move(record));
  }
  return records;
}

// Old: every 10th is a violation of R1. New: every 20th is undetermined instead, and every 7th a
// violation of R2.
moderation::Verdict Answer(const FakePrepared& prepared, const moderation::Content& content) {
  const int number = std::stoi(content.messages.front().text);
  const bool after = prepared.policy().version == "2";
  moderation::Verdict verdict = FakeVerdict(Outcome::kSafe, 0.1);
  if (number % 10 == 0) {
    verdict = FakeVerdict(Outcome::kViolation, 0.8);
    verdict.rule_ids = {"R1"};
  }
  if (after && number % 20 == 0) {
    verdict = FakeVerdict(Outcome::kUndetermined, 0.5);
  } else if (after && number % 7 == 0) {
    verdict = FakeVerdict(Outcome::kViolation, 0.9);
    verdict.rule_ids = {"R2"};
  }
  return verdict;
}

std::vector<std::shared_ptr<const moderation::PreparedPolicy>> Versions(FakeJudge& judge) {
  moderation::Policy before = FakePolicy();
  before.version = "1";
  moderation::Policy after = FakePolicy();
  after.version = "2";
  return {*judge.Prepare(before, {}), *judge.Prepare(after, {})};
}

const FlipCount* Find(const std::vector<FlipCount>& counts, const std::string& name) {
  for (const FlipCount& count : counts) {
    if (count.name == name) {
      return &count;
    }
  }
  return nullptr;
}

TEST(BlastRadius, OverEverythingIsExact) {
  FakeJudge judge(Answer);
  const std::vector<Record> records = MakeRecords(700);
  const auto radius = MeasureBlastRadius(judge, Versions(judge), records, {}, {});
  ASSERT_TRUE(radius.has_value());
  EXPECT_EQ(radius->judged, 700U);
  // Multiples of 20: 35, violation to undetermined. Multiples of 7 but not of 10: 90, safe to
  // violation.
  EXPECT_EQ(radius->all.flips.total, 125);
  EXPECT_EQ(radius->all.flips.low, 125);
  EXPECT_EQ(radius->all.flips.high, 125);
  ASSERT_EQ(radius->kinds.size(), 2U);
  EXPECT_EQ(Find(radius->kinds, "safe to violation")->flips.total, 90);
  EXPECT_EQ(Find(radius->kinds, "violation to undetermined")->flips.total, 35);
  EXPECT_EQ(Find(radius->clauses, "R2")->flips.total, 90);
  EXPECT_EQ(Find(radius->clauses, "R1")->flips.total, 35);
  const FlipCount* german = Find(radius->languages, "de");
  EXPECT_EQ(german->contents, 175U);
  EXPECT_EQ(Find(radius->languages, "en")->flips.total + german->flips.total, 125);
  EXPECT_EQ(Find(radius->surfaces, "dm")->contents, 350U);
  EXPECT_EQ(radius->telling.size(), 20U);
  EXPECT_EQ(radius->telling.front().after.outcome, Outcome::kViolation);
}

TEST(BlastRadius, ASampleCoversTheExhaustiveAnswerOfEveryGroup) {
  FakeJudge judge(Answer);
  const std::vector<Record> records = MakeRecords(7000);
  int covered = 0;
  int kinds_covered = 0;
  int german_covered = 0;
  constexpr int kRuns = 100;
  for (int run = 0; run < kRuns; ++run) {
    const auto radius = MeasureBlastRadius(
        judge, Versions(judge), records, {},
        {.sample = 700, .seed = static_cast<std::uint64_t>(run) + 1, .excerpt_bytes_max = 0});
    ASSERT_TRUE(radius.has_value());
    EXPECT_EQ(radius->judged, 700U);
    const auto holds = [](const FlipCount* count, double value) {
      return count != nullptr && count->flips.low <= value && value <= count->flips.high ? 1 : 0;
    };
    covered += holds(&radius->all, 1250);
    kinds_covered += holds(Find(radius->kinds, "violation to undetermined"), 350);
    german_covered += holds(Find(radius->languages, "de"), 350 + 200);  // 20n; 28n but not 140n
  }
  EXPECT_GE(covered, 93);
  EXPECT_GE(kinds_covered, 93);
  EXPECT_GE(german_covered, 93);
}

TEST(BlastRadius, TheSameSeedGivesTheSameSample) {
  FakeJudge judge(Answer);
  const std::vector<Record> records = MakeRecords(1000);
  const BlastOptions options{.sample = 100, .seed = 5};
  const auto one = MeasureBlastRadius(judge, Versions(judge), records, {}, options);
  const auto two = MeasureBlastRadius(judge, Versions(judge), records, {}, options);
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_EQ(one->all.flips.total, two->all.flips.total);
  ASSERT_EQ(one->telling.size(), two->telling.size());
  for (std::size_t i = 0; i < one->telling.size(); ++i) {
    EXPECT_EQ(one->telling[i].name, two->telling[i].name);
  }
}

TEST(BlastRadius, StoppedGivesNoFigures) {
  FakeJudge judge(Answer);
  const std::atomic<bool> stop{true};
  BlastOptions options;
  options.run.cancel = &stop;
  EXPECT_FALSE(
      MeasureBlastRadius(judge, Versions(judge), MakeRecords(10), {}, options).has_value());
  EXPECT_FALSE(MeasureBlastRadius(judge, Versions(judge), {}, {}, {}).has_value());
}

TEST(StratifyContents, KeepsStrataFewEnoughForTheSample) {
  std::vector<Record> records = MakeRecords(2000);
  std::vector<std::optional<double>> scores;
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i].content.language = "l" + std::to_string(i % 300);
    scores.emplace_back(static_cast<double>(i % 100) / 100);
  }
  for (const std::size_t sample : {1U, 30U, 200U, 2000U}) {
    std::uint32_t most = 0;
    for (const std::uint32_t stratum : StratifyContents(records, scores, sample)) {
      most = std::max(most, stratum);
    }
    EXPECT_LT(most, std::max<std::size_t>(1, sample / 20)) << sample;
    EXPECT_LT(most, kStrataMax);
  }
}

}  // namespace
}  // namespace safeguard::eval
