#include "eval/severity.h"

#include <gtest/gtest.h>

namespace safeguard::eval {
namespace {

TEST(SeverityOf, ReadsLevelsAsTheyAreWritten) {
  EXPECT_EQ(SeverityOf("SP2"), 2);
  EXPECT_EQ(SeverityOf("D-SP4.a"), 4);
  EXPECT_EQ(SeverityOf("D-SP2, R-SP0"), 2);
  EXPECT_EQ(SeverityOf(" level 3 "), 3);
  EXPECT_EQ(SeverityOf("0"), 0);
  EXPECT_EQ(SeverityOf("12"), 12);
  for (const char* none : {"", "spam", "SP", "2024", "SP2 maybe", "a1b"}) {
    EXPECT_FALSE(SeverityOf(none)) << none;
  }
}

TEST(SeverityOf, VerdictFallsBackToItsGravestRule) {
  moderation::Verdict verdict;
  EXPECT_FALSE(SeverityOf(verdict));  // undetermined
  verdict.outcome = moderation::Outcome::kViolation;
  EXPECT_FALSE(SeverityOf(verdict));
  verdict.rule_ids = {"SP2.a", "SP3.b"};
  EXPECT_EQ(SeverityOf(verdict), 3);
  verdict.category = "SP4";
  EXPECT_EQ(SeverityOf(verdict), 4);
  moderation::Verdict safe;
  safe.outcome = moderation::Outcome::kSafe;
  EXPECT_EQ(SeverityOf(safe), 0);
}

TEST(MeasureSeverity, CountsByRankNotByNumber) {
  // Levels 0, 2, 3, 4: 0 and 2 are neighbours.
  const std::vector<SeverityPair> cases = {{0, 0}, {0, 2}, {2, 3}, {4, 0}, {3, std::nullopt}};
  const SeverityFigures figures = MeasureSeverity(cases);
  EXPECT_EQ(figures.levels, (std::vector<int>{0, 2, 3, 4}));
  EXPECT_EQ(figures.cases, 5U);
  EXPECT_EQ(figures.without_level, 1U);
  EXPECT_EQ(figures.exact, 1U);
  EXPECT_EQ(figures.off_by_one, 3U);
  EXPECT_EQ(figures.too_high, 2U);
  EXPECT_EQ(figures.too_low, 1U);
  ASSERT_EQ(figures.cuts.size(), 3U);
  EXPECT_EQ(figures.cuts[0].level, 2);
  // At level 2: expected 2, 4 and 3 are violations; 4 judged 0 and 3 without a level are missed.
  EXPECT_EQ(figures.cuts[0].confusion, (Confusion{1, 1, 2, 1}));
}

TEST(MeasureSeverity, QuadraticKappaOfKnownTables) {
  // Squared disagreements 3, by chance 7: 1 - 3/7.
  const std::vector<SeverityPair> near = {{0, 0}, {1, 1}, {2, 1}, {2, 2}, {0, 1}, {1, 2}};
  const auto kappa = MeasureSeverity(near).quadratic_kappa;
  ASSERT_TRUE(kappa);
  EXPECT_NEAR(*kappa, 4.0 / 7.0, 1e-12);
  EXPECT_NEAR(*MeasureSeverity(std::vector<SeverityPair>{{0, 0}, {2, 2}, {1, 1}}).quadratic_kappa,
              1.0, 1e-12);
  EXPECT_FALSE(MeasureSeverity(std::vector<SeverityPair>{{1, 1}, {1, 1}}).quadratic_kappa);
  EXPECT_FALSE(MeasureSeverity({}).quadratic_kappa);
}

}  // namespace
}  // namespace safeguard::eval
