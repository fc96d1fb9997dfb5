#include "eval/label_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/fake_judge.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<Record> Records() {
  std::vector<Record> records(3);
  records[0].labels = {{"S", true}, {"H", false}};
  records[1].labels = {{"S", false}, {"H", true}};
  records[2].labels = {{"S", false}, {"H", std::nullopt}};
  return records;
}

EvaluationRun RunOf(const std::vector<Outcome>& outcomes) {
  EvaluationRun run;
  for (const Outcome outcome : outcomes) {
    CaseResult& result = run.results.emplace_back();
    result.judged = true;
    result.verdict = FakeVerdict(outcome, 0.5);
    result.verdict.tokens = {100, 40, 8, 2};
    result.seconds = 0.25;
  }
  return run;
}

TEST(MatchLabelsTest, ByNameAndAsGiven) {
  const std::vector<Record> records = Records();
  const std::vector<std::string> named = {"moderation-s", "moderation-H"};
  EXPECT_THAT(*MatchLabels(named, records, {}), ElementsAre("S", "H"));
  const std::vector<std::string> others = {"sexual-content", "hate"};
  EXPECT_TRUE(MatchLabels(others, records, {})->empty());
  const std::vector<std::string> given = {"hate=H", "sexual-content=S"};
  EXPECT_THAT(*MatchLabels(others, records, given), ElementsAre("S", "H"));
  const auto error = [&](const std::vector<std::string>& pairs) {
    return Describe(MatchLabels(others, records, pairs).error());
  };
  EXPECT_THAT(error({"hate=H"}), HasSubstr("--label-of sexual-content=LABEL; its labels are H, S"));
  EXPECT_THAT(error({"hate=X"}), HasSubstr("no label \"X\""));
  EXPECT_THAT(error({"spam=H"}), HasSubstr("names no policy"));
  EXPECT_THAT(error({"hate"}), HasSubstr("POLICY=LABEL"));
  EXPECT_THAT(error({"hate=H", "sexual-content=H"}), HasSubstr("two policies"));
}

TEST(MeasureLabelsTest, ExactMicroAndMacro) {
  const std::vector<Record> records = Records();
  const std::vector<std::string> labels = {"S", "H"};
  const std::vector<EvaluationRun> runs = {
      RunOf({Outcome::kViolation, Outcome::kSafe, Outcome::kViolation}),
      RunOf({Outcome::kSafe, Outcome::kUndetermined, Outcome::kViolation})};
  const LabelTask task = MeasureLabels(labels, records, runs, {.resamples = 0});
  EXPECT_EQ(task.exact.complete, 2U);
  EXPECT_EQ(task.exact.matches, 1U);
  EXPECT_THAT(task.complete, ElementsAre(0U, 1U));
  EXPECT_THAT(task.matched, ElementsAre(1, 0));
  EXPECT_EQ(task.undetermined, 1U);
  // Known labels: S 1 0 0, H 0 1; judged S 1 0 1, H 0 ?: the last counts as missed.
  EXPECT_EQ(task.micro, (Confusion{1, 1, 1, 2}));
  EXPECT_NEAR(*task.micro_f1, 0.5, 1e-12);
  EXPECT_NEAR(*task.exact.macro_f1, (2.0 / 3 + 0) / 2, 1e-12);
  EXPECT_NEAR(task.cost.prompt_tokens, 200, 1e-12);
  EXPECT_NEAR(task.cost.reasoning_tokens, 16, 1e-12);
  EXPECT_NEAR(task.cost.seconds, 0.5, 1e-12);
}

TEST(MeasureLabelsTest, WhatWasNotJudgedIsNoCase) {
  const std::vector<Record> records = Records();
  std::vector<EvaluationRun> runs = {RunOf({Outcome::kSafe, Outcome::kSafe, Outcome::kSafe})};
  runs[0].results[1].judged = false;
  const std::vector<std::string> labels = {"H"};
  const LabelTask task = MeasureLabels(labels, records, runs, {.resamples = 0});
  EXPECT_EQ(task.exact.items, 2U);
  EXPECT_FALSE(task.micro_f1) << "the one positive was not judged";
  EXPECT_EQ(task.cost.cases, 2U);
}

}  // namespace
}  // namespace safeguard::eval
