#include "judges/dedicated_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judges/classifier_card.h"
#include "judges/classifier_training.h"
#include "judges/dedicated/test_texts.h"
#include "moderation/policy.h"

namespace safeguard::judges {
namespace {

using moderation::Outcome;
using moderation::UndeterminedReason;
using moderation::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;

const moderation::Policy& Spam() {
  static const moderation::Policy kPolicy =
      moderation::ReadPolicy("# Spam\n\n- No offers of money.\n", "spam").value();
  return kPolicy;
}

// Trained once: a classifier of words, with the band given.
std::string SpamClassifier(std::optional<UncertainBand> band, bool other_text = false) {
  static const TestTexts kWorld = SpamAndSmallTalk(200);
  static const std::unique_ptr<ClassifierTrainer> kTrainer = [] {
    auto trainer = OpenTrainer(ClassifierKind::kWords, {kWorld.contents, kWorld.positive}, {});
    std::vector<std::size_t> all(kWorld.contents.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = i;
    }
    EXPECT_TRUE((*trainer)->LearnAndScore(all, all));
    return std::move(*trainer);
  }();
  ClassifierCard card;
  kTrainer->Describe(card);
  card.policy = Spam().Reference();
  card.policy.hash = other_text ? std::string(64, '0') : card.policy.hash;
  card.positives = 100;
  card.negatives = 100;
  card.band = band;
  card.why_no_band = band ? "" : "too few labels";
  return WriteClassifier(card, kTrainer->Weights());
}

DedicatedOptions OptionsFor(std::string bytes, bool band = false) {
  DedicatedOptions options;
  options.source = [bytes = std::move(bytes), band](const moderation::Policy&) {
    return Result<InstalledClassifier>(
        InstalledClassifier{"mine", 2, std::string(64, 'd'), bytes, band});
  };
  options.model_folder = []() -> Result<std::string> {
    return Fail(ErrorCode::kNotFound, "no encoder here");
  };
  return options;
}

std::vector<Verdict> Judge(DedicatedOptions options, std::vector<moderation::Content> contents) {
  const auto judge = OpenDedicatedJudge(std::move(options));
  const auto prepared = judge->Prepare(Spam(), {});
  EXPECT_TRUE(prepared) << prepared.error().message;
  return judge->Decide(std::span(&*prepared, 1), contents);
}

TEST(DedicatedJudge, DecidesBySomebodysLabels) {
  const auto verdicts = Judge(OptionsFor(SpamClassifier({})),
                              {moderation::UserMessage("claim your free money prize"),
                               moderation::UserMessage("my sister paints the rain this morning")});
  EXPECT_EQ(verdicts[0].outcome, Outcome::kViolation);
  EXPECT_EQ(verdicts[1].outcome, Outcome::kSafe);
  EXPECT_GT(*verdicts[0].score, 0.5);
  EXPECT_EQ(verdicts[0].decided_by.layer, "screen");
  EXPECT_EQ(verdicts[0].decided_by.model, "dedicated:mine@2");
  EXPECT_EQ(verdicts[0].decided_by.model_hash, std::string(64, 'd'));
  EXPECT_EQ(verdicts[0].policy.hash, Spam().hash);
  EXPECT_TRUE(verdicts[0].rule_ids.empty()) << "it knows no rules";
  EXPECT_THAT(verdicts[0].rationale, HasSubstr("trained on 200 labelled texts"));
}

TEST(DedicatedJudge, TheHeaviestSentenceIsTheEvidence) {
  const std::string text = "The match was great. Claim your free money prize today. See you.";
  const auto verdicts = Judge(OptionsFor(SpamClassifier({})), {moderation::UserMessage(text)});
  ASSERT_EQ(verdicts[0].evidence.size(), 1U);
  const moderation::Evidence& evidence = verdicts[0].evidence[0];
  EXPECT_EQ(evidence.text, "Claim your free money prize today.");
  EXPECT_EQ(text.substr(evidence.start, evidence.end - evidence.start), evidence.text);
}

TEST(DedicatedJudge, DisguisesAreUndone) {
  const auto verdicts =
      Judge(OptionsFor(SpamClassifier({})),
            {moderation::UserMessage("c l a i m   y o u r   f r e e   m o n e y")});
  EXPECT_EQ(verdicts[0].outcome, Outcome::kViolation);
  EXPECT_EQ(verdicts[0].view, "despaced");
}

TEST(DedicatedJudge, NothingUnreadableIsSafe) {
  const auto verdicts = Judge(OptionsFor(SpamClassifier({})),
                              {moderation::UserMessage(""), moderation::UserMessage("\u200b\u200d"),
                               moderation::UserMessage(std::string((1 << 20) + 1, 'x')),
                               moderation::UserMessage("завтра увидимся за обедом")});
  EXPECT_EQ(verdicts[0].reason, UndeterminedReason::kEmptyContent);
  EXPECT_EQ(verdicts[1].reason, UndeterminedReason::kEmptyContent);
  EXPECT_EQ(verdicts[2].reason, UndeterminedReason::kContentTooLong);
  EXPECT_NE(verdicts[3].outcome, Outcome::kSafe) << "it was trained on no Cyrillic";
}

TEST(DedicatedJudge, InsideTheBandItDoesNotDecideWhenAskedSo) {
  const UncertainBand all{0.0, 1.5, 0.05, 0.01, 0.9};
  const std::vector contents = {moderation::UserMessage("claim your free money prize")};
  EXPECT_EQ(Judge(OptionsFor(SpamClassifier(all)), contents)[0].outcome, Outcome::kViolation);
  const Verdict verdict = Judge(OptionsFor(SpamClassifier(all), true), contents)[0];
  EXPECT_EQ(verdict.outcome, Outcome::kUndetermined);
  EXPECT_EQ(verdict.reason, UndeterminedReason::kUncertain);
}

TEST(DedicatedJudge, ABandThatItDoesNotHaveIsRefused) {
  const auto prepared =
      OpenDedicatedJudge(OptionsFor(SpamClassifier({}), true))->Prepare(Spam(), {});
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error().message, HasSubstr("too few labels"));
}

TEST(DedicatedJudge, LabelsOfAnotherTextOfThePolicyAreTold) {
  DedicatedOptions options = OptionsFor(SpamClassifier({}, /*other_text=*/true));
  std::vector<std::string> notes;
  options.on_note = [&notes](const std::string& note) { notes.push_back(note); };
  const Verdict verdict = Judge(options, {moderation::UserMessage("see you at lunch")})[0];
  EXPECT_THAT(notes, ElementsAre(HasSubstr("another text of the policy spam")));
  EXPECT_THAT(verdict.notes, ElementsAre(HasSubstr("another text of the policy spam")));
}

TEST(DedicatedJudge, APolicyWithoutClassifierOrWithADamagedOneIsRefused) {
  DedicatedOptions options = OptionsFor("");
  const auto damaged = OpenDedicatedJudge(options)->Prepare(Spam(), {});
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().message, HasSubstr("mine@2"));
  options.source = [](const moderation::Policy& policy) -> Result<InstalledClassifier> {
    return Fail(ErrorCode::kNotFound, "none for " + policy.id);
  };
  const auto none = OpenDedicatedJudge(options)->Prepare(Spam(), {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace safeguard::judges
