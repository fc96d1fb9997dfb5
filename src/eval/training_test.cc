#include "eval/training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "eval/fit_calibration.h"
#include "eval/runner.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using testing::HasSubstr;
using testing::SizeIs;

Record Labelled(const std::string& text, Outcome outcome, std::size_t line = 1) {
  Record record;
  record.line = line;
  record.content = moderation::UserMessage(text);
  record.expected = outcome;
  return record;
}

// `count` different texts, every `nth` a violation.
std::vector<Record> Texts(std::size_t count, std::size_t nth) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < count; ++i) {
    records.push_back(Labelled("text number " + std::to_string(i),
                               i % nth == 0 ? Outcome::kViolation : Outcome::kSafe, i + 1));
  }
  return records;
}

// Knows the answer, blurred by `noise` 0..1; the more it learned the less. Remembers what it saw.
class Oracle final : public Candidate {
 public:
  Oracle(std::string name, std::span<const Record> records, double noise)
      : name_(std::move(name)), records_(records), noise_(noise) {}
  [[nodiscard]] std::string name() const override { return name_; }
  Result<std::vector<std::optional<double>>> LearnAndScore(
      std::span<const std::size_t> train, std::span<const std::size_t> score) override {
    std::vector<std::optional<double>> scores;
    for (const std::size_t i : score) {
      leaked = leaked || std::ranges::find(train, i) != train.end();
      const double blur = std::abs(std::sin(static_cast<double>(i) * 12.9898 + noise_)) - 0.5;
      const double truth = records_[i].expected == Outcome::kViolation ? 0.7 : 0.3;
      const double less = 20 / (20 + std::sqrt(static_cast<double>(train.size())));
      scores.emplace_back(std::clamp(truth + noise_ * less * blur, 0.001, 0.999));
    }
    ++lessons;
    return scores;
  }
  bool leaked = false;
  std::size_t lessons = 0;

 private:
  std::string name_;
  std::span<const Record> records_;
  double noise_;
};

TEST(CleanLabels, EachTextOnceAndConflictsOut) {
  std::vector<Record> records = {
      Labelled("Buy now!", Outcome::kViolation, 1), Labelled("buy NOW", Outcome::kViolation, 2),
      Labelled("hello", Outcome::kSafe, 3),         Labelled("Hello!", Outcome::kViolation, 4),
      Labelled("hello", Outcome::kSafe, 5),         Labelled("bye", Outcome::kSafe, 6)};
  records.push_back(Labelled("who knows", Outcome::kSafe, 7));
  records.back().expected.reset();
  const CleanedLabels cleaned = CleanLabels(std::move(records));
  ASSERT_THAT(cleaned.records, SizeIs(2));
  EXPECT_EQ(cleaned.records[0].content.messages[0].text, "Buy now!");
  EXPECT_EQ(cleaned.records[1].content.messages[0].text, "bye");
  EXPECT_EQ(cleaned.repeated, 1U);
  EXPECT_EQ(cleaned.conflicting, 3U);
  EXPECT_EQ(cleaned.unlabelled, 1U);
  ASSERT_THAT(cleaned.conflicts, SizeIs(1));
  EXPECT_EQ(cleaned.conflicts[0], std::pair(std::string("line 3"), std::string("line 4")));
}

TEST(CheckTrainable, SaysWhatIsMissing) {
  EXPECT_TRUE(CheckTrainable(Texts(100, 2)));
  const Status few = CheckTrainable(Texts(100, 10));
  ASSERT_FALSE(few);
  EXPECT_THAT(few.error().message, HasSubstr("10 violations and 90 safe"));
  const Status one = CheckTrainable(Texts(100, 1));
  ASSERT_FALSE(one);
  EXPECT_THAT(one.error().message, HasSubstr("every label says violation"));
  EXPECT_FALSE(CheckTrainable({}));
}

TEST(SplitForTraining, NoPartSharesATextAndBothSidesAreEverywhere) {
  const std::vector<Record> records = Texts(500, 5);
  const Result<TrainingSplit> split = SplitForTraining(records, /*hold_out=*/true, 1);
  ASSERT_TRUE(split);
  EXPECT_THAT(split->test, SizeIs(100));
  std::set<std::size_t> all(split->train.begin(), split->train.end());
  all.insert(split->test.begin(), split->test.end());
  EXPECT_THAT(all, SizeIs(500));
  EXPECT_EQ(std::ranges::count_if(split->test, [](std::size_t i) { return i % 5 == 0; }), 20);
  EXPECT_THAT(split->validate, SizeIs(5));
  const Result<TrainingSplit> again = SplitForTraining(records, true, 1);
  EXPECT_EQ(again->test, split->test);
  EXPECT_NE(SplitForTraining(records, true, 2)->test, split->test);
}

TEST(SplitForTraining, ManyRecordsAreValidatedOnOneFold) {
  EXPECT_THAT(SplitForTraining(Texts(8'000, 4), false, 1)->validate, SizeIs(1));
  EXPECT_THAT(SplitForTraining(Texts(8'000, 400), false, 1)->validate, SizeIs(5))
      << "four violations say nothing";
}

TEST(RemoveTestTexts, TheSameTextInOtherWritingCounts) {
  std::vector<Record> records = Texts(10, 2);
  EXPECT_EQ(RemoveTestTexts(std::vector{Labelled("TEXT, number 3!", Outcome::kSafe)}, records), 1U);
  EXPECT_THAT(records, SizeIs(9));
}

TEST(SelectCandidate, TheBetterOneWinsAndNothingIsScoredThatWasLearned) {
  const std::vector<Record> records = Texts(400, 4);
  const TrainingSplit split = *SplitForTraining(records, true, 1);
  Oracle poor("poor", records, 1.6);
  Oracle good("good", records, 0.9);
  Candidate* const candidates[] = {&poor, &good};
  const Result<Selection> selection = SelectCandidate(candidates, records, split, {});
  ASSERT_TRUE(selection);
  EXPECT_EQ(selection->winner, 1U);
  EXPECT_GT(*selection->lead, 0);
  ASSERT_TRUE(selection->lead_interval);
  EXPECT_LE(selection->lead_interval->low, *selection->lead);
  EXPECT_GE(selection->lead_interval->high, *selection->lead);
  EXPECT_FALSE(poor.leaked || good.leaked);
  EXPECT_EQ(good.lessons, 5U);
  EXPECT_THAT(selection->validated, SizeIs(split.train.size()));
}

TEST(SelectCandidate, EqualOnesGoToTheFirstWithoutALead) {
  const std::vector<Record> records = Texts(200, 4);
  const TrainingSplit split = *SplitForTraining(records, true, 1);
  Oracle first("first", records, 1);
  Oracle second("second", records, 1);
  Candidate* const candidates[] = {&first, &second};
  const Result<Selection> selection = SelectCandidate(candidates, records, split, {});
  EXPECT_EQ(selection->winner, 0U);
  EXPECT_EQ(*selection->lead, 0);
}

TEST(FitDecision, ABandKeepsItsBoundsOnTheCasesItWasFittedOn) {
  const std::vector<Record> records = Texts(3'000, 5);
  const TrainingSplit split = *SplitForTraining(records, false, 1);
  Oracle oracle("o", records, 2);
  Candidate* const candidates[] = {&oracle};
  const Selection selection = *SelectCandidate(candidates, records, split, {.resamples = 0});
  const std::vector<Scored>& scored = selection.candidates[0].scored;
  const Result<Decision> decision =
      FitDecision(scored, std::vector<std::size_t>(scored.size(), 0), {});
  ASSERT_TRUE(decision) << decision.error().message;
  ASSERT_TRUE(decision->band) << decision->why_no_band;
  double missed = 0;
  double alarms = 0;
  for (const Scored& one : scored) {
    const double probability = decision->map.Apply(one.score);
    missed += one.positive && probability < decision->band->safe ? 1 : 0;
    alarms += !one.positive && probability >= decision->band->violation ? 1 : 0;
  }
  EXPECT_LE(missed / 600, 0.05);
  EXPECT_LE(alarms / 2'400, 0.01);
}

TEST(FitDecision, TooFewLabelsForABandAreNamed) {
  const std::vector<Record> records = Texts(120, 4);
  const TrainingSplit split = *SplitForTraining(records, false, 1);
  Oracle oracle("o", records, 1);
  Candidate* const candidates[] = {&oracle};
  const Selection selection = *SelectCandidate(candidates, records, split, {.resamples = 0});
  const Result<Decision> decision =
      FitDecision(selection.candidates[0].scored,
                  std::vector<std::size_t>(selection.candidates[0].scored.size(), 0), {});
  ASSERT_TRUE(decision);
  EXPECT_FALSE(decision->band);
  EXPECT_THAT(decision->why_no_band, HasSubstr("45"));
}

TEST(MeasureTest, UnreadTextsAreNeverAlarmsAndCountAsMissed) {
  const std::vector<std::optional<double>> probabilities = {0.9, std::nullopt, 0.8, 0.1};
  const TestFigures figures =
      MeasureTest(probabilities, {true, true, false, false}, 0.5, {.resamples = 0});
  EXPECT_EQ(figures.counts.true_positive, 1U);
  EXPECT_EQ(figures.counts.false_negative, 1U);
  EXPECT_EQ(figures.counts.false_positive, 1U);
  EXPECT_DOUBLE_EQ(*figures.precision.value, 0.5);
  EXPECT_DOUBLE_EQ(*figures.f1.value, 0.5);
}

TEST(F1Difference, OfADecisionWithItselfIsNothing) {
  const std::vector<bool> positive = {true, false, true, false};
  const Figure figure = F1Difference(positive, positive, positive, {});
  EXPECT_EQ(*figure.value, 0);
  EXPECT_EQ(*F1Difference(positive, {false, false, true, false}, positive, {}).value,
            1 - 2.0 / 3.0);
}

TEST(LearningCurve, GrowsWithTheLabelsAndLearnsNoTestText) {
  const std::vector<Record> records = Texts(2'000, 4);
  const TrainingSplit split = *SplitForTraining(records, true, 1);
  Oracle oracle("o", records, 4);
  const auto curve = LearningCurve(oracle, records, split, split.test, {.resamples = 50});
  ASSERT_TRUE(curve);
  ASSERT_THAT(*curve, SizeIs(3));
  EXPECT_EQ((*curve)[2].learned, 1'280U);
  EXPECT_EQ((*curve)[0].learned, 128U);
  EXPECT_LT(*(*curve)[0].f1.value, *(*curve)[2].f1.value);
  EXPECT_FALSE(oracle.leaked);
}

TEST(AgreementOn, IsOverTextsThatBothLabel) {
  const std::vector<Record> people = {Labelled("a1", Outcome::kViolation),
                                      Labelled("b1", Outcome::kSafe),
                                      Labelled("c1", Outcome::kSafe)};
  const std::vector<Record> judge = {Labelled("A1!", Outcome::kViolation),
                                     Labelled("b1", Outcome::kViolation),
                                     Labelled("d1", Outcome::kSafe)};
  const LabelAgreement agreement = AgreementOn(people, judge);
  EXPECT_EQ(agreement.both, 2U);
  EXPECT_EQ(agreement.same, 1U);
  EXPECT_TRUE(agreement.kappa);
}

}  // namespace
}  // namespace safeguard::eval
