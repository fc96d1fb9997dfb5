#include "eval/deciders.h"

#include <gtest/gtest.h>

namespace safeguard::eval {
namespace {

using moderation::Outcome;

class Deciders : public ::testing::Test {
 protected:
  void Add(const std::string& layer, const std::string& reasoner, Outcome outcome,
           std::optional<Outcome> expected, std::size_t tokens = 0) {
    Record record;
    record.expected = expected;
    records.push_back(record);
    CaseResult result;
    result.judged = true;
    result.latency_ms = 2;
    result.verdict.outcome = outcome;
    result.verdict.decided_by.layer = layer;
    if (!reasoner.empty()) {
      result.verdict.decided_by.settings["reasoner"] = reasoner;
    }
    result.verdict.tokens.answer = tokens;
    results.push_back(result);
  }

  std::vector<Record> records;
  std::vector<CaseResult> results;
};

TEST_F(Deciders, EachLayerIsCountedWithWhatItGotRight) {
  Add("screen", "", Outcome::kSafe, Outcome::kSafe);
  Add("screen", "", Outcome::kViolation, Outcome::kSafe);
  Add("screen", "", Outcome::kSafe, std::nullopt);
  Add("reasoner", "low", Outcome::kViolation, Outcome::kViolation, 500);
  Add("reasoner", "high", Outcome::kUndetermined, Outcome::kViolation, 900);
  results.push_back({});
  records.emplace_back();
  const std::vector<Decider> deciders = MeasureDeciders(records, results);
  ASSERT_EQ(deciders.size(), 3U) << "what was not judged was decided by nobody at all";
  EXPECT_EQ(deciders[0].name, "screen");
  EXPECT_EQ(deciders[0].verdicts, 3U);
  EXPECT_EQ(deciders[0].labelled, 2U);
  EXPECT_EQ(deciders[0].right, 1U);
  EXPECT_EQ(deciders[0].ms, 6);
  EXPECT_EQ(deciders[1].name, "low");
  EXPECT_EQ(deciders[1].violations, 1U);
  EXPECT_EQ(deciders[1].tokens, 500);
  EXPECT_EQ(deciders[2].name, "nobody");
  EXPECT_EQ(deciders[2].right, 0U) << "undetermined is never right";
  EXPECT_EQ(deciders[2].tokens, 900) << "and costs all the same";
}

TEST_F(Deciders, NothingJudgedIsNobody) {
  EXPECT_TRUE(MeasureDeciders(records, results).empty());
}

}  // namespace
}  // namespace safeguard::eval
