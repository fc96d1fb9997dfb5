#include "eval/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/fake_judge.h"

namespace safeguard::eval {
namespace {

using moderation::Content;
using moderation::Outcome;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// The text itself says what the judge answers: "V 0.9", "S 0.2", "U 0.5".
moderation::Verdict AsWritten(const FakePrepared&, const Content& content) {
  const std::string& text = content.messages.front().text;
  const Outcome outcome = text[0] == 'V'   ? Outcome::kViolation
                          : text[0] == 'S' ? Outcome::kSafe
                                           : Outcome::kUndetermined;
  moderation::Verdict verdict = FakeVerdict(outcome, std::stod(text.substr(2)));
  if (outcome == Outcome::kViolation) {
    verdict.rule_ids = {"R1"};
  }
  return verdict;
}

Dataset MakeDataset(const std::vector<std::pair<std::string, std::optional<Outcome>>>& cases) {
  Dataset dataset;
  dataset.name = "golden";
  dataset.path = "golden.jsonl";
  dataset.hash = std::string(64, 'b');
  for (const auto& [text, expected] : cases) {
    Record record;
    record.line = dataset.records.size() + 1;
    record.content = moderation::UserMessage(text);
    record.content.language = "en";
    record.expected = expected;
    if (expected == Outcome::kViolation) {
      record.rule_ids = {"R1"};
    }
    dataset.records.push_back(record);
  }
  return dataset;
}

Report Make(const Dataset& dataset, const ReportOptions& options = {}) {
  FakeJudge judge(AsWritten);
  const auto prepared = judge.Prepare(FakePolicy(), {});
  return BuildReport(FakePolicy(), dataset, RunEvaluation(judge, *prepared, dataset.records, {}),
                     options);
}

Dataset Usual() {
  return MakeDataset({{"V 0.9", Outcome::kViolation},
                      {"V 0.8", Outcome::kViolation},
                      {"S 0.3", Outcome::kViolation},
                      {"U 0.5", Outcome::kViolation},
                      {"V 0.7", Outcome::kSafe},
                      {"S 0.2", Outcome::kSafe},
                      {"S 0.1", Outcome::kSafe},
                      {"U 0.4", Outcome::kSafe},
                      {"V 0.9", std::nullopt}});
}

TEST(ReportTest, FiguresBothWays) {
  const Report report = Make(Usual());
  EXPECT_EQ(report.records, 9U);
  EXPECT_EQ(report.unlabelled, 1U);
  EXPECT_EQ(report.cases, 8U);
  EXPECT_EQ(report.positives, 4U);
  EXPECT_EQ(report.undetermined, 2U);
  EXPECT_EQ(report.undetermined_reasons.at("uncertain"), 2U);
  EXPECT_DOUBLE_EQ(*report.coverage, 0.75);
  EXPECT_DOUBLE_EQ(*report.decided.precision.value, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(*report.decided.recall.value, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(*report.with_undetermined.precision.value, 0.5);
  EXPECT_DOUBLE_EQ(*report.with_undetermined.recall.value, 0.5);
  EXPECT_EQ(report.scored, 8U);
  // Of 16 pairs the 0.7 wins over 0.5 and 0.3, the 0.4 over 0.3.
  EXPECT_DOUBLE_EQ(*report.roc_auc.value, 13.0 / 16.0);
  ASSERT_TRUE(report.decided.accuracy.interval);
  EXPECT_LE(report.decided.accuracy.interval->low, 4.0 / 6.0);
  EXPECT_GE(report.decided.accuracy.interval->high, 4.0 / 6.0);
  ASSERT_TRUE(report.latency);
  EXPECT_EQ(report.latency->p50_ms, 2);
}

TEST(ReportTest, TextNamesWhatTheFiguresRestOn) {
  ReportOptions options;
  options.folds = 5;
  options.fold_seed = 77;
  Report report = Make(Usual(), options);
  report.thresholds = {.violation = 0.6, .safe = 0.4};
  const std::string text = RenderText(report);
  for (const std::string& part :
       {std::string("spam version 3 (Spam policy)"), std::string(64, 'a'), std::string(64, 'b'),
        std::string("golden.jsonl"), std::string("screen fake f00d"),
        std::string("violation at or above 0.6, safe below 0.4"),
        std::string("5-fold cross-validation, seed 77"), std::string("8 (4 violations, 4 safe)"),
        std::string("0.750 decided"), std::string("ROC-AUC"), std::string("0.812"),
        std::string("recall at 1 % false alarms"), std::string("best F1 (optimistic)"),
        std::string("1000 resamples, seed 1"), std::string("R1"),
        std::string("False alarms, highest score first"), std::string("line 5")}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(text, Not(HasSubstr(" \n")));
}

TEST(ReportTest, JsonHasTheSameFigures) {
  const Report report = Make(Usual());
  const json object = json::parse(RenderJson(report));
  EXPECT_EQ(object["policy"]["id"], "spam");
  EXPECT_EQ(object["policy"]["hash"], std::string(64, 'a'));
  EXPECT_EQ(object["dataset"]["hash"], std::string(64, 'b'));
  EXPECT_EQ(object["models"], json::array({"screen fake f00d"}));
  EXPECT_EQ(object["counts"]["undetermined"], 2);
  EXPECT_DOUBLE_EQ(object["decided"]["precision"]["value"].get<double>(), 2.0 / 3.0);
  EXPECT_EQ(object["with_undetermined_as_errors"]["confusion"]["false_negative"], 2);
  EXPECT_DOUBLE_EQ(object["ranking"]["roc_auc"]["value"].get<double>(), 13.0 / 16.0);
  EXPECT_EQ(object["ranking"]["roc_auc"]["interval"].size(), 2U);
  EXPECT_EQ(object["settings"]["bootstrap_seed"], 1);
  EXPECT_TRUE(object["settings"]["folds"].is_null());
  EXPECT_EQ(object["rules"][0]["rule"], "R1");
  EXPECT_EQ(object["errors"]["misses"][0]["line"], 3);
  EXPECT_EQ(object["languages"][0]["name"], "en");
}

TEST(ReportTest, WhatIsNotDefinedIsNullAndDash) {
  const Report report = Make(MakeDataset({{"S 0.2", Outcome::kSafe}, {"S 0.3", Outcome::kSafe}}));
  const json object = json::parse(RenderJson(report));
  EXPECT_TRUE(object["decided"]["recall"]["value"].is_null());
  EXPECT_TRUE(object["decided"]["f1"]["value"].is_null());
  EXPECT_TRUE(object["ranking"]["roc_auc"]["value"].is_null());
  EXPECT_TRUE(object["ranking"]["best_f1_optimistic"].is_null());
  EXPECT_THAT(RenderText(report), HasSubstr("there is no violation among the cases"));
  EXPECT_THAT(RenderText(report), Not(HasSubstr("nan")));
}

TEST(ReportTest, EmptyDataGiveAReportWithoutFigures) {
  const Report report = Make(MakeDataset({}));
  EXPECT_FALSE(report.coverage || report.decided.accuracy.value || report.latency ||
               report.calibration);
  EXPECT_THAT(RenderText(report), HasSubstr("Cases"));
  EXPECT_FALSE(json::parse(RenderJson(report)).empty());
}

TEST(ReportTest, LeaksAndHolesAreNoted) {
  Dataset dataset = Usual();
  dataset.error_count = 3;
  moderation::Policy policy = FakePolicy();
  policy.examples.push_back({.text = "v 0.9", .label = "", .rule_ids = {}});
  FakeJudge judge(AsWritten);
  const auto prepared = judge.Prepare(policy, {});
  EvaluationRun run = RunEvaluation(judge, *prepared, dataset.records, {});
  run.results[1].verdict.score.reset();
  run.results[2].verdict.score = 7;
  const Report report = BuildReport(policy, dataset, run, {});
  EXPECT_EQ(report.in_policy_examples, 1U);
  EXPECT_EQ(report.invalid_scores, 1U);
  EXPECT_EQ(report.scored, 6U);
  const std::string text = RenderText(report);
  EXPECT_THAT(text, HasSubstr("3 lines of the data set could not be read"));
  EXPECT_THAT(text, HasSubstr("1 cases stand in the policy's own examples"));
  EXPECT_THAT(text, HasSubstr("2 cases have no usable score"));
  EXPECT_THAT(text, HasSubstr("1 records have no known label"));
}

TEST(ReportTest, ContentCanBeKeptOut) {
  ReportOptions options;
  options.excerpt_bytes_max = 0;
  const Report report = Make(Usual(), options);
  EXPECT_THAT(RenderJson(report), Not(HasSubstr("V 0.7")));
  EXPECT_THAT(RenderText(report), Not(HasSubstr("V 0.7")));
}

TEST(ReportTest, ExactMatchRenders) {
  const std::vector<std::string> names = {"H"};
  const std::vector<std::vector<LabelJudgement>> items = {{{true, Outcome::kViolation}},
                                                          {{false, Outcome::kViolation}}};
  const ExactMatch result = MeasureExactMatch(names, items, {});
  EXPECT_THAT(RenderText(result), HasSubstr("0.500 (1 of 2 fully labelled of 2 items"));
  const json object = json::parse(RenderJson(result));
  EXPECT_EQ(object["exact_match"], 0.5);
  EXPECT_EQ(object["labels"][0]["name"], "H");
}

}  // namespace
}  // namespace safeguard::eval
