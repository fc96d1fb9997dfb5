#include "eval/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/fake_judge.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using ::testing::HasSubstr;

RunCase Case(std::size_t index, bool expected, Outcome outcome, double score) {
  RunCase recorded;
  recorded.record.line = index + 1;
  recorded.record.expected = expected ? Outcome::kViolation : Outcome::kSafe;
  recorded.content_hash = "h" + std::to_string(index);
  recorded.judged.index = index;
  CaseResult& result = recorded.judged.results.emplace_back();
  result.judged = true;
  result.verdict = FakeVerdict(outcome, score);
  result.seconds = 0.5;
  return recorded;
}

RecordedRun RunAt(const std::string& path) {
  RecordedRun run;
  run.path = path;
  run.header.dataset_hash = std::string(64, 'd');
  run.header.dataset_path = "data.csv";
  run.header.policies.emplace_back().id = "spam";
  return run;
}

TEST(McNemarTest, ExactForFewAndTheSquareForMany) {
  EXPECT_FALSE(TestMcNemar(0, 0).p);
  EXPECT_NEAR(*TestMcNemar(1, 1).p, 1.0, 1e-12);
  EXPECT_NEAR(*TestMcNemar(0, 5).p, 2.0 / 32, 1e-12);
  EXPECT_NEAR(*TestMcNemar(3, 10).p, 2.0 * (1 + 13 + 78 + 286) / 8192, 1e-12);
  EXPECT_EQ(*TestMcNemar(10, 3).p, *TestMcNemar(3, 10).p);
  EXPECT_TRUE(TestMcNemar(500, 500).exact);
  const McNemar many = TestMcNemar(1000, 1100);
  EXPECT_FALSE(many.exact);
  EXPECT_NEAR(*many.p, 0.03073, 1e-4);  // chi-square 99^2 / 2100 = 4.667, one degree of freedom
}

TEST(ComparisonTest, CountsPairsAndDifferences) {
  RecordedRun a = RunAt("a");
  RecordedRun b = RunAt("b");
  // expected 1 1 1 0 0 0; a: right right wrong right wrong undetermined; b: all right but the last
  const bool expected[] = {true, true, true, false, false, false};
  const Outcome of_a[] = {Outcome::kViolation, Outcome::kViolation, Outcome::kSafe,
                          Outcome::kSafe,      Outcome::kViolation, Outcome::kUndetermined};
  const Outcome of_b[] = {Outcome::kViolation, Outcome::kViolation, Outcome::kViolation,
                          Outcome::kSafe,      Outcome::kSafe,      Outcome::kViolation};
  for (std::size_t i = 0; i < 6; ++i) {
    a.cases.push_back(Case(i, expected[i], of_a[i], 0.5));
    b.cases.push_back(Case(i, expected[i], of_b[i], expected[i] ? 0.9 : 0.1));
  }
  b.cases.push_back(Case(6, true, Outcome::kSafe, 0.2));
  const Result<Comparison> compared = CompareRuns(a, 0, b, 0, {});
  ASSERT_TRUE(compared) << Describe(compared.error());
  EXPECT_EQ(compared->pairs, 6U);
  EXPECT_EQ(compared->only_in_b, 1U);
  EXPECT_EQ(compared->both_right, 3U);
  EXPECT_EQ(compared->only_a_right, 0U);
  EXPECT_EQ(compared->only_b_right, 2U);
  EXPECT_EQ(compared->both_wrong, 1U);
  EXPECT_NEAR(*compared->test.p, 0.5, 1e-12);
  EXPECT_NEAR(*compared->accuracy.a, 0.5, 1e-12);
  EXPECT_NEAR(*compared->accuracy.difference, 2.0 / 6, 1e-12);
  ASSERT_TRUE(compared->accuracy.interval);
  EXPECT_GE(compared->accuracy.interval->low, 0);  // b is never worse
  EXPECT_NEAR(*compared->roc_auc.difference, 0.5, 1e-12);
  EXPECT_EQ(compared->outcomes[2][0], 1U);
  EXPECT_NEAR(*compared->agreement, 1 - (2.0 / 5) / (12.0 / 25), 1e-9);
  EXPECT_NEAR(compared->cost_a.seconds, 0.5, 1e-12);
  EXPECT_FALSE(compared->notes.empty());
}

TEST(ComparisonTest, RefusesDifferentDataAndLabels) {
  RecordedRun a = RunAt("a");
  RecordedRun b = RunAt("b");
  EXPECT_THAT(Describe(CompareRuns(a, 0, b, 0, {}).error()), HasSubstr("no case was judged"));
  a.cases.push_back(Case(0, true, Outcome::kSafe, 0.1));
  b.cases.push_back(Case(0, false, Outcome::kSafe, 0.1));
  EXPECT_THAT(Describe(CompareRuns(a, 0, b, 0, {}).error()),
              HasSubstr("the runs read the labels differently"));
  b.header.dataset_hash = std::string(64, 'e');
  EXPECT_THAT(Describe(CompareRuns(a, 0, b, 0, {}).error()), HasSubstr("different data"));
  b = a;
  b.header.policies[0].label = "S";
  EXPECT_THAT(Describe(CompareRuns(a, 0, b, 0, {}).error()), HasSubstr("different labels"));
}

TEST(ComparisonTest, OneClassLeavesRanksUndefined) {
  RecordedRun a = RunAt("a");
  a.cases.push_back(Case(0, false, Outcome::kSafe, 0.1));
  const Result<Comparison> compared = CompareRuns(a, 0, a, 0, {});
  ASSERT_TRUE(compared);
  EXPECT_FALSE(compared->f1.difference);
  EXPECT_FALSE(compared->roc_auc.a);
  EXPECT_FALSE(compared->agreement);
  EXPECT_FALSE(compared->test.p);
}

}  // namespace
}  // namespace safeguard::eval
