#include "eval/exact_match.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace safeguard::eval {
namespace {

using moderation::Outcome;

const std::vector<std::string> kNames = {"H", "V"};

TEST(ExactMatchTest, CountsOnlyCompleteItemsAndOnlyFullAgreement) {
  const std::vector<std::vector<LabelJudgement>> items = {
      {{true, Outcome::kViolation}, {false, Outcome::kSafe}},         // match
      {{true, Outcome::kViolation}, {false, Outcome::kViolation}},    // one label wrong
      {{false, Outcome::kSafe}, {false, Outcome::kUndetermined}},     // undetermined
      {{std::nullopt, Outcome::kSafe}, {true, Outcome::kViolation}},  // not complete
      {{false, Outcome::kSafe}, {false, Outcome::kSafe}},             // match
  };
  const ExactMatch result = MeasureExactMatch(kNames, items, {});
  EXPECT_EQ(result.items, 5U);
  EXPECT_EQ(result.complete, 4U);
  EXPECT_EQ(result.matches, 2U);
  EXPECT_DOUBLE_EQ(*result.share, 0.5);
  ASSERT_TRUE(result.interval);
  EXPECT_LE(result.interval->low, 0.5);
  EXPECT_GE(result.interval->high, 0.5);
  EXPECT_EQ(result.labels[0].unknown, 1U);
  EXPECT_EQ(result.labels[0].decided, (Confusion{.true_positive = 2, .true_negative = 2}));
  EXPECT_EQ(result.labels[1].undetermined, 1U);
  EXPECT_EQ(result.labels[1].decided,
            (Confusion{.true_positive = 1, .false_positive = 1, .true_negative = 2}));
  EXPECT_EQ(result.labels[1].with_undetermined,
            (Confusion{.true_positive = 1, .false_positive = 2, .true_negative = 2}));
  EXPECT_DOUBLE_EQ(*result.macro_f1, (1.0 + 0.5) / 2);
}

TEST(ExactMatchTest, NotDefinedWithoutCompleteItems) {
  const std::vector<std::vector<LabelJudgement>> items = {
      {{std::nullopt, Outcome::kSafe}, {true, Outcome::kViolation}}};
  const ExactMatch result = MeasureExactMatch(kNames, items, {});
  EXPECT_FALSE(result.share);
  EXPECT_FALSE(result.interval);
  EXPECT_FALSE(MeasureExactMatch(kNames, {}, {}).share);
}

}  // namespace
}  // namespace safeguard::eval
