#include "eval/agreement.h"

#include <gtest/gtest.h>

#include "eval/metrics.h"

namespace safeguard::eval {
namespace {

AgreementTable Make(const std::vector<std::vector<std::size_t>>& counts) {
  AgreementTable table(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (std::size_t j = 0; j < counts.size(); ++j) {
      table.Add(i, j, counts[i][j]);
    }
  }
  return table;
}

// By exact fractions: 1 - sum(w * p_ij) / sum(w * p_i. * p_.j) gives 159/259, 129/179 and 114/139.
TEST(AgreementTest, ThreeLevelsByHand) {
  const AgreementTable table = Make({{20, 5, 0}, {10, 15, 5}, {0, 5, 40}});
  EXPECT_DOUBLE_EQ(*Kappa(table, KappaWeights::kNone), 159.0 / 259);
  EXPECT_DOUBLE_EQ(*Kappa(table, KappaWeights::kLinear), 129.0 / 179);
  EXPECT_DOUBLE_EQ(*Kappa(table, KappaWeights::kQuadratic), 114.0 / 139);
  EXPECT_DOUBLE_EQ(*ObservedAgreement(table), 0.75);
}

TEST(AgreementTest, TwoCategoriesAreTheBinaryKappa) {
  const AgreementTable table = Make({{8, 2}, {4, 6}});
  const Confusion c{
      .true_positive = 6, .false_positive = 2, .false_negative = 4, .true_negative = 8};
  EXPECT_DOUBLE_EQ(*Kappa(table, KappaWeights::kNone), *eval::Kappa(c));
  EXPECT_DOUBLE_EQ(*Kappa(table, KappaWeights::kQuadratic), *eval::Kappa(c));
}

TEST(AgreementTest, Ends) {
  EXPECT_DOUBLE_EQ(*Kappa(Make({{5, 0}, {0, 5}}), KappaWeights::kQuadratic), 1);
  EXPECT_DOUBLE_EQ(*Kappa(Make({{0, 5}, {5, 0}}), KappaWeights::kNone), -1);
  // Nothing to disagree about, or nothing at all: chance alone agrees, kappa says nothing.
  EXPECT_FALSE(Kappa(Make({{9, 0}, {0, 0}}), KappaWeights::kNone));
  EXPECT_FALSE(Kappa(AgreementTable(3), KappaWeights::kQuadratic));
  EXPECT_FALSE(ObservedAgreement(AgreementTable(3)));
  EXPECT_DOUBLE_EQ(*ObservedAgreement(Make({{9, 0}, {0, 0}})), 1);
}

}  // namespace
}  // namespace safeguard::eval
