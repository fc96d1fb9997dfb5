#include "eval/breakdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "base/utf8.h"
#include "eval/fake_judge.h"
#include "eval/report/text_table.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using testing::ElementsAre;

class BreakdownTest : public testing::Test {
 protected:
  void Add(Outcome expected, std::vector<std::string> rules, Outcome judged, double score,
           std::vector<std::string> cited) {
    Record record;
    record.line = records_.size() + 1;
    record.content = moderation::UserMessage("text " + std::to_string(record.line));
    record.content.language = record.line % 2 == 0 ? "de" : "en";
    record.expected = expected;
    record.rule_ids = std::move(rules);
    record.tags = {"all", record.line > 3 ? "late" : "early"};
    records_.push_back(record);
    CaseResult result{.judged = true, .verdict = FakeVerdict(judged, score), .latency_ms = 1};
    result.verdict.rule_ids = std::move(cited);
    results_.push_back(result);
  }

  void AddUsual() {
    Add(Outcome::kViolation, {"R1"}, Outcome::kViolation, 0.9, {"R1.a"});  // found
    Add(Outcome::kViolation, {"R1"}, Outcome::kViolation, 0.8, {"R2"});    // another rule
    Add(Outcome::kViolation, {"R2"}, Outcome::kSafe, 0.2, {});             // missed
    Add(Outcome::kSafe, {}, Outcome::kViolation, 0.7, {"R1"});             // false alarm
    Add(Outcome::kViolation, {}, Outcome::kViolation, 0.6, {"R1"});        // rule not labelled
    Add(Outcome::kViolation, {"R3"}, Outcome::kUndetermined, 0.5, {});     // undetermined
    Add(Outcome::kViolation, {"R2"}, Outcome::kSafe, 0.1, {});             // missed
    Add(Outcome::kSafe, {}, Outcome::kViolation, 0.95, {"R2"});            // false alarm
  }

  std::vector<Judged> Cases() { return JudgedCases(records_, results_); }

  std::vector<Record> records_;
  std::vector<CaseResult> results_;
};

TEST_F(BreakdownTest, UndeterminedIsNeverSafe) {
  AddUsual();
  const Tally tally = Count(Cases());
  EXPECT_EQ(tally.undetermined, 1U);
  EXPECT_EQ(tally.decided,
            (Confusion{.true_positive = 3, .false_positive = 2, .false_negative = 2}));
  EXPECT_EQ(tally.with_undetermined,
            (Confusion{.true_positive = 3, .false_positive = 2, .false_negative = 3}));
}

TEST_F(BreakdownTest, UnlabelledAndUnjudgedAreLeftOut) {
  AddUsual();
  records_[0].expected.reset();
  results_[1].judged = false;
  EXPECT_EQ(Cases().size(), records_.size() - 2);
}

TEST_F(BreakdownTest, Rules) {
  AddUsual();
  const auto rules = MeasureRules(Cases());
  ASSERT_EQ(rules.size(), 4U);  // R1, R1.a, R2, R3
  const RuleResult& r1 = rules[0];
  EXPECT_EQ(r1.rule, "R1");
  EXPECT_EQ(r1.support, 2U);
  EXPECT_EQ(r1.detected, 2U);
  EXPECT_EQ(r1.found, 1U);
  EXPECT_EQ(r1.cited, 2U);  // by its sub-rule, and on the safe case; not where no rule is labelled
  EXPECT_EQ(r1.cited_rightly, 1U);
  EXPECT_DOUBLE_EQ(*r1.recall, 0.5);
  EXPECT_DOUBLE_EQ(*r1.precision, 0.5);
  EXPECT_EQ(rules[1].rule, "R1.a");
  EXPECT_FALSE(rules[1].recall);
  EXPECT_EQ(rules[3].rule, "R3");
  EXPECT_EQ(rules[3].support, 1U);
  EXPECT_EQ(*rules[3].recall, 0);
  EXPECT_FALSE(rules[3].precision);
}

TEST_F(BreakdownTest, CitingKnowsSubRulesAndCategories) {
  moderation::Verdict verdict;
  verdict.rule_ids = {"SP2.a", "SP40"};
  verdict.category = "AR3";
  EXPECT_TRUE(Cites(verdict, "SP2.a"));
  EXPECT_TRUE(Cites(verdict, "SP2"));
  EXPECT_TRUE(Cites(verdict, "AR3"));
  EXPECT_FALSE(Cites(verdict, "SP4"));
  EXPECT_FALSE(Cites(verdict, "SP2.b"));
}

TEST_F(BreakdownTest, Groups) {
  AddUsual();
  const auto languages = MeasureGroups(Cases(), GroupKind::kLanguage);
  ASSERT_EQ(languages.size(), 2U);
  EXPECT_EQ(languages[0].name, "de");
  EXPECT_EQ(languages[0].cases, 4U);
  EXPECT_EQ(languages[0].tally.undetermined, 1U);
  const auto tags = MeasureGroups(Cases(), GroupKind::kTag);
  ASSERT_EQ(tags.size(), 3U);
  EXPECT_EQ(tags[0].name, "all");
  EXPECT_EQ(tags[0].cases, 8U);
  EXPECT_EQ(tags[1].name, "late");
  EXPECT_TRUE(MeasureGroups(Cases(), GroupKind::kSurface).empty());
}

TEST_F(BreakdownTest, TellingErrorsComeWorstFirst) {
  AddUsual();
  const TellingErrors errors = FindTellingErrors(Cases(), 1, 100);
  ASSERT_EQ(errors.false_alarms.size(), 1U);
  EXPECT_EQ(errors.false_alarms[0].name, "line 8");
  EXPECT_EQ(errors.false_alarms[0].excerpt, "text 8");
  ASSERT_EQ(errors.misses.size(), 1U);
  EXPECT_EQ(errors.misses[0].name, "line 7");
  EXPECT_THAT(errors.misses[0].rules, ElementsAre("R2"));
  ASSERT_EQ(errors.undetermined.size(), 1U);
  EXPECT_EQ(errors.undetermined[0].reason, "uncertain");
  EXPECT_EQ(FindTellingErrors(Cases(), 10, 0).misses[0].excerpt, "");
}

TEST_F(BreakdownTest, ScoresOutsideZeroToOneAreNoScores) {
  Add(Outcome::kSafe, {}, Outcome::kViolation, 1.5, {});
  Add(Outcome::kSafe, {}, Outcome::kViolation, std::nan(""), {});
  for (const Judged& judged : Cases()) {
    EXPECT_FALSE(judged.score());
  }
}

TEST(ExcerptTest, IsOneSafeBoundedLine) {
  EXPECT_EQ(Excerpt("  a\n\n b\t c ", 100), "a b c");
  EXPECT_EQ(Excerpt("\x1B[31mred", 100), "\xEF\xBF\xBD[31mred");
  EXPECT_EQ(Excerpt("a\xE2\x80\xAE"
                    "b",
                    100),
            "a\xEF\xBF\xBD"
            "b");  // right-to-left override
  EXPECT_EQ(Excerpt("abcdefghij", 10), "abcdefghij");
  EXPECT_EQ(Excerpt("abcdefghijk", 10), "abcdefg...");
  EXPECT_EQ(Excerpt("ääääää", 10), "äää...");
  EXPECT_EQ(Excerpt("abc", 0), "");
}

TEST(ExcerptTest, NeverTooLongNeverInvalid) {
  EXPECT_TRUE(rc::check("bounds", [] {
    const auto text = *rc::gen::arbitrary<std::string>();
    const auto bytes_max = *rc::gen::inRange<std::size_t>(0, 30);
    const std::string excerpt = Excerpt(text, bytes_max);
    RC_ASSERT(excerpt.size() <= bytes_max);
    RC_ASSERT(!FirstInvalidUtf8(excerpt));
    RC_ASSERT(excerpt.find('\n') == std::string::npos);
  }));
}

TEST(TextTableTest, AlignsByWhatIsSeen) {
  TextTable table({"name", "n"});
  table.Add({"ä", "10"});
  table.Add({"日本", "1"});
  EXPECT_EQ(table.Render("  "), "  name   n\n  ä     10\n  日本   1\n");
}

}  // namespace
}  // namespace safeguard::eval
